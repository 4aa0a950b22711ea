/**
 * An export → one file, in one call. A plain file with many records becomes Parquet on several threads, each taking a
 * piece of it; a long stream is read on one thread and converted on another; whatever else there is goes through one.
 * The bytes of the output are the same for any number.
 *
 * Threads are started before this one loads what it converts with: both take as long.
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
 * @throws whatever `readExport`, iterating it, and the writers throw; ExportError `ERR_WORKER` when a thread dies.
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
 * `convertExport` for callers that know more of the source.
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
  // Pieces that turn out not to fit are read again: a caller would be told twice, a stream as target be written twice.
  if (options.onReject !== undefined || !isPath(source) || !isPath(target)) return {}
  const { smallestPoolBytes } = internals
  const byteLength = fileBytes(source)
  if (byteLength === undefined || !isWorthAPool(byteLength, 0, smallestPoolBytes)) return {}
  const pool = new PiecePool(threads)
  if (isWorthAPool(byteLength, likelyColumns(source), smallestPoolBytes)) pool.start()
  return { pool }
}

/** Undefined for what is no plain file; what keeps it from being read is told by who opens it. */
function fileBytes(path: string | URL): number | undefined {
  try {
    const stats = statSync(path)
    return stats.isFile() ? stats.size : undefined
  } catch {
    return undefined
  }
}

/** Bytes that a question takes in most definitions, at least. */
const QUESTION_BYTES = 512
const LOOKED_AT_BYTES = 128 * 1024

/** As many columns as fit before the records; very many where these are far away, or not there. */
function likelyColumns(path: string | URL): number {
  const start = Buffer.alloc(LOOKED_AT_BYTES)
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const recordsAt = start.subarray(0, readSync(file, start, 0, LOOKED_AT_BYTES, 0)).indexOf('"records"')
    return recordsAt < 0 ? Number.POSITIVE_INFINITY : recordsAt / QUESTION_BYTES
  } catch {
    // The reader will say it better.
    return Number.POSITIVE_INFINITY
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function isPath(place: ExportSource | OutputTarget): place is string | URL {
  return typeof place === 'string' || place instanceof URL
}
