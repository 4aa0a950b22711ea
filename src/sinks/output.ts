/**
 * Where a sink's bytes go. A file appears at its path only when it is complete: it is written under another name in
 * the same folder, flushed to the disk, and renamed. On any failure the temporary file is removed, and an older file
 * at the path stays as it was.
 */

import { accessSync, constants, type Stats, statSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { OutputError } from '../errors.ts'
import { aborted } from '../source.ts'
import { explainMemory } from '../system-error.ts'
import { behindLinks } from './behind-links.ts'
import { openDevice, openFile } from './file-output.ts'
import type { Output } from './open-output.ts'
import { unwritable } from './output-error.ts'
import { openPipe, StreamOutput } from './stream-output.ts'

export type { Output } from './open-output.ts'

/** A path, a `file:` URL, or a Node stream. */
export type OutputTarget = string | URL | Writable

/**
 * Opens the output, lets `fill` write it, and commits; discards it when `fill` throws.
 * @throws OutputError `ERR_OUTPUT` when it cannot be written, AbortError when the signal fires; whatever `fill` throws.
 */
export async function writeOutput(
  target: OutputTarget,
  fill: (output: Output) => Promise<void>,
  signal?: AbortSignal,
): Promise<number> {
  const output = await openOutput(target, signal)
  try {
    await fill(output)
    if (signal?.aborted) throw aborted(signal)
    await output.commit()
    return output.bytesWritten
  } catch (error) {
    await output.discard()
    throw explainMemory(error)
  }
}

/**
 * Checks all that can be checked before the first byte: the folder, permissions, what stands at the path now.
 * @param signal Ends the wait for a slow reader of a stream or named pipe, and keeps a file from getting its name.
 */
export async function openOutput(target: OutputTarget, signal?: AbortSignal): Promise<Output> {
  if (!isPath(target)) return new StreamOutput(target, signal)
  const { path, existing } = standingAt(target)
  if (existing?.isFIFO()) return openPipe(path, signal)
  if (existing !== undefined && !existing.isFile()) return openDevice(path, signal)
  return openFile(path, existing, signal)
}

/**
 * The same checks, leaving everything as it is.
 * @throws OutputError `ERR_OUTPUT`.
 */
export async function requireWritable(target: OutputTarget): Promise<void> {
  if (!isPath(target)) return
  const { path, existing } = standingAt(target)
  // The reader of a pipe that is opened and closed again would take that for the end.
  if (existing === undefined || existing.isFile()) return (await openFile(path, existing, undefined)).discard()
  try {
    accessSync(path, constants.W_OK)
  } catch (error) {
    throw unwritable(path, error)
  }
}

function isPath(target: OutputTarget): target is string | URL {
  return typeof target === 'string' || target instanceof URL
}

/** What a path names now; behind links, for what is or will be a file. */
function standingAt(target: string | URL): { path: string; existing: Stats | undefined } {
  const path = typeof target === 'string' ? target : fileURLToPath(target)
  const existing = statOrUndefined(path)
  if (existing?.isDirectory())
    throw new OutputError('ERR_OUTPUT', `expected a file to write, found a directory: ${path}`)
  if (existing === undefined && path.endsWith('/')) {
    throw new OutputError('ERR_OUTPUT', `expected a file to write, found the name of a folder: ${path}`)
  }
  return { path: existing === undefined || existing.isFile() ? behindLinks(path) : path, existing }
}

function statOrUndefined(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unwritable(path, error)
  }
}
