/** Reads an export as RecordBatches: the asynchronous shell around the synchronous decoder. */

import type { RecordBatch, Schema } from 'apache-arrow'
import { isTooShort, LONG_SAMPLE_BYTES, type Pieces, planPieces, SAMPLE_BYTES } from './decode/cuts.ts'
import { type BatchLimits, type DecoderState, DocumentDecoder, type Step } from './decode/document.ts'
import type { AnswerCounts } from './decode/table.ts'
import type { Definition, ExportHeader } from './definition.ts'
import { OptionError } from './errors.ts'
import { type ByteSource, type ExportSource, openSource } from './input/source.ts'
import { SourceState } from './input/source-state.ts'
import { Spool } from './input/spool.ts'
import { Window } from './input/window.ts'
import { requireGzipRatio, requireLimits } from './limits.ts'
import { requireFunction, requireKnownOptions, requirePositive, requireSignal } from './option-values.ts'
import type { ColumnPlan, InvalidCounts } from './plan/schema.ts'
import { resolveShape } from './shape/options.ts'
import { READ_OPTION_NAMES, type ReadOptions } from './shape/read-options.ts'
import { ShapedBatches } from './shape/shaped-batches.ts'
import {
  batchLimits,
  emptyDecodedBatch,
  invalidCounts,
  invalidMetadata,
  planTable,
  rejectLogOf,
  type TablePlan,
} from './shape/table-plan.ts'
import type { RejectSink } from './sinks/rejects-file.ts'
import { abortError } from './system/abort.ts'
import { type Warning, WarningLog } from './warnings.ts'
import { option, worded } from './wording.ts'

export type { ReadOptions } from './shape/read-options.ts'

/** Progress of a reader. */
export interface ReadProgress {
  /** Bytes read from the source, before decompression. */
  readonly bytesRead: number
  /** Bytes of the source, before decompression; undefined for streams. */
  readonly totalBytes: number | undefined
  /** Decoded bytes of the decompressed document. */
  readonly documentBytes: number
  readonly records: number
}

/** A question's column and the counts of its answers. */
export interface QuestionSummary extends AnswerCounts {
  readonly column: ColumnPlan
}

export interface ReadSummary {
  readonly records: number
  readonly questions: readonly QuestionSummary[]
  /** Values left out with `onInvalid: 'null'`, including later answers of a record that differ from its first one. */
  readonly invalid: InvalidCounts
  readonly warnings: readonly Warning[]
}

/**
 * Options for `convert/` and for tests.
 * @internal
 */
export interface ReaderInternals {
  /** Bytes of the document decoded at a time; grows for longer records. Default: 1 MiB. */
  windowBytes?: number | undefined
  /**
   * Cuts a plain file into batches at the same offsets as threads that share it do, so that the output is the same.
   * Default: false.
   */
  inPieces?: boolean | undefined
  /** Minimum number of records (estimated) for a file to be cut. Default: 32,768. */
  minRecordsToCut?: number | undefined
  /**
   * Maximum rows of a batch if the input is not cut and `batchSize` is not given. Default: the same as for other
   * batches.
   */
  uncutBatchSize?: number | undefined
  /** Whether answers may be read by the WASM kernel; if not, the general path reads all of them. Default: true. */
  useKernel?: boolean | undefined
  /** Gets the rejected values, as `onReject` does, and is awaited while it writes them. */
  rejects?: RejectSink | undefined
}

const WINDOW_BYTES = 2 ** 20

/**
 * Pieces have about the same number of bytes, not of records: some may have up to this many times the planned records.
 */
const PIECE_TOLERANCE = 1.5

/**
 * Opens an export and reads up to its first record.
 *
 * @param source A path, a `file:` URL, bytes, or a stream of bytes; gzip is recognised and decompressed.
 * @returns A reader with a known `definition` and `schema`; iterate it once for the RecordBatches.
 * @throws SourceError if the source cannot be read, JsonSyntaxError or DefinitionError if it is not an export,
 *   OptionError for an invalid option. Iterating throws the same, and ValueError for answers that do not fit.
 */
export async function readExport(source: ExportSource, options: ReadOptions = {}): Promise<ExportReader> {
  requireKnownOptions(options, READ_OPTION_NAMES)
  return openReader(source, options)
}

/**
 * `readExport` for callers whose options include others than those of the reader.
 * @internal
 */
export async function openReader(
  source: ExportSource,
  options: ReadOptions,
  internals: ReaderInternals = {},
): Promise<ExportReader> {
  requireFunction('onReject', options.onReject)
  requireSignal(options.signal)
  requirePositive('batchSize', options.batchSize)
  requireLimits(options)
  requireRejects(resolveShape(options), options)
  const state = new SourceState(source)
  const input = new DocumentInput(await openSource(source, options.signal), state, options, internals)
  try {
    const step = await input.advance()
    const { decoder, warnings } = input
    const plan = await planTable(decoder.definition, decoder.header, options, warnings)
    const limits = batchLimits(plan.columns, options.batchSize, plan.shape.moreBytesPerRow)
    const mayCut = internals.inPieces === true && step === 'columns'
    // A given number of rows is never exceeded; by default, pieces may be somewhat larger than other batches.
    const pieceRows = options.batchSize === undefined ? Math.ceil(limits.rows * PIECE_TOLERANCE) : limits.rows
    const pieces = mayCut ? await input.planPieces(pieceRows / PIECE_TOLERANCE, internals.minRecordsToCut) : undefined
    const uncutRows = Math.min(
      limits.rows,
      (options.batchSize === undefined && internals.uncutBatchSize) || limits.rows,
    )
    decoder.limits =
      pieces === undefined ? { ...limits, rows: uncutRows } : { ...limits, rows: pieceRows, cuts: pieces }
    decoder.limits.batchBytes = pieces?.stride ?? input.recordsBytes
    decoder.begin(plan.columns, plan.decodedSchema)
    if (step === 'rewind') await input.rewind()
    return new ExportReader(input, plan, pieces)
  } catch (error) {
    await input.close()
    throw state.explain(error)
  }
}

export class ExportReader implements AsyncIterable<RecordBatch> {
  readonly definition: Definition
  readonly header: ExportHeader
  readonly schema: Schema
  /** Plans of the decoded columns; the same as the columns of `schema` unless options shape the table. */
  readonly columns: readonly ColumnPlan[]
  /** @internal */
  readonly pieces: Pieces | undefined
  readonly #input: DocumentInput
  readonly #plan: TablePlan
  readonly #batches: ShapedBatches
  #isStarted = false
  #isClosed = false

  /** @internal */
  constructor(input: DocumentInput, plan: TablePlan, pieces: Pieces | undefined) {
    this.#input = input
    this.#plan = plan
    this.#batches = new ShapedBatches(plan.shape, input.decoder)
    this.columns = plan.columns
    this.schema = plan.shape.schema
    this.pieces = pieces
    this.definition = input.decoder.definition
    this.header = input.decoder.header
  }

  /**
   * Whether the source is a plain file: it is read fast, by threads that are not JavaScript's.
   * @internal
   */
  get isPlainFile(): boolean {
    return this.#input.isPlainFile
  }

  /** @internal */
  get numbersRecords(): boolean {
    return this.#plan.shape.numbersRecords
  }

  /** @internal */
  get batchLimits(): BatchLimits {
    return this.#input.decoder.limits
  }

  /** @internal */
  get warningLog(): WarningLog {
    return this.#input.warnings
  }

  /** Warnings so far; complete when the iteration has ended. */
  get warnings(): readonly Warning[] {
    return this.#input.warnings.list()
  }

  /** Metadata of the table that is known only at its end, in addition to the schema's. */
  get finalMetadata(): ReadonlyMap<string, string> {
    return this.#input.finalMetadata
  }

  get progress(): ReadProgress {
    return this.#input.progress
  }

  /**
   * Returns a batch without rows that carries the dictionaries, for a file that has no records. Does not advance the
   * reader.
   * @internal
   */
  emptyBatch(): RecordBatch | undefined {
    const [batch] = this.#plan.shape.apply(emptyDecodedBatch(this.#plan), 0)
    return batch
  }

  /**
   * Hands the rest of the document over to another decoder. Returns undefined if fewer than `atLeast` bytes are left;
   * this reader can still be iterated then.
   * @internal
   */
  async handOver(atLeast: number): Promise<RestOfDocument | undefined> {
    return this.#input.handOver(atLeast)
  }

  /** Counts of the batches read so far; complete when the iteration has ended. */
  get summary(): ReadSummary {
    const { decoder } = this.#input
    const questions = this.columns
      .map((column, i) => ({ column, ...decoder.countsOf(i) }))
      .filter(({ column }) => column.source === 'field')
    const { recordsRead: records } = decoder
    return { records, questions, invalid: invalidCounts(this.#input.warnings), warnings: this.warnings }
  }

  /** Yields the batches, once. Each has its own buffers. At most one window is read ahead of the consumer. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    if (this.#isStarted) throw new Error('an export reader can be iterated only once; call readExport again')
    if (this.#isClosed) throw new Error('an export reader that is closed cannot be iterated; call readExport again')
    this.#isStarted = true
    try {
      while ((await this.#input.advance()) === 'batch') {
        yield* this.#batches.of(this.#input.decoder.takeBatch())
        if (this.pieces !== undefined) this.#plan.shape.forgetUnknownOptions()
      }
    } finally {
      await this.close()
    }
  }

  /**
   * Releases the batches yielded so far, which must not be read any more; their buffers are reused.
   * @internal
   */
  recycle(): void {
    this.#batches.release()
  }

  /** Closes the source. The end of an iteration does so too. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#input.close()
  }

  /** Calls `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/**
 * The rest of a document, for another decoder.
 * @internal
 */
export interface RestOfDocument {
  readonly place: DecoderState
  /** Offset in the document at which `read` begins. */
  readonly byteOffset: number
  readonly read: ByteSource['read']
}

/** Reads a document from its source into the decoder's window. */
class DocumentInput {
  readonly decoder: DocumentDecoder
  readonly warnings = new WarningLog()
  readonly #options: ReadOptions
  readonly #rejects: RejectSink | undefined
  readonly #window: Window
  readonly #state: SourceState
  #source: ByteSource
  #spool: Spool | undefined
  #isClosed = false

  constructor(source: ByteSource, state: SourceState, options: ReadOptions, internals: ReaderInternals) {
    this.#source = source
    this.#state = state
    this.#options = options
    this.#rejects = internals.rejects
    const rejects = rejectLogOf(options, (value) => {
      internals.rejects?.add(value)
      options.onReject?.(value)
    })
    this.decoder = new DocumentDecoder(
      batchLimits([], undefined),
      { useKernel: internals.useKernel ?? true, rejects },
      this.warnings,
    )
    this.decoder.limitInput(options)
    const { cursor, memory } = this.decoder
    this.#window = new Window(cursor, source, internals.windowBytes ?? WINDOW_BYTES, (bytes) => memory.window(bytes))
  }

  get finalMetadata(): ReadonlyMap<string, string> {
    return invalidMetadata(this.#options, this.warnings)
  }

  get progress(): ReadProgress {
    const { bytesRead, totalBytes } = this.#source
    const { cursor } = this.decoder
    return { bytesRead, totalBytes, documentBytes: cursor.offsetOf(cursor.pos), records: this.decoder.recordsRead }
  }

  get isPlainFile(): boolean {
    return this.#source.peek !== undefined
  }

  /** Estimates the bytes of the records, to size buffers; undefined if unknown. Too low for gzip, whose bytes are packed. */
  get recordsBytes(): number | undefined {
    const { totalBytes, reopen } = this.#source
    if (totalBytes === undefined || reopen === undefined) return undefined
    const bytes = totalBytes - this.decoder.recordsOffset
    return bytes > 0 ? bytes : undefined
  }

  /** Reads on until the caller has to do something, and returns what that is. */
  async advance(): Promise<Exclude<Step, 'more'>> {
    try {
      const step = await this.#readOn()
      if (step === 'end') this.#state.requireUnchanged()
      return step
    } catch (error) {
      throw this.#state.explain(error)
    }
  }

  async #readOn(): Promise<Exclude<Step, 'more'>> {
    const { signal } = this.#options
    for (;;) {
      if (signal?.aborted) throw abortError(signal)
      const step = this.decoder.step()
      await this.#rejects?.flush()
      if (step !== 'more') return step
      await this.#fill()
    }
  }

  /** Goes back to the start of the records, which came before their definition. */
  async rewind(): Promise<void> {
    const { cursor, recordsOffset } = this.decoder
    const rest = cursor.bytes.slice(recordsOffset - cursor.baseOffset, cursor.end)
    const { reopen } = this.#source
    const { signal } = this.#options
    await this.#source.close()
    if (this.#spool !== undefined) this.#source = this.#spool.read(signal)
    else this.#source = reopen === undefined ? await openSource(rest, signal) : await reopen(recordsOffset)
    this.#window.restart(this.#source, recordsOffset)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#source.close()
    await this.#spool?.close()
  }

  async #fill(): Promise<void> {
    this.decoder.requireWithinLimits()
    await this.#startSpoolIfNeeded()
    // Once there are columns, the spool itself is being read.
    const spool = this.decoder.hasColumns ? undefined : this.#spool
    await this.#window.advance(spool === undefined ? undefined : (bytes) => spool.write(bytes))
    this.#requireGzipRatio(this.decoder.cursor.offsetOf(this.decoder.cursor.end))
  }

  /** Starts to keep a stream on disk from its records on, if they come before their definition. */
  async #startSpoolIfNeeded(): Promise<void> {
    const { cursor, recordsOffset, hasColumns } = this.decoder
    if (recordsOffset < 0 || hasColumns || this.#spool !== undefined || this.#source.reopen !== undefined) return
    this.#spool = new Spool()
    await this.#spool.write(cursor.bytes.subarray(recordsOffset - cursor.baseOffset, cursor.end))
  }

  async handOver(atLeast: number): Promise<RestOfDocument | undefined> {
    const { cursor, place } = this.decoder
    const byteOffset = cursor.offsetOf(cursor.pos)
    const readOn = this.#window.rest()
    const start = await readUpTo(readOn, atLeast)
    const held = await openSource(start)
    if (start.length < atLeast) {
      this.#window.restart(held, byteOffset)
      return undefined
    }
    let documentBytes = byteOffset
    const read = async (target: Uint8Array) => {
      const got = (await held.read(target)) || (await readOn(target))
      documentBytes += got
      this.#requireGzipRatio(documentBytes)
      return got
    }
    return { place, byteOffset, read }
  }

  #requireGzipRatio(documentBytes: number): void {
    const { isCompressed, bytesRead } = this.#source
    if (isCompressed) requireGzipRatio(this.#options, bytesRead, documentBytes)
  }

  /** Plans where a plain file is cut; returns undefined if it is not to be cut. */
  async planPieces(records: number, minRecords: number | undefined): Promise<Pieces | undefined> {
    const { peek, totalBytes } = this.#source
    if (peek === undefined || totalBytes === undefined) return undefined
    const { recordsOffset } = this.decoder
    let sample = await peek(recordsOffset, SAMPLE_BYTES)
    if (isTooShort(sample)) sample = await peek(recordsOffset, LONG_SAMPLE_BYTES)
    return planPieces(sample, recordsOffset, totalBytes, records, minRecords)
  }
}

/** Reads `count` bytes; fewer only at the end. */
async function readUpTo(read: ByteSource['read'], count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count)
  let length = 0
  for (let got = 1; got > 0 && length < count; length += got) got = await read(bytes.subarray(length))
  return bytes.subarray(0, length)
}

function requireRejects({ onInvalid }: { onInvalid: string }, { onReject }: ReadOptions): void {
  if (onReject === undefined || onInvalid === 'null') return
  throw new OptionError(
    'ERR_OPTION',
    worded`${option('onReject')} needs ${option('onInvalid', 'null')}: otherwise the first invalid value is an error`,
  )
}
