/**
 * An export → one file, in one call. A plain file with many records becomes Parquet on several threads, each taking a
 * piece of it; a long stream is read on one thread and converted on another; whatever else there is goes through one.
 * The bytes of the output are the same for any number.
 */

import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { AnswerCounts } from './decode/table.ts'
import { OptionError } from './errors.ts'
import type { DecodedCounts, TableJob } from './parallel/messages.ts'
import { PiecePool, PieceSeams, ReadInOrder } from './parallel/piece-pool.ts'
import { rejectedValues } from './parallel/reject-lines.ts'
import { StreamPipeline } from './parallel/stream-pipeline.ts'
import {
  type ExportReader,
  type ReadOptions,
  type ReadProgress,
  type ReadSummary,
  type RestOfDocument,
  readExport,
} from './reader.ts'
import type { ColumnPlan } from './schema.ts'
import { closing } from './sinks/batch-reader.ts'
import { encodeIpc } from './sinks/ipc.ts'
import { type Output, type OutputTarget, writeOutput } from './sinks/output.ts'
import { type Compression, DEFAULT_COMPRESSION, encodeParquet, ParquetSink } from './sinks/parquet.ts'
import { type RejectSink, type RejectsFile, withRejects } from './sinks/rejects-file.ts'
import { requireRejects } from './sinks/rejects-path.ts'
import type { ExportSource } from './source.ts'
import { SourceState } from './source-state.ts'
import { invalidCounts, invalidMetadata } from './table-plan.ts'
import type { WarningLog } from './warnings.ts'

export type OutputFormat = 'parquet' | 'arrow' | 'arrows'

export interface ConvertOptions extends ReadOptions {
  /** Default: by the target's name (`.parquet`, `.arrow`, `.arrows`); `arrows` for a stream. */
  format?: OutputFormat | undefined
  /** Of Parquet. Default: `snappy`. */
  compression?: Compression | undefined
  /** Most rows of a Parquet row group. Default: about 131,072, fewer in wide tables; 65,536 of a stream. */
  rowGroupSize?: number | undefined
  /**
   * Threads for a large export that becomes Parquet; 1 = this one alone. Default: as many as there are cores for a file;
   * two for a stream, of which one reads, and one decodes and encodes.
   */
  threads?: number | undefined
  /**
   * With `onInvalid: 'null'`: a file, `.jsonl` or `.parquet`, for the values that were left out, with their places. It
   * appears together with the output, also when there are none.
   */
  rejects?: string | URL | undefined
  /** Called once with a function that tells how far the conversion is. */
  watch?: ((progress: () => ReadProgress) => void) | undefined
}

/** Not for callers: lets tests cut small files. */
export interface ConvertInternals {
  /** Size of a file from which on workers are started. Default: 512 MiB. */
  smallestPoolBytes?: number
  /** Records (estimated) below which a file is not cut. Default: 32,768. */
  fewestRecordsToCut?: number
  /** Bytes that a stream must have behind its definition for workers to be started. Default: 4 MiB. */
  smallestStreamBytes?: number
}

export interface ConvertResult {
  readonly format: OutputFormat
  readonly columns: readonly ColumnPlan[]
  /** Columns of the table that was written; more or fewer than were decoded when options shape it. */
  readonly columnCount: number
  readonly documentBytes: number
  readonly outputBytes: number
  /** Worker threads that decoded; 1 when the export was read in order on the calling thread. */
  readonly threads: number
  readonly summary: ReadSummary
}

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
  requireRejects(options, { export: source, output: target })
  const threads = options.threads ?? availableParallelism()
  // Pieces that turn out not to fit are read again, and a caller is told nothing twice.
  const mayCut = threads > 1 && options.onReject === undefined
  const pool =
    mayCut && isWorthAPool(source, target, format, internals.smallestPoolBytes) ? new PiecePool(threads) : undefined
  const conversion = { source, target, format, options, internals }
  try {
    return await convertOnce(conversion, pool)
  } catch (error) {
    if (!(error instanceof ReadInOrder)) throw error
    return await convertOnce(conversion, undefined)
  } finally {
    await pool?.close()
  }
}

/** What `convertExport` was asked for. */
interface Conversion {
  readonly source: ExportSource
  readonly target: OutputTarget
  readonly format: OutputFormat
  readonly options: ConvertOptions
  readonly internals: ConvertInternals
}

async function convertOnce(
  { source, target, format, options, internals }: Conversion,
  pool: PiecePool | undefined,
): Promise<ConvertResult> {
  let result: Omit<ConvertResult, 'outputBytes' | 'columnCount'> | undefined
  let columnCount = 0
  const state = new SourceState(source)
  const fill = async (output: Output, rejects: RejectsFile | undefined) => {
    const batchSize = options.batchSize ?? options.rowGroupSize
    const reader = await readExport(
      source,
      { ...options, batchSize },
      {
        inPieces: format === 'parquet',
        fewestRecordsToCut: internals.fewestRecordsToCut,
        uncutBatchSize: format === 'parquet' ? STREAM_ROW_GROUP_ROWS : undefined,
        rejects,
      },
    )
    await closing(reader, async () => {
      options.watch?.(() => reader.progress)
      columnCount = reader.schema.fields.length
      const { columns, pieces } = reader
      if (pool !== undefined && pieces !== undefined) {
        const path = String(pathOf(source))
        const { summary, documentBytes } = await encodeInPieces(pool, reader, output, path, options, rejects)
        result = { format, columns, documentBytes, threads: pool.threads, summary }
      } else if (pieces === undefined && format === 'parquet') {
        result = { format, columns, ...(await encodeStream(reader, output, options, internals, rejects)) }
      } else {
        await encodeInOrder(reader, output, format, options)
        result = { format, columns, documentBytes: reader.progress.documentBytes, threads: 1, summary: reader.summary }
      }
    })
    state.requireUnchanged()
    await rejects?.finish()
  }
  const outputBytes = await withRejects(options.rejects, (rejects) =>
    writeOutput(target, (output) => fill(output, rejects), options.signal),
  ).catch((error: unknown) => {
    throw state.explain(error)
  })
  if (result === undefined) throw new Error('unreachable: an output without a reader')
  return { ...result, columnCount, outputBytes }
}

async function encodeInOrder(
  reader: ExportReader,
  output: Output,
  format: OutputFormat,
  options: ConvertOptions,
): Promise<void> {
  if (format !== 'parquet') return encodeIpc(reader, output, format === 'arrow' ? 'file' : 'stream')
  const sink = new ParquetSink(reader.schema, output, options.compression)
  for await (const batch of reader) await sink.write([batch])
  await sink.finish(reader.finalMetadata, () => reader.emptyBatch())
}

/** Rows of a row group of what cannot be cut: fewer than otherwise, so that encoding does not wait for the end. */
const STREAM_ROW_GROUP_ROWS = 65_536

/** Shorter streams are done before a worker has loaded its code. */
const SMALLEST_STREAM_BYTES = 4 * 2 ** 20

type StreamResult = Pick<ConvertResult, 'summary' | 'documentBytes' | 'threads'>

/** What cannot be cut: a stream, mostly. */
async function encodeStream(
  reader: ExportReader,
  output: Output,
  options: ConvertOptions,
  { smallestStreamBytes = SMALLEST_STREAM_BYTES }: ConvertInternals,
  rejects: RejectSink | undefined,
): Promise<StreamResult> {
  const rowGroupSize = options.rowGroupSize ?? STREAM_ROW_GROUP_ROWS
  const isAlone = (options.threads ?? availableParallelism()) === 1
  const rest = isAlone ? undefined : await reader.handOver(smallestStreamBytes)
  if (rest !== undefined) return encodeInPipeline(reader, rest, output, { ...options, rowGroupSize }, rejects)
  await encodeParquet(reader, output, { ...options, rowGroupSize })
  return { summary: reader.summary, documentBytes: reader.progress.documentBytes, threads: 1 }
}

async function encodeInPipeline(
  reader: ExportReader,
  rest: RestOfDocument,
  output: Output,
  options: ConvertOptions & { rowGroupSize: number },
  rejects: RejectSink | undefined,
): Promise<StreamResult> {
  const { columns, warningLog } = reader
  const progress = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT)
  const decoded = new Float64Array(progress)
  options.watch?.(() => ({
    ...reader.progress,
    documentBytes: rest.byteOffset + decoded[0]!,
    records: decoded[1]!,
  }))
  const { place, byteOffset, read } = rest
  const { rowGroupSize } = options
  const job = { ...tableJob(reader, options, progress), place, byteOffset, rowGroupSize }
  const sink = new ParquetSink(reader.schema, output, options.compression)
  const pipeline = new StreamPipeline()
  const total = new Counts(columns.length)
  try {
    const takeRejects = (lines: Uint8Array) => tellRejects(lines, 0, options, rejects)
    for await (const rowGroup of pipeline.encode(job, read, options.signal, takeRejects)) {
      await sink.writeEncoded(rowGroup)
      await rejects?.flush()
    }
    total.add(pipeline.decoded.counts)
    warningLog.merge(pipeline.decoded.counts.warnings)
    await sink.finish(invalidMetadata(options, warningLog), () => reader.emptyBatch())
  } finally {
    await pipeline.close()
  }
  const { documentBytes } = pipeline.decoded
  return { summary: summaryOf(columns, total, warningLog), documentBytes, threads: pipeline.threads }
}

function tableJob(reader: ExportReader, options: ConvertOptions, progress: SharedArrayBuffer): TableJob {
  const { header, definition, batchLimits: limits } = reader
  const { signal: _, watch: __, onReject: ___, rejects: ____, ...cloneable } = options
  return {
    header,
    definition,
    options: cloneable,
    limits,
    compression: options.compression ?? DEFAULT_COMPRESSION,
    progress,
  }
}

/** Hands on what a thread has found. */
function tellRejects(
  lines: Uint8Array,
  recordsBefore: number,
  { onReject }: ConvertOptions,
  rejects: RejectSink | undefined,
): void {
  for (const value of rejectedValues(lines, recordsBefore)) {
    rejects?.add(value)
    onReject?.(value)
  }
}

function summaryOf(columns: readonly ColumnPlan[], counts: Counts, warningLog: WarningLog): ReadSummary {
  const questions = columns
    .map((column, i) => ({ column, ...counts.of(i) }))
    .filter(({ column }) => column.source === 'field')
  return { records: counts.records, questions, invalid: invalidCounts(warningLog), warnings: warningLog.list() }
}

async function encodeInPieces(
  pool: PiecePool,
  reader: ExportReader,
  output: Output,
  path: string,
  options: ConvertOptions,
  rejects: RejectSink | undefined,
): Promise<{ summary: ReadSummary; documentBytes: number }> {
  const { columns, pieces, warningLog } = reader
  if (pieces === undefined) throw new Error('unreachable: no pieces')
  const { totalBytes = 0 } = reader.progress
  await reader.close()
  const progress = new SharedArrayBuffer(pieces.count * 2 * Float64Array.BYTES_PER_ELEMENT)
  options.watch?.(() => progressOf(new Float64Array(progress), pieces.first, totalBytes))
  const { numbersRecords } = reader
  const job = { ...tableJob(reader, options, progress), path, recordStart: pieces.recordStart, numbersRecords }
  const sink = new ParquetSink(reader.schema, output, options.compression)
  const seams = new PieceSeams(pieces.first, numbersRecords)
  const counts = new Counts(columns.length)
  for await (const result of pool.decode(job, pieces, options.signal)) {
    seams.add(result)
    tellRejects(result.rejects, counts.records, options, rejects)
    counts.add(result)
    warningLog.merge(result.warnings)
    for (const rowGroup of result.rowGroups) await sink.writeEncoded(rowGroup)
    await rejects?.flush()
  }
  seams.finish()
  await sink.finish(invalidMetadata(options, warningLog), () => reader.emptyBatch())
  return { summary: summaryOf(columns, counts, warningLog), documentBytes: totalBytes }
}

/** Answers per column, summed over the pieces. */
class Counts {
  records = 0
  readonly #answered: Float64Array
  readonly #skipped: Float64Array
  readonly #invalid: Float64Array

  constructor(columns: number) {
    this.#answered = new Float64Array(columns)
    this.#skipped = new Float64Array(columns)
    this.#invalid = new Float64Array(columns)
  }

  add(piece: DecodedCounts): void {
    this.records += piece.records
    for (let i = 0; i < this.#answered.length; i++) {
      this.#answered[i]! += piece.answered[i]!
      this.#skipped[i]! += piece.skipped[i]!
      this.#invalid[i]! += piece.invalid[i]!
    }
  }

  of(column: number): AnswerCounts {
    const answered = this.#answered[column]!
    const skipped = this.#skipped[column]!
    const invalid = this.#invalid[column]!
    return { answered, skipped, invalid, notAsked: this.records - answered - skipped - invalid }
  }
}

/** Two float64 a piece: bytes decoded and records read. */
function progressOf(pieces: Float64Array, first: number, totalBytes: number): ReadProgress {
  let documentBytes = first
  let records = 0
  for (let i = 0; i < pieces.length; i += 2) {
    documentBytes += pieces[i]!
    records += pieces[i + 1]!
  }
  return { bytesRead: documentBytes, totalBytes, documentBytes, records }
}

export function formatOf(target: OutputTarget): OutputFormat {
  if (typeof target !== 'string' && !(target instanceof URL)) return 'arrows'
  const name = String(target)
  if (name.endsWith('.arrows')) return 'arrows'
  if (name.endsWith('.parquet') || name.endsWith('.pq')) return 'parquet'
  if (name.endsWith('.arrow') || name.endsWith('.feather') || name.endsWith('.ipc')) return 'arrow'
  throw new OptionError(
    'ERR_OPTION',
    `cannot tell the format of ${name}: expected a name ending in .parquet, .arrow or .arrows, or the option format`,
  )
}

/** Below this size one thread is as fast: each worker has its code to load and to warm up. */
const SMALLEST_POOL_BYTES = 512 * 2 ** 20

/** A stream as target cannot be written a second time, should the pieces not fit together. */
function isWorthAPool(
  source: ExportSource,
  target: OutputTarget,
  format: OutputFormat,
  smallestBytes: number = SMALLEST_POOL_BYTES,
): boolean {
  const path = pathOf(source)
  const stats = statOf(source)
  if (path === undefined || stats === undefined || format !== 'parquet') return false
  if (typeof target !== 'string' && !(target instanceof URL)) return false
  return stats.isFile() && stats.size >= smallestBytes
}

function pathOf(source: ExportSource): string | URL | undefined {
  return typeof source === 'string' || source instanceof URL ? source : undefined
}

function statOf(source: ExportSource) {
  const path = pathOf(source)
  return path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })
}
