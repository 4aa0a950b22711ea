/** Detects that a file was changed while it was being read. */

import { type BigIntStats, fstatSync, ReadStream, statSync } from 'node:fs'
import { type ErrorCode, isExportError, SourceError } from '../errors.ts'
import { explainMemory } from '../system/system-error.ts'
import type { ExportSource } from './source.ts'

/** Errors that cannot come from a change of the source. */
const UNRELATED: readonly ErrorCode[] = ['ERR_ABORTED', 'ERR_OPTION', 'ERR_OUTPUT', 'ERR_SOURCE_CHANGED']

/**
 * The state of a source when reading began. A file counts as changed if its size, times or inode differ: part of what
 * was read may then come from before the change and part from after it. Besides paths, only a file on standard input is
 * checked; other sources never count as changed.
 */
export class SourceState {
  readonly #look: () => BigIntStats | undefined
  readonly #before: BigIntStats | undefined

  /** Must be created before the source is opened. */
  constructor(source: ExportSource | undefined) {
    this.#look = lookAt(source)
    const before = this.#look()
    this.#before = before?.isFile() ? before : undefined
  }

  /** @throws SourceError `ERR_SOURCE_CHANGED`. */
  requireUnchanged(): void {
    if (this.#hasChanged()) throw changedError()
  }

  /**
   * Returns the error to report for one that reading threw: `ERR_SOURCE_CHANGED` if the source has changed meanwhile.
   */
  explain(found: unknown): unknown {
    const error = explainMemory(found)
    if (!isExportError(error) || isExportError(error, ...UNRELATED) || !this.#hasChanged()) return error
    return changedError(error)
  }

  #hasChanged(): boolean {
    const before = this.#before
    if (before === undefined) return false
    const after = this.#look()
    // ctime shows a write even if mtime was set back afterwards.
    const parts = ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const
    return after === undefined || parts.some((part) => after[part] !== before[part])
  }
}

function lookAt(source: ExportSource | undefined): () => BigIntStats | undefined {
  if (typeof source === 'string' || source instanceof URL) {
    return () => orUndefined(() => statSync(source, { bigint: true }))
  }
  const isStandardInput = source instanceof ReadStream && (source as { fd?: unknown }).fd === STANDARD_INPUT
  return () => (isStandardInput ? orUndefined(() => fstatSync(STANDARD_INPUT, { bigint: true })) : undefined)
}

const STANDARD_INPUT = 0

function orUndefined(look: () => BigIntStats): BigIntStats | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}

function changedError(cause?: unknown): SourceError {
  const problem = 'the export was changed while it was read; try again when it is complete'
  return new SourceError('ERR_SOURCE_CHANGED', problem, cause === undefined ? {} : { cause })
}
