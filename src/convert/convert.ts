/**
 * Converts an export to one file. A large plain file becomes Parquet on several threads, each of which converts pieces
 * of it; a long stream is read on one thread and converted on another; everything else is converted on the calling
 * thread. The output has the same bytes for any number of threads.
 *
 * Threads are started before the calling one loads the code of the conversion: both take about as long.
 */

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { ExportSource } from '../input/source.ts'
import { requireFunction, requireKnownOptions, requirePositive, requireWord } from '../option-values.ts'
import { PiecePool, ReadInOrder } from '../parallel/piece-pool.ts'
import { StreamPipeline } from '../parallel/stream-pipeline.ts'
import { isWorthAPool } from '../parallel/worth.ts'
import type { OutputTarget } from '../sinks/output.ts'
import {
  CONVERT_OPTION_NAMES,
  type Conversion,
  type ConversionThreads,
  type ConvertInternals,
  type ConvertOptions,
  type ConvertResult,
  formatOf,
  OUTPUT_FORMATS,
} from './options.ts'

export type { ConvertOptions, ConvertResult, OutputFormat } from './options.ts'

/**
 * Converts an export to one Parquet or Arrow file.
 * @throws whatever `readExport`, iterating it, and the writers throw; ExportError `ERR_WORKER` if a thread fails.
 *   No partial file is left, and an older file stays as it was.
 */
export async function convertExport(
  source: ExportSource,
  target: OutputTarget,
  options: ConvertOptions = {},
): Promise<ConvertResult> {
  requireKnownOptions(options, CONVERT_OPTION_NAMES)
  return convertWith(source, target, options)
}

/**
 * `convertExport` for callers that know more about the source.
 * @internal
 */
export async function convertWith(
  source: ExportSource,
  target: OutputTarget,
  options: ConvertOptions = {},
  internals: ConvertInternals = {},
): Promise<ConvertResult> {
  requireFunction('onProgress', options.onProgress)
  requireWord('format', options.format, OUTPUT_FORMATS)
  requirePositive('threads', options.threads)
  const format = options.format ?? formatOf(target)
  const conversion = { source, target, format, options, internals }
  const threads = startThreads(conversion)
  try {
    const { convertOnce } = await import('./one-pass.ts')
    try {
      return await convertOnce(conversion, threads)
    } catch (error) {
      if (!(error instanceof ReadInOrder)) throw error
      await threads.pool?.close()
      return await convertOnce(conversion, {})
    }
  } finally {
    await threads.pool?.close()
    await threads.pipeline?.close()
  }
}

function startThreads({ source, target, format, options, internals }: Conversion): ConversionThreads {
  const threads = options.threads ?? availableParallelism()
  if (threads === 1 || format !== 'parquet') return {}
  if (internals.expectsLongStream === true) return { pipeline: new StreamPipeline() }
  // If the pieces do not fit together, the export is read again: `onReject` would be called twice for the same values,
  // and a stream as target would be written twice.
  if (options.onReject !== undefined || !isPath(source) || !isPath(target)) return {}
  const { minPoolBytes } = internals
  const byteLength = fileBytes(source)
  if (byteLength === undefined || !isWorthAPool(byteLength, 0, minPoolBytes)) return {}
  const pool = new PiecePool(threads)
  if (isWorthAPool(byteLength, likelyColumns(source), minPoolBytes)) pool.start()
  return { pool }
}

/** Returns the size of a plain file; undefined for anything else. Opening the source reports what is wrong with it. */
function fileBytes(path: string | URL): number | undefined {
  try {
    const stats = statSync(path)
    return stats.isFile() ? stats.size : undefined
  } catch {
    return undefined
  }
}

/** Bytes that a question takes at least in most definitions. */
const QUESTION_BYTES = 512
const HEAD_BYTES = 128 * 1024

/**
 * Estimates the columns from the offset of the records; infinite if the records do not begin in the file's first 128
 * KiB.
 */
function likelyColumns(path: string | URL): number {
  const start = Buffer.alloc(HEAD_BYTES)
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const recordsAt = start.subarray(0, readSync(file, start, 0, HEAD_BYTES, 0)).indexOf('"records"')
    return recordsAt < 0 ? Number.POSITIVE_INFINITY : recordsAt / QUESTION_BYTES
  } catch {
    // The reader reports the failure.
    return Number.POSITIVE_INFINITY
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function isPath(place: ExportSource | OutputTarget): place is string | URL {
  return typeof place === 'string' || place instanceof URL
}
