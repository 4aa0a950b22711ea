/** One pass over an export: read, decoded and written, on the threads that it is given. */

import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Conversion, ConversionThreads, ConvertOptions, ConvertResult, OutputFormat } from './convert-options.ts'
import type { AnswerCounts } from './decode/table.ts'
import type { DecodedCounts, TableJob } from './parallel/messages.ts'
import { PieceDecoder } from './parallel/piece-decoder.ts'
import { type PiecePool, PieceSeams, readInOrder } from './parallel/piece-pool.ts'
import { rejectedValues } from './parallel/reject-lines.ts'
import { StreamPipeline } from './parallel/stream-pipeline.ts'
import { isWorthAPool } from './parallel/worth.ts'
import { type ExportReader, type ReadProgress, type ReadSummary, type RestOfDocument, readExport } from './reader.ts'
import type { ColumnPlan } from './schema.ts'
import { closing } from './sinks/batch-reader.ts'
import { encodeIpc } from './sinks/ipc.ts'
import { type Output, writeOutput } from './sinks/output.ts'
import { encodeParquet, ParquetSink, requireParquetOptions } from './sinks/parquet.ts'
import { type RejectSink, type RejectsFile, withRejects } from './sinks/rejects-file.ts'
import { requireRejects } from './sinks/rejects-path.ts'
import { SourceState } from './source-state.ts'
import { invalidCounts, invalidMetadata } from './table-plan.ts'
import type { WarningLog } from './warnings.ts'

/** @throws ReadInOrder when the threads cannot share the export: without them, it is read in order. */
export async function convertOnce(
  conversion: Conversion,
  { pool, pipeline }: ConversionThreads,
): Promise<ConvertResult> {
  const { source, target, format, options, internals } = conversion
  const { smallestPoolBytes, fewestRecordsToCut } = internals
  requireParquetOptions(options)
  requireRejects(options, { export: source, output: target })
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
        fewestRecordsToCut,
        uncutBatchSize: format === 'parquet' ? STREAM_ROW_GROUP_ROWS : undefined,
        rejects,
      },
    )
    await closing(reader, async () => {
      options.watch?.(() => reader.progress)
      columnCount = reader.schema.fields.length
      const { columns, pieces } = reader
      const { totalBytes = 0 } = reader.progress
      const isShared = pieces !== undefined && isWorthAPool(totalBytes, columns.length, smallestPoolBytes)
      // Not waited for: a thread that loads its code ends when it has.
      if (!isShared) void pool?.close()
      if (isShared && pool !== undefined) {
        const { summary, documentBytes } = await encodeInPieces(pool, reader, output, conversion, rejects)
        result = { format, columns, documentBytes, threads: pool.threads, summary }
      } else if (pieces === undefined && format === 'parquet') {
        result = { format, columns, ...(await encodeStream(reader, output, conversion, pipeline, rejects)) }
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
  const sink = new ParquetSink(reader.schema, output, options)
  reader.recycle()
  for await (const batch of reader) {
    await sink.write([batch])
    reader.recycle()
  }
  await sink.finish(reader.finalMetadata, () => reader.emptyBatch())
}

/** Rows of a row group of what cannot be cut: fewer than otherwise, so that encoding does not wait for the end. */
const STREAM_ROW_GROUP_ROWS = 65_536

/** Shorter streams are done before a worker has loaded its code. */
const SMALLEST_STREAM_BYTES = 4 * 2 ** 20

type StreamResult = Pick<ConvertResult, 'summary' | 'documentBytes' | 'threads'>

/** What cannot be cut: a stream, which another thread converts, or a file, whose reading takes none. */
async function encodeStream(
  reader: ExportReader,
  output: Output,
  { options, internals }: Conversion,
  started: StreamPipeline | undefined,
  rejects: RejectSink | undefined,
): Promise<StreamResult> {
  const rowGroupSize = options.rowGroupSize ?? STREAM_ROW_GROUP_ROWS
  const { smallestStreamBytes = SMALLEST_STREAM_BYTES } = internals
  const isAlone = reader.isPlainFile || (options.threads ?? availableParallelism()) === 1
  const rest = isAlone ? undefined : await reader.handOver(smallestStreamBytes)
  if (rest !== undefined) {
    const pipeline = started ?? new StreamPipeline()
    return encodeInPipeline(pipeline, reader, rest, output, { ...options, rowGroupSize }, rejects)
  }
  await encodeParquet(reader, output, { ...options, rowGroupSize })
  return { summary: reader.summary, documentBytes: reader.progress.documentBytes, threads: 1 }
}

async function encodeInPipeline(
  pipeline: StreamPipeline,
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
  const { signal: _, watch: __, onReject: ___, rejects: ____, ...cloneable } = options
  return {
    header,
    definition,
    options: cloneable,
    limits,
    rowGroups: { compression: options.compression, encodings: options.encodings },
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
  { source, options }: Conversion,
  rejects: RejectSink | undefined,
): Promise<{ summary: ReadSummary; documentBytes: number }> {
  const { columns, pieces, warningLog } = reader
  if (pieces === undefined) throw new Error('unreachable: no pieces')
  const { totalBytes = 0 } = reader.progress
  await reader.close()
  const progress = new SharedArrayBuffer(pieces.count * 2 * Float64Array.BYTES_PER_ELEMENT)
  options.watch?.(() => progressOf(new Float64Array(progress), pieces.first, totalBytes))
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
  const own = await PieceDecoder.for(job).catch(readInOrder)
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
