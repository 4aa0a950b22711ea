/**
 * Decodes the export as one JSON document: its top-level members, and the records among them.
 *
 * Synchronous and without I/O. `step` reads on from the cursor's window until the caller has to do something: give more
 * input, build the columns, take a batch, or give the records a second time because they came before their definition.
 */

import type { RecordBatch, Schema } from 'apache-arrow'
import { type Definition, definitionFromJson, type ExportHeader, headerFromJson } from '../definition.ts'
import { DefinitionError, type Place } from '../errors.ts'
import { CLOSE_ARRAY, CLOSE_OBJECT, OPEN_ARRAY, OPEN_OBJECT } from '../json/bytes.ts'
import { Cursor, NEED_MORE } from '../json/cursor.ts'
import { type InputLimits, limitError, limitOf, requireFewContainers } from '../limits.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import type { WarningLog } from '../warnings.ts'
import { FastPath } from './fast-path.ts'
import { DecoderMemory } from './kernel/memory.ts'
import {
  BYTE_ORDER_MARK_BYTES,
  emptyInputError,
  foreignFormatError,
  hasByteOrderMark,
  hasTextLine,
  MAX_MAGIC_BYTES,
  markupError,
  textLine,
  textLineError,
} from './magic.ts'
import { RecordNotes } from './notes.ts'
import { RecordDecoder } from './records.ts'
import type { RejectLog } from './rejects.ts'
import { type AnswerCounts, BatchBuilder } from './table.ts'

/**
 * Why `step` stopped:
 * - `more`: the window holds no complete token, record or member; give a longer one, or set `isLast`.
 * - `columns`: definition and header are known; call `begin`.
 * - `rewind`: they are known now, but the records came before them; call `begin`, then give the document again from
 *   `recordsOffset` on.
 * - `batch`: a batch is complete; call `takeBatch`.
 * - `cut`: the records of the piece that `beginPiece` began are complete, the cursor is at the next record.
 * - `end`: the document is complete.
 */
export type Step = 'more' | 'columns' | 'rewind' | 'batch' | 'cut' | 'end'

export interface BatchLimits {
  /** Most rows of a batch. */
  rows: number
  /**
   * Document offsets at which a batch ends, whatever its size; a record belongs where its first byte is. Every batch,
   * including its dictionaries, then depends on its own records alone.
   */
  cuts?: Cuts | undefined
  /** Bytes of JSON that a batch is likely to have, if known; used to estimate the room for its rows. */
  batchBytes?: number | undefined
  /** Bytes of text and list elements after which a batch ends (checked about once per MiB of JSON). */
  variableBytes: number
}

/** Document offsets `first + k * stride`, k = 1, 2, 3 … */
export interface Cuts {
  readonly first: number
  readonly stride: number
}

type State =
  | 'start'
  | 'first-member'
  | 'member'
  | 'after-member'
  | 'open-records'
  | 'first-record'
  | 'record'
  | 'after-record'
  | 'after-document'
  | 'end'

/** State in which one decoder stops and another one goes on. Can be cloned to another thread. */
export interface DecoderState {
  readonly state: State
  readonly recordsOffset: number
  readonly isSecondPass: boolean
}

/** Bytes of JSON between two checks of the batch's size. */
const BYTES_BETWEEN_CHECKS = 1 << 20

/** Rows from which the size of the others can be estimated. */
const MIN_ROWS_TO_ESTIMATE = 64
/** Too much room costs no memory until it is written; too little costs a copy. */
const ESTIMATE_MARGIN = 1.1

const LESS_THAN = 0x3c

const ONE_DOCUMENT =
  'the end of the document (an export is one JSON document, neither JSON lines nor several files put together)'

const EXPORT_OBJECT = 'a JSON object with "definition" and "records"'

const HEADER_KEYS: ReadonlySet<string> = new Set(['id', 'datasetId', 'exportOptions', 'exportDate', 'lastSyncDate'])

interface RecordOptions {
  /** Whether the fast path is used. Off only in tests that prove that it changes no result. */
  useKernel: boolean
  /** Takes the values that do not fit; without it, they are errors. */
  rejects?: RejectLog | undefined
}

export class DocumentDecoder {
  readonly cursor = new Cursor()
  /** Memory for the windows of the document; the kernel reads windows in it without copying them. */
  readonly memory = new DecoderMemory()
  /** Whether the columns keep the buffers of a finished batch for `recycle`. */
  #keepsBuffers = false
  /** Document offset of the records' `[`. */
  recordsOffset = -1
  readonly #warnings: WarningLog
  readonly #notes: RecordNotes
  /** May be set until the first record is read. */
  limits: BatchLimits
  #inputLimits: InputLimits = {}
  readonly #recordOptions: RecordOptions
  readonly #members = new Map<string, unknown>()
  #state: State = 'start'
  #definition: Definition | undefined
  #builder: BatchBuilder | undefined
  #fastPath: FastPath | undefined
  #records: RecordDecoder | undefined
  /** Whether the records are being read a second time; the members around them were read the first time. */
  #isSecondPass = false
  /** Records that came before the definition and were skipped. */
  #recordsPassed = 0
  /** Document offset at which the batch's size was last checked. */
  #lastCheck = 0
  /** A record that begins at or after this document offset belongs to the next batch. */
  #nextCut = Number.POSITIVE_INFINITY
  #stopsAtCut = false

  constructor(limits: BatchLimits, recordOptions: RecordOptions, warnings: WarningLog) {
    this.limits = limits
    this.#recordOptions = recordOptions
    this.#warnings = warnings
    this.#notes = new RecordNotes(warnings)
    this.cursor.place = () => this.#place()
    this.cursor.recordsRead = () => this.recordsRead
  }

  /** Sets the limits against hostile input; before that, the defaults apply. */
  limitInput(limits: InputLimits): void {
    this.#inputLimits = limits
    this.cursor.maxNesting = limitOf(limits, 'maxNesting')
    this.cursor.maxKeyBytes = limitOf(limits, 'maxKeyBytes')
  }

  /** Complete records so far. */
  get recordsRead(): number {
    return this.#builder?.records ?? this.#recordsPassed
  }

  /** The definition, which is known from the step `columns` or `rewind` on. */
  get definition(): Definition {
    if (this.#definition === undefined) throw new Error('unreachable: the definition was not read yet')
    return this.#definition
  }

  get header(): ExportHeader {
    return headerFromJson(this.#members)
  }

  /** Whether the cursor stands at or in a record, so that a window need not hold more than one record. */
  get isAmongRecords(): boolean {
    return this.#state === 'record' || this.#state === 'after-record'
  }

  /**
   * Refuses to wait for more of a record or member that is too long already.
   * @throws LimitError `ERR_LIMIT`, naming the option that raises the limit.
   */
  requireWithinLimits(): void {
    const { cursor, isAmongRecords } = this
    this.#requireLength(isAmongRecords ? 'maxRecordBytes' : 'maxDefinitionBytes', cursor.pos, cursor.end)
  }

  #requireLength(name: 'maxRecordBytes' | 'maxDefinitionBytes', start: number, end: number): void {
    const maxBytes = limitOf(this.#inputLimits, name)
    if (end - start <= maxBytes) return
    const isRecord = name === 'maxRecordBytes'
    const place = isRecord ? { record: this.recordsRead + 1 } : {}
    const what = isRecord ? 'a record' : 'a member of the document'
    const byteOffset = this.cursor.offsetOf(start)
    throw limitError(name, `${what} of at most ${maxBytes} bytes`, 'a longer one', { ...place, byteOffset })
  }

  /** Whether `begin` was called. */
  get hasColumns(): boolean {
    return this.#builder !== undefined
  }

  /** Returns the counts of one column over the batches taken so far. */
  countsOf(columnIndex: number): AnswerCounts {
    return this.#builder?.countsOf(columnIndex) ?? { answered: 0, skipped: 0, invalid: 0, notAsked: 0 }
  }

  /** Sets the columns that the records are read into. */
  begin(plans: readonly ColumnPlan[], schema: Schema): void {
    const builder = new BatchBuilder(plans, schema, this.#notes)
    if (this.#keepsBuffers) builder.keepBuffers()
    this.#builder = builder
    const { fields } = this.definition
    const { useKernel, rejects } = this.#recordOptions
    const { maxKeyBytes, maxNesting } = this.cursor
    const maxRecordBytes = limitOf(this.#inputLimits, 'maxRecordBytes')
    const limits = { maxRecordBytes, maxKeyBytes, maxNesting }
    this.#fastPath = new FastPath(this.cursor, builder, fields, this.memory, limits, useKernel)
    this.#records = new RecordDecoder(this.cursor, builder, fields, this.#notes, this.#fastPath, rejects)
    this.#moveCut(this.recordsOffset)
    if (this.#state !== 'end') return
    this.#isSecondPass = true
    this.#state = 'open-records'
  }

  /**
   * Sets the columns for a piece of the document: the records from `offset`, where one begins, up to the first one that
   * begins at or after `end`. Another decoder has read everything before the piece.
   */
  beginPiece(definition: Definition, plans: readonly ColumnPlan[], schema: Schema, offset: number, end: number): void {
    this.#definition = definition
    this.recordsOffset = offset
    if (this.#builder === undefined) this.begin(plans, schema)
    else this.#builder.restart()
    this.#moveCut(offset)
    this.#nextCut = end
    this.#stopsAtCut = true
    this.#state = 'record'
  }

  /** State of this decoder, for `beginAt` of another one. */
  get place(): DecoderState {
    return { state: this.#state, recordsOffset: this.recordsOffset, isSecondPass: this.#isSecondPass }
  }

  /** Sets the columns and goes on where another decoder stopped, before its first record. */
  beginAt(place: DecoderState, definition: Definition, plans: readonly ColumnPlan[], schema: Schema): void {
    this.#definition = definition
    this.recordsOffset = place.recordsOffset
    this.begin(plans, schema)
    this.#isSecondPass = place.isSecondPass
    this.#state = place.state
  }

  /** Returns the complete rows as a batch and begins the next batch. */
  takeBatch(): RecordBatch {
    if (this.#builder === undefined) throw new Error('unreachable: no batch before the columns')
    this.#fastPath?.flush()
    const batch = this.#builder.finishBatch()
    if (this.limits.cuts !== undefined) this.#builder.forgetUnknownOptions()
    return batch
  }

  /** Makes the columns keep the buffers of each batch from now on, so that `recycle` can reuse them. */
  keepBuffers(): void {
    this.#keepsBuffers = true
    this.#builder?.keepBuffers()
  }

  /** Reuses the buffers of the last batch, which must not be read any more (see `columns/column.ts`). */
  recycle(): void {
    this.#builder?.recycle()
  }

  /** Reads from the cursor's window until the caller has to do something, and returns what that is. */
  step(): Step {
    const { cursor } = this
    let resume = cursor.pos
    try {
      for (;;) {
        const step = this.#readNext()
        if (step !== undefined) return step
        resume = cursor.pos
      }
    } catch (error) {
      if (error !== NEED_MORE) throw error
      cursor.pos = resume
      this.#records?.rollback()
      this.#fastPath?.leaveWindow()
      return 'more'
    }
  }

  /** Reads a token, member or record, or several records. Until it is complete, only the cursor changes. */
  #readNext(): Step | undefined {
    const { cursor } = this
    switch (this.#state) {
      case 'record':
        return cursor.offsetOf(cursor.pos) >= this.#nextCut ? this.#cut() : this.#readRecord()
      case 'after-record':
        this.#state = cursor.nextOf(CLOSE_ARRAY) ? 'record' : this.#stateAfterRecords()
        return undefined
      case 'start':
        return this.#readStart()
      case 'first-member':
        this.#state = this.#closesAtOnce(CLOSE_OBJECT) ? 'after-document' : 'member'
        return undefined
      case 'member':
        return this.#readMember()
      case 'after-member':
        this.#state = cursor.nextOf(CLOSE_OBJECT) ? 'member' : 'after-document'
        return undefined
      case 'open-records':
        cursor.expect(OPEN_ARRAY)
        this.#state = 'first-record'
        return undefined
      case 'first-record':
        this.#state = this.#closesAtOnce(CLOSE_ARRAY) ? this.#stateAfterRecords() : 'record'
        return undefined
      case 'after-document':
        return this.#readTrailingSpace()
      case 'end':
        return (this.#builder?.row ?? 0) > 0 ? 'batch' : 'end'
    }
  }

  #readRecord(): Step | undefined {
    const { cursor } = this
    const builder = this.#builder
    const start = cursor.pos
    const fastPath = this.#fastPath
    if (builder === undefined || fastPath === undefined || this.#records === undefined) {
      cursor.skipValue()
      this.#requireLength('maxRecordBytes', start, cursor.pos)
      this.#recordsPassed++
      this.#state = 'after-record'
      return undefined
    }
    const { row } = builder
    const stop = fastPath.readRecords(this.limits.rows - row, this.#nextCut, this.#lastCheck + BYTES_BETWEEN_CHECKS)
    if (stop === undefined) {
      this.#records.decode()
      this.#requireLength('maxRecordBytes', start, cursor.pos)
      this.#records.commit()
    } else if (builder.records === builder.row && row < MIN_ROWS_TO_ESTIMATE) {
      this.#expectRows(builder)
    }
    const isAfterRecord = stop !== 'before'
    if (isAfterRecord) this.#state = 'after-record'
    // Before a record, no check is due: the previous record ended too early, whatever white space is in between.
    const isFull = builder.row >= this.limits.rows || (isAfterRecord && this.#isFullOfBytes(builder, fastPath))
    return isFull ? 'batch' : undefined
  }

  /** Makes room for the first batch, estimated from its first rows. Later batches use the sizes of the one before. */
  #expectRows(builder: BatchBuilder): void {
    const { batchBytes, rows: maxRows } = this.limits
    if (batchBytes === undefined || builder.row < MIN_ROWS_TO_ESTIMATE) return
    const bytesPerRow = (this.cursor.offsetOf(this.cursor.pos) - this.recordsOffset) / builder.row
    const rows = Math.min(maxRows, Math.ceil((batchBytes / bytesPerRow) * ESTIMATE_MARGIN))
    builder.expectRows(rows)
    this.#fastPath?.flush()
    builder.expectElements(rows)
  }

  /** Checks the batch's size now and then, at offsets that depend on the document alone, so that batches do, too. */
  #isFullOfBytes(builder: BatchBuilder, fastPath: FastPath): boolean {
    const offset = this.cursor.offsetOf(this.cursor.pos)
    if (offset - this.#lastCheck < BYTES_BETWEEN_CHECKS) return false
    this.#lastCheck = offset
    return builder.variableBytes + fastPath.variableBytes >= this.limits.variableBytes
  }

  #cut(): Step | undefined {
    if ((this.#builder?.row ?? 0) > 0) return 'batch'
    if (this.#stopsAtCut) return 'cut'
    this.#moveCut(this.cursor.offsetOf(this.cursor.pos))
    return undefined
  }

  /**
   * Sets the next cut to the first one after `offset`; the bytes between checks of the batch's size count from there.
   */
  #moveCut(offset: number): void {
    const { cuts } = this.limits
    this.#lastCheck = Math.max(offset, cuts?.first ?? 0)
    if (cuts === undefined) return
    const passed = Math.max(0, Math.floor((offset - cuts.first) / cuts.stride))
    this.#nextCut = cuts.first + (passed + 1) * cuts.stride
  }

  #stateAfterRecords(): State {
    return this.#isSecondPass ? 'end' : 'after-member'
  }

  #readStart(): undefined {
    const { cursor } = this
    const start = cursor.bytes.subarray(cursor.pos, cursor.end)
    if (start.length < MAX_MAGIC_BYTES && !cursor.isLast) throw NEED_MORE
    const foreign = foreignFormatError(start)
    if (foreign !== undefined) throw foreign
    if (hasByteOrderMark(start)) cursor.pos += BYTE_ORDER_MARK_BYTES
    const byte = cursor.skipWhitespace()
    if (byte !== OPEN_OBJECT) {
      if (cursor.pos >= cursor.end && cursor.isLast) throw emptyInputError()
      if (byte === LESS_THAN) throw markupError()
      // An array may be long, and its start says enough.
      if (byte === OPEN_ARRAY) throw notAnExport(EXPORT_OBJECT, 'a JSON array')
      const rest = cursor.bytes.subarray(cursor.pos, cursor.end)
      if (!cursor.isLast && !hasTextLine(rest)) throw NEED_MORE
      const line = textLine(rest)
      if (line !== undefined) throw textLineError(line)
      cursor.skipValue()
      throw notAnExport(EXPORT_OBJECT, 'another JSON value')
    }
    cursor.pos++
    this.#state = 'first-member'
  }

  /** Whether the array or object that was just opened is empty; if so, moves past its closing bracket. */
  #closesAtOnce(close: number): boolean {
    const { cursor } = this
    const byte = cursor.skipWhitespace()
    if (cursor.pos >= cursor.end) cursor.fail(close === CLOSE_ARRAY ? 'a value or "]"' : 'a key or "}"')
    if (byte !== close) return false
    cursor.pos++
    return true
  }

  #readMember(): Step | undefined {
    const { cursor } = this
    const keyStart = cursor.pos
    const key = cursor.readKey()
    if (key === 'records') return this.#enterRecords(keyStart)
    const start = cursor.pos
    cursor.containers = 0
    cursor.skipValue()
    this.#requireLength('maxDefinitionBytes', keyStart, cursor.pos)
    if (key === 'definition') this.#readDefinition(this.#parseValue(start), keyStart)
    else if (HEADER_KEYS.has(key)) this.#members.set(key, this.#parseValue(start))
    this.#state = 'after-member'
    return undefined
  }

  /** Returns the value of the member that was just skipped. */
  #parseValue(start: number): unknown {
    const { cursor } = this
    requireFewContainers(this.#inputLimits, cursor.containers, { byteOffset: cursor.offsetOf(start) })
    return JSON.parse(cursor.text(start, cursor.pos))
  }

  #readDefinition(value: unknown, keyStart: number): void {
    if (this.#definition !== undefined) throw this.#repeatedMember('definition', keyStart)
    this.#definition = definitionFromJson(value, this.#warnings, this.#inputLimits)
  }

  #enterRecords(keyStart: number): Step | undefined {
    const { cursor } = this
    if (this.recordsOffset >= 0) throw this.#repeatedMember('records', keyStart)
    const start = cursor.pos
    if (cursor.bytes[start] !== OPEN_ARRAY) {
      cursor.skipValue()
      throw notAnExport('"records" to be an array', 'another JSON value', cursor.offsetOf(start))
    }
    cursor.pos++
    this.recordsOffset = cursor.offsetOf(start)
    this.#state = 'first-record'
    return this.#definition === undefined ? undefined : 'columns'
  }

  #readTrailingSpace(): Step | undefined {
    const { cursor } = this
    cursor.skipWhitespace()
    if (cursor.bytes[cursor.pos] === OPEN_OBJECT) cursor.fail(ONE_DOCUMENT)
    if (cursor.pos < cursor.end) cursor.fail('the end of the document')
    if (!cursor.isLast) throw NEED_MORE
    if (this.#definition === undefined) throw notAnExport('a member "definition"', 'none')
    if (this.recordsOffset < 0) throw notAnExport('a member "records"', 'none')
    this.#state = 'end'
    return this.#builder === undefined ? 'rewind' : undefined
  }

  #repeatedMember(key: string, keyStart: number): DefinitionError {
    return notAnExport(`one member "${key}"`, 'a second one', this.cursor.offsetOf(keyStart))
  }

  #place(): Place {
    if (!this.isAmongRecords) return {}
    return this.#records?.place() ?? { record: this.#recordsPassed + 1 }
  }
}

function notAnExport(expected: string, found: string, byteOffset?: number): DefinitionError {
  const advice = 'is this the JSON file of a batch activity export?'
  return new DefinitionError('ERR_NOT_AN_EXPORT', `expected ${expected}, found ${found}; ${advice}`, { byteOffset })
}
