/**
 * Opens the output of a sink. A file appears at its path only when it is complete: it is written under another name in
 * the same folder, flushed to the disk and renamed. On any failure the temporary file is removed, and an older file at
 * the path is left unchanged.
 */

import { accessSync, constants, type Stats, statSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { OutputError } from '../errors.ts'
import { wrongValueError } from '../option-values.ts'
import { abortError } from '../system/abort.ts'
import { explainMemory } from '../system/system-error.ts'
import { resolveLinks } from './behind-links.ts'
import { openDevice, openFile } from './file-output.ts'
import type { Output } from './open-output.ts'
import { unwritableError } from './output-error.ts'
import { openPipe, StreamOutput } from './stream-output.ts'

export type { Output } from './open-output.ts'

/** A path, a `file:` URL, or a Node stream. */
export type OutputTarget = string | URL | Writable

/** What `fill` returned, and the number of bytes that it wrote. */
interface Written<T> {
  readonly value: T
  readonly bytesWritten: number
}

/** Result of the functions that write a single file. */
export interface WriteResult {
  readonly outputBytes: number
}

/**
 * Opens the output, lets `fill` write it, and commits it; discards it if anything fails.
 * @throws OutputError `ERR_OUTPUT` if it cannot be written, AbortError if the signal fires; whatever `fill` throws.
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
 * Opens an output after checking all that can be checked before the first byte: the folder, permissions, and what is at
 * the path now.
 * @param signal Ends waiting for a slow reader of a stream or named pipe, and keeps a file from being committed.
 * @throws OutputError `ERR_OUTPUT`.
 */
export async function openOutput(target: OutputTarget, signal?: AbortSignal): Promise<Output> {
  if (!isPath(target)) return new StreamOutput(requireStream(target), signal)
  const { path, existing } = standingAt(target)
  if (existing?.isFIFO()) return openPipe(path, signal)
  if (existing !== undefined && !existing.isFile()) return openDevice(path, signal)
  return openFile(path, existing, signal)
}

/**
 * Makes the same checks as `openOutput`, but changes nothing.
 * @throws OutputError `ERR_OUTPUT`.
 */
export async function requireWritable(target: OutputTarget): Promise<void> {
  if (!isPath(target)) return
  const { path, existing } = standingAt(target)
  // Pipes are not opened: their reader would see the end when they are closed again.
  if (existing === undefined || existing.isFile()) return (await openFile(path, existing, undefined)).discard()
  try {
    accessSync(path, constants.W_OK)
  } catch (error) {
    throw unwritableError(path, error)
  }
}

function requireStream(target: Writable): Writable {
  if (typeof target?.write === 'function' && typeof target.on === 'function') return target
  throw wrongValueError('target', 'a path, a file: URL, or a Node stream', target)
}

function isPath(target: OutputTarget): target is string | URL {
  return typeof target === 'string' || target instanceof URL
}

/** Returns the path, with links resolved if it is or will be a file, and what exists there now. */
function standingAt(target: string | URL): { path: string; existing: Stats | undefined } {
  if (target instanceof URL && target.protocol !== 'file:')
    throw wrongValueError('target', 'a file: URL', target.protocol)
  const path = typeof target === 'string' ? target : fileURLToPath(target)
  const existing = statOrUndefined(path)
  if (existing?.isDirectory())
    throw new OutputError('ERR_OUTPUT', `expected a file to write, found a directory: ${path}`)
  if (existing === undefined && path.endsWith('/')) {
    throw new OutputError('ERR_OUTPUT', `expected a file to write, found the name of a folder: ${path}`)
  }
  return { path: existing === undefined || existing.isFile() ? resolveLinks(path) : path, existing }
}

function statOrUndefined(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unwritableError(path, error)
  }
}
