/**
 * Where a sink's bytes go. A file appears at its path only when it is complete: it is written under another name in
 * the same folder, flushed to the disk, and renamed. On any failure the temporary file is removed, and an older file
 * at the path stays as it was.
 */

import { accessSync, constants, type Stats, statSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { OutputError } from '../errors.ts'
import { abortError } from '../input/source.ts'
import { wrongValueError } from '../option-values.ts'
import { explainMemory } from '../system/system-error.ts'
import { behindLinks } from './behind-links.ts'
import { openDevice, openFile } from './file-output.ts'
import type { Output } from './open-output.ts'
import { unwritable } from './output-error.ts'
import { openPipe, StreamOutput } from './stream-output.ts'

export type { Output } from './open-output.ts'

/** A path, a `file:` URL, or a Node stream. */
export type OutputTarget = string | URL | Writable

/** What `fill` returned, and the bytes that it wrote. */
interface Written<T> {
  readonly value: T
  readonly bytesWritten: number
}

/** What the writers of single files resolve to. */
export interface WriteResult {
  readonly outputBytes: number
}

/**
 * Opens the output, lets `fill` write it, and commits; discards it when `fill` throws.
 * @throws OutputError `ERR_OUTPUT` when it cannot be written, AbortError when the signal fires; whatever `fill` throws.
 */
export async function writeOutput<T>(
  target: OutputTarget,
  fill: (output: Output) => Promise<T>,
  signal?: AbortSignal,
): Promise<Written<T>> {
  const output = await openOutput(target, signal)
  try {
    const value = await fill(output)
    if (signal?.aborted) throw abortError(signal)
    await output.commit()
    return { value, bytesWritten: output.bytesWritten }
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
  if (!isPath(target)) return new StreamOutput(requireStream(target), signal)
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

function requireStream(target: Writable): Writable {
  if (typeof target?.write === 'function' && typeof target.on === 'function') return target
  throw wrongValueError('target', 'a path, a file: URL, or a Node stream', target)
}

function isPath(target: OutputTarget): target is string | URL {
  return typeof target === 'string' || target instanceof URL
}

/** What a path names now; behind links, for what is or will be a file. */
function standingAt(target: string | URL): { path: string; existing: Stats | undefined } {
  if (target instanceof URL && target.protocol !== 'file:') throw wrongValueError('target', 'a file: URL', target.href)
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
