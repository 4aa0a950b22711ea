/** Whether a file is still what it was when its reading began. */

import { type BigIntStats, fstatSync, ReadStream, statSync } from 'node:fs'
import { type ErrorCode, isExportError, SourceError } from '../errors.ts'
import { explainMemory } from '../system/system-error.ts'
import type { ExportSource } from './source.ts'

/** Errors that have nothing to do with what was read. */
const UNRELATED: readonly ErrorCode[] = ['ERR_ABORTED', 'ERR_OPTION', 'ERR_OUTPUT', 'ERR_SOURCE_CHANGED']

/**
 * A file is taken for changed when its size, times or place on the disk differ: what was read of it may then be partly
 * of one state and partly of another. Nothing is known of other sources but a file on standard input.
 */
export class SourceState {
  readonly #look: () => BigIntStats | undefined
  readonly #before: BigIntStats | undefined

  /** To be made before the source is opened; undefined for one that nothing is known of. */
  constructor(source: ExportSource | undefined) {
    this.#look = lookAt(source)
    const before = this.#look()
    this.#before = before?.isFile() ? before : undefined
  }

  /** @throws SourceError `ERR_SOURCE_CHANGED`. */
  requireUnchanged(): void {
    if (this.#hasChanged()) throw changed()
  }

  /** The error of a reading, or `ERR_SOURCE_CHANGED` when that is what it comes from. */
  explain(found: unknown): unknown {
    const error = explainMemory(found)
    if (!isExportError(error) || isExportError(error, ...UNRELATED) || !this.#hasChanged()) return error
    return changed(error)
  }

  #hasChanged(): boolean {
    const before = this.#before
    if (before === undefined) return false
    const after = this.#look()
    // The time of the last change of the entry tells of writes whose own time was set back.
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

function changed(cause?: unknown): SourceError {
  const problem = 'the export was changed while it was read; try again when it is complete'
  return new SourceError('ERR_SOURCE_CHANGED', problem, cause === undefined ? {} : { cause })
}
