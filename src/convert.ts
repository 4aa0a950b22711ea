/**
 * An export → one file, in one call. A plain file with many records becomes Parquet on several threads, each taking a
 * piece of it; a long stream is read on one thread and converted on another; whatever else there is goes through one.
 * The bytes of the output are the same for any number.
 *
 * Threads are started before this one loads what it converts with: both take as long.
 */

import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import {
  type Conversion,
  type ConversionThreads,
  type ConvertInternals,
  type ConvertOptions,
  type ConvertResult,
  formatOf,
} from './convert-options.ts'
import { PiecePool, ReadInOrder } from './parallel/piece-pool.ts'
import { StreamPipeline } from './parallel/stream-pipeline.ts'
import type { OutputTarget } from './sinks/output.ts'
import type { ExportSource } from './source.ts'

export type { ConvertOptions, ConvertResult, OutputFormat } from './convert-options.ts'

/**
 * Converts an export to one Parquet or Arrow file.
 * @throws whatever `readExport`, iterating it, and the writers throw; ExportError `ERR_WORKER` when a thread dies.
 *   No partial file is left, and an older file stays as it was.
 */
export async function convertExport(
  source: ExportSource,
  target: OutputTarget,
  options: ConvertOptions = {},
  internals: ConvertInternals = {},
): Promise<ConvertResult> {
  const format = options.format ?? formatOf(target)
  const conversion = { source, target, format, options, internals }
  const threads = startThreads(conversion)
  try {
    const { convertOnce } = await import('./conversion.ts')
    try {
      return await convertOnce(conversion, threads)
    } catch (error) {
      if (!(error instanceof ReadInOrder)) throw error
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
  // Pieces that turn out not to fit are read again, and a caller is told nothing twice.
  if (options.onReject !== undefined || !isWorthAPool(source, target, internals.smallestPoolBytes)) return {}
  return { pool: new PiecePool(threads) }
}

/** Below this size one thread is as fast: each worker has its code to load and to warm up. */
const SMALLEST_POOL_BYTES = 256 * 2 ** 20

/** A stream as target cannot be written a second time, should the pieces not fit together. */
function isWorthAPool(
  source: ExportSource,
  target: OutputTarget,
  smallestBytes: number = SMALLEST_POOL_BYTES,
): boolean {
  if (!isPath(source) || !isPath(target)) return false
  const stats = statSync(source, { throwIfNoEntry: false })
  return stats?.isFile() === true && stats.size >= smallestBytes
}

function isPath(place: ExportSource | OutputTarget): place is string | URL {
  return typeof place === 'string' || place instanceof URL
}
