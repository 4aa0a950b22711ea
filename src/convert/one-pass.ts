/** Converts an export in one pass over it, on the threads that it is given. */

import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { AnswerCounts } from '../decode/table.ts'
import { SourceState } from '../input/source-state.ts'
import type { DecodedCounts, TableJob } from '../parallel/messages.ts'
import { PieceDecoder } from '../parallel/piece-decoder.ts'
import { type PiecePool, PieceSeams, readInOrder } from '../parallel/piece-pool.ts'
import { rejectedValues } from '../parallel/reject-lines.ts'
import { StreamPipeline } from '../parallel/stream-pipeline.ts'
import { isWorthAPool } from '../parallel/worth.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import { ProgressReports } from '../progress-reports.ts'
import { type ExportReader, openReader, type ReadProgress, type ReadSummary, type RestOfDocument } from '../reader.ts'
import { invalidCounts, invalidMetadata } from '../shape/table-plan.ts'
import { closeAfter } from '../sinks/batch-reader.ts'
import { encodeIpc } from '../sinks/ipc.ts'
import { type Output, writeOutput } from '../sinks/output.ts'
import { encodeParquet, ParquetSink, requireParquetOptions } from '../sinks/parquet.ts'
import { type RejectSink, type RejectsFile, withRejects } from '../sinks/rejects-file.ts'
import { requireRejects } from '../sinks/rejects-path.ts'
import type { WarningLog } from '../warnings.ts'
import type { Conversion, ConversionThreads, ConvertOptions, ConvertResult } from './options.ts'

/**
 * Reads, decodes and writes an export.
 * @throws ReadInOrder if the threads could not share the export; to be called again without threads then.
 */
export async function convertOnce(conversion: Conversion, threads: ConversionThreads): Promise<ConvertResult> {
  const { source, target, format, options, internals } = conversion
  requireParquetOptions(options)
  requireRejects(options, { export: source, output: target })
  const state = new SourceState(source)
  const fill = async (output: Output, rejects: RejectsFile | undefined) => {
    const batchSize = options.batchSize ?? options.rowGroupSize
    const reader = await openReader(
      source,
      { ...options, batchSize },
      {
        inPieces: format === 'parquet',
        minRecordsToCut: internals.minRecordsToCut,
        uncutBatchSize: format === 'parquet' ? STREAM_ROW_GROUP_ROWS : undefined,
        rejects,
      },
    )
    const reports = new ProgressReports(options.onProgress)
    try {
      const result = await closeAfter(reader, () =>
        encode({ ...conversion, reader, output, rejects, reports }, threads),
      )
      state.requireUnchanged()
      reports.finish()
      await rejects?.finish()
      return result
    } finally {
      reports.stop()
    }
  }
  try {
    const { value, bytesWritten } = await withRejects(options.rejects, (rejects) =>
      writeOutput(target, (output) => fill(output, rejects), options.signal),
    )
    return { ...value, outputBytes: bytesWritten }
  } catch (error) {
    throw state.explain(error)
  }
}

/** A conversion with its export and output open. */
interface OpenConversion extends Conversion {
  readonly reader: ExportReader
  readonly output: Output
  readonly rejects: RejectSink | undefined
  readonly reports: ProgressReports<ReadProgress>
}

async function encode(
  conversion: OpenConversion,
  { pool, pipeline }: ConversionThreads,
): Promise<Omit<ConvertResult, 'outputBytes'>> {
  const { reader, format, internals, reports } = conversion
  reports.watch(() => reader.progress)
  const { columns, pieces, schema } = reader
  const { totalBytes = 0 } = reader.progress
  const table = { format, columns, columnCount: schema.fields.length }
  const isShared = pieces !== undefined && isWorthAPool(totalBytes, columns.length, internals.minPoolBytes)
  // Not awaited: a thread that is loading its code ends only afterwards.
  if (!isShared) void pool?.close()
  if (isShared && pool !== undefined) return { ...table, ...(await encodeInPieces(conversion, pool)) }
  if (pieces === undefined && format === 'parquet') return { ...table, ...(await encodeStream(conversion, pipeline)) }
  await encodeInOrder(conversion)
  return { ...table, documentBytes: reader.progress.documentBytes, threads: 1, summary: reader.summary }
}

async function encodeInOrder({ reader, output, format, options }: OpenConversion): Promise<void> {
  if (format !== 'parquet') return encodeIpc(reader, output, format)
  const sink = new ParquetSink(reader.schema, output, options)
  reader.recycle()
  for await (const batch of reader) {
    await sink.write([batch])
    reader.recycle()
  }
  await sink.finish(reader.finalMetadata, () => reader.emptyBatch())
}

/**
 * Maximum rows of a row group if the input cannot be cut into pieces. Fewer than otherwise, so that encoding does not
 * wait for the end of the input.
 */
const STREAM_ROW_GROUP_ROWS = 65_536

/** Shorter streams are converted before a worker has loaded its code. */
const MIN_STREAM_BYTES = 4 * 2 ** 20

type EncodeResult = Pick<ConvertResult, 'summary' | 'documentBytes' | 'threads'>

/** Encodes input that cannot be cut: a long stream on another thread, a short stream or a file on this one. */
async function encodeStream(conversion: OpenConversion, started: StreamPipeline | undefined): Promise<EncodeResult> {
  const { reader, output, options, internals } = conversion
  const rowGroupSize = options.rowGroupSize ?? STREAM_ROW_GROUP_ROWS
  const { minStreamBytes = MIN_STREAM_BYTES } = internals
  const isAlone = reader.isPlainFile || (options.threads ?? availableParallelism()) === 1
  const rest = isAlone ? undefined : await reader.handOver(minStreamBytes)
  if (rest !== undefined) {
    const pipeline = started ?? new StreamPipeline()
    return encodeInPipeline(conversion, pipeline, rest, rowGroupSize)
  }
  await encodeParquet(reader, output, { ...options, rowGroupSize })
  return { summary: reader.summary, documentBytes: reader.progress.documentBytes, threads: 1 }
}

async function encodeInPipeline(
  { reader, output, options, rejects, reports }: OpenConversion,
  pipeline: StreamPipeline,
  rest: RestOfDocument,
  rowGroupSize: number,
): Promise<EncodeResult> {
  const { columns, warningLog } = reader
  const progress = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT)
  const decoded = new Float64Array(progress)
  reports.watch(() => ({
    ...reader.progress,
    documentBytes: rest.byteOffset + decoded[0]!,
    records: decoded[1]!,
  }))
  const { place, byteOffset, read } = rest
  const job = { ...tableJob(reader, options, progress), place, byteOffset, rowGroupSize }
  const sink = new ParquetSink(reader.schema, output, options)
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
  const { signal: _, onProgress: __, onReject: ___, rejects: ____, ...cloneable } = options
  return {
    header,
    definition,
    options: cloneable,
    limits,
    rowGroups: { compression: options.compression, encodings: options.encodings },
    progress,
  }
}

/** Passes the rejected values of a thread to the rejects file and to `onReject`. */
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
  { source, options, reader, output, rejects, reports }: OpenConversion,
  pool: PiecePool,
): Promise<EncodeResult> {
  const { columns, pieces, warningLog } = reader
  if (pieces === undefined) throw new Error('unreachable: no pieces')
  const { totalBytes = 0 } = reader.progress
  await reader.close()
  const progress = new SharedArrayBuffer(pieces.count * 2 * Float64Array.BYTES_PER_ELEMENT)
  reports.watch(() => progressOf(new Float64Array(progress), pieces.first, totalBytes))
  const { numbersRecords } = reader
  const { recordStart } = pieces
  const job = {
    ...tableJob(reader, options, progress),
    path: source instanceof URL ? fileURLToPath(source) : String(source),
    recordStart,
    numbersRecords,
  }
  const sink = new ParquetSink(reader.schema, output, options)
  const seams = new PieceSeams(pieces.first, numbersRecords)
  const counts = new Counts(columns.length)
  const own = await PieceDecoder.create(job).catch(readInOrder)
  for await (const result of pool.decode(job, pieces, own, options.signal)) {
    seams.add(result)
    tellRejects(result.rejects, counts.records, options, rejects)
    counts.add(result)
    warningLog.merge(result.warnings)
    for (const rowGroup of result.rowGroups) await sink.writeEncoded(rowGroup)
    await rejects?.flush()
  }
  seams.finish()
  await sink.finish(invalidMetadata(options, warningLog), () => reader.emptyBatch())
  return { summary: summaryOf(columns, counts, warningLog), documentBytes: totalBytes, threads: pool.threads }
}

/** Sums the counts of the pieces, per column. */
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

/** Sums the progress of the pieces: two float64 per piece, bytes decoded and records read. */
function progressOf(pieces: Float64Array, first: number, totalBytes: number): ReadProgress {
  let documentBytes = first
  let records = 0
  for (let i = 0; i < pieces.length; i += 2) {
    documentBytes += pieces[i]!
    records += pieces[i + 1]!
  }
  return { bytesRead: documentBytes, totalBytes, documentBytes, records }
}
