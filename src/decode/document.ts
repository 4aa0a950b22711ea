/**
 * The export as one JSON document: its top-level members, and where `records` is among them.
 *
 * Synchronous and without I/O. `step` reads on from the cursor's window until something is to be done by the caller:
 * give more input, build the columns, take a batch, or give the records a second time because they stood before their
 * definition.
 */

import type { RecordBatch, Schema } from 'apache-arrow'
import { type Definition, definitionFromJson, type ExportHeader, headerFromJson } from '../definition.ts'
import { DefinitionError, type Place } from '../errors.ts'
import { CLOSE_ARRAY, CLOSE_OBJECT, OPEN_ARRAY, OPEN_OBJECT } from '../json/bytes.ts'
import { Cursor, NEED_MORE } from '../json/cursor.ts'
import { beyondLimit, type InputLimits, limitOf, requireFewContainers } from '../limits.ts'
import type { ColumnPlan } from '../schema.ts'
import type { WarningLog } from '../warnings.ts'
import { FastPath } from './fast-path.ts'
import { DecoderMemory } from './kernel/memory.ts'
import {
  BYTE_ORDER_MARK_BYTES,
  emptyInput,
  foreignFormat,
  hasByteOrderMark,
  LONGEST_MAGIC_BYTES,
  markupInsteadOfJson,
} from './magic.ts'
import { RecordNotes } from './notes.ts'
import { RecordDecoder } from './records.ts'
import type { RejectLog } from './rejects.ts'
import { type AnswerCounts, Table } from './table.ts'

/**
 * What `step` stopped for:
 * - `more`: the window holds no complete token, record or member; give a longer one, or set `isLast`.
 * - `columns`: definition and header are known; call `begin`.
 * - `rewind`: they are known now, but the records went by before; call `begin`, then give the document again from
 *   `recordsOffset` on.
 * - `batch`: a batch is complete; call `takeBatch`.
 * - `cut`: the records of the piece that `beginPiece` asked for are complete, the cursor is at the next one.
 * - `end`: the document is complete.
 */
export type Step = 'more' | 'columns' | 'rewind' | 'batch' | 'cut' | 'end'

export interface BatchLimits {
  /** Most rows of a batch. */
  rows: number
  /**
   * Places in the document where a batch ends, whatever its size: each record belongs where its first byte is.
   * Every batch then depends on its own records alone, its dictionaries included.
   */
  cuts?: Cuts | undefined
  /** Bytes of JSON that the batches are likely to have, if known: room is made for as many rows as that. */
  batchBytes?: number | undefined
  /** Bytes of text and list elements after which a batch ends (looked at about once a MiB of JSON). */
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

/** Where in the document a decoder stands. Can be cloned to another thread. */
export interface DecoderPlace {
  readonly state: State
  readonly recordsOffset: number
  readonly isSecondPass: boolean
}

const BYTES_BETWEEN_LOOKS = 1 << 20

/** Rows that tell what the others are like. */
const FEWEST_ROWS_TO_ESTIMATE = 64
/** Room that is not used takes no memory; room that is missing is a copy. */
const ESTIMATE_MARGIN = 1.1

const LESS_THAN = 0x3c

const ONE_DOCUMENT =
  'the end of the document (an export is one JSON document, neither JSON lines nor several files put together)'

const HEADER_KEYS: ReadonlySet<string> = new Set(['id', 'datasetId', 'exportOptions', 'exportDate', 'lastSyncDate'])

interface RecordOptions {
  /** Whether the fast path is used; off only in tests that prove that it changes no result. */
  useKernel: boolean
  /** Takes values that do not fit; without it they are errors. */
  rejects?: RejectLog | undefined
}

export class DocumentDecoder {
  readonly cursor = new Cursor()
  /** Where windows belong, so that they need not be copied. */
  readonly memory = new DecoderMemory()
  /** Whether the caller may give batches back by `recycle`, so that their buffers serve the next one. */
  #recyclesBatches = false
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
  #table: Table | undefined
  #fastPath: FastPath | undefined
  #records: RecordDecoder | undefined
  /** The records are being read a second time; all that stands around them was read the first time. */
  #isSecondPass = false
  /** Records that went by before their definition. */
  #recordsPassed = 0
  /** Document offset at which the batch's size was last looked at. */
  #lastLook = 0
  /** Document offset from which on a record belongs to the next batch. */
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

  /** Sets the caps against hostile input; until then the defaults hold. */
  limitInput(limits: InputLimits): void {
    this.#inputLimits = limits
    this.cursor.maxNesting = limitOf(limits, 'maxNesting')
    this.cursor.maxKeyBytes = limitOf(limits, 'maxKeyBytes')
  }

  /** Complete records so far. */
  get recordsRead(): number {
    return this.#table?.records ?? this.#recordsPassed
  }

  /** Known from the step `columns` or `rewind` on. */
  get definition(): Definition {
    if (this.#definition === undefined) throw new Error('unreachable: the definition was not read yet')
    return this.#definition
  }

  get header(): ExportHeader {
    return headerFromJson(this.#members)
  }

  /** Whether the cursor stands at or in a record, so that a window need not hold more than one of them. */
  get isAmongRecords(): boolean {
    return this.#state === 'record' || this.#state === 'after-record'
  }

  /**
   * Refuses to wait for more of a piece that is too long already.
   * @throws LimitError `ERR_LIMIT` naming the option that raises the limit.
   */
  requireWithinLimits(): void {
    const { cursor, isAmongRecords } = this
    this.#requireLength(isAmongRecords ? 'maxRecordBytes' : 'maxDefinitionBytes', cursor.pos, cursor.end)
  }

  #requireLength(name: 'maxRecordBytes' | 'maxDefinitionBytes', start: number, end: number): void {
    const most = limitOf(this.#inputLimits, name)
    if (end - start <= most) return
    const isRecord = name === 'maxRecordBytes'
    const place = isRecord ? { record: this.recordsRead + 1 } : {}
    const what = isRecord ? 'a record' : 'a member of the document'
    const byteOffset = this.cursor.offsetOf(start)
    throw beyondLimit(name, `${what} of at most ${most} bytes`, 'a longer one', { ...place, byteOffset })
  }

  /** Whether `begin` was called. */
  get hasColumns(): boolean {
    return this.#table !== undefined
  }

  countsOf(columnIndex: number): AnswerCounts {
    return this.#table?.countsOf(columnIndex) ?? { answered: 0, skipped: 0, invalid: 0, notAsked: 0 }
  }

  /** Sets the columns that the records are read into. */
  begin(plans: readonly ColumnPlan[], schema: Schema): void {
    const table = new Table(plans, schema, this.#notes)
    if (this.#recyclesBatches) table.keepBuffers()
    this.#table = table
    const { fields } = this.definition
    const { useKernel, rejects } = this.#recordOptions
    const { maxKeyBytes, maxNesting } = this.cursor
    const maxRecordBytes = limitOf(this.#inputLimits, 'maxRecordBytes')
    const limits = { maxRecordBytes, maxKeyBytes, maxNesting }
    this.#fastPath = new FastPath(this.cursor, table, fields, this.memory, limits, useKernel)
    this.#records = new RecordDecoder(this.cursor, table, fields, this.#notes, this.#fastPath, rejects)
    this.#moveCut(this.recordsOffset)
    if (this.#state !== 'end') return
    this.#isSecondPass = true
    this.#state = 'open-records'
  }

  /**
   * Sets the columns for a piece of the document: the records from `offset`, where one begins, up to the one that is
   * the first to begin at or behind `end`. Everything before was read by somebody else.
   */
  beginPiece(definition: Definition, plans: readonly ColumnPlan[], schema: Schema, offset: number, end: number): void {
    this.#definition = definition
    this.recordsOffset = offset
    if (this.#table === undefined) this.begin(plans, schema)
    else this.#table.restart()
    this.#moveCut(offset)
    this.#nextCut = end
    this.#stopsAtCut = true
    this.#state = 'record'
  }

  /** Where this decoder stands, for another one that goes on with `beginAt`. */
  get place(): DecoderPlace {
    return { state: this.#state, recordsOffset: this.recordsOffset, isSecondPass: this.#isSecondPass }
  }

  /** Sets the columns and goes on where another decoder stopped, before its first record. */
  beginAt(place: DecoderPlace, definition: Definition, plans: readonly ColumnPlan[], schema: Schema): void {
    this.#definition = definition
    this.recordsOffset = place.recordsOffset
    this.begin(plans, schema)
    this.#isSecondPass = place.isSecondPass
    this.#state = place.state
  }

  takeBatch(): RecordBatch {
    if (this.#table === undefined) throw new Error('unreachable: no batch before the columns')
    this.#fastPath?.flush()
    const batch = this.#table.finishBatch()
    if (this.limits.cuts !== undefined) this.#table.forgetUnknownOptions()
    return batch
  }

  /** From now on each batch may be given back by `recycle`. */
  keepBuffers(): void {
    this.#recyclesBatches = true
    this.#table?.keepBuffers()
  }

  /** Says that nobody uses the last batch any more: the next one may have its buffers. */
  recycle(): void {
    this.#table?.recycle()
  }

  step(): Step {
    const { cursor } = this
    let resume = cursor.pos
    try {
      for (;;) {
        const step = this.#readPiece()
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

  /** Reads one piece of the document. Changes nothing but the cursor before the whole piece was there. */
  #readPiece(): Step | undefined {
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
        return (this.#table?.row ?? 0) > 0 ? 'batch' : 'end'
    }
  }

  #readRecord(): Step | undefined {
    const { cursor } = this
    const table = this.#table
    const start = cursor.pos
    const fastPath = this.#fastPath
    if (table === undefined || fastPath === undefined || this.#records === undefined) {
      cursor.skipValue()
      this.#requireLength('maxRecordBytes', start, cursor.pos)
      this.#recordsPassed++
      this.#state = 'after-record'
      return undefined
    }
    const { row } = table
    const stop = fastPath.readRecords(this.limits.rows - row, this.#nextCut, this.#lastLook + BYTES_BETWEEN_LOOKS)
    if (stop === undefined) {
      this.#records.decode()
      this.#requireLength('maxRecordBytes', start, cursor.pos)
      this.#records.commit()
    } else if (table.records === table.row && row < FEWEST_ROWS_TO_ESTIMATE) {
      this.#expectRows(table)
    }
    const isAfterRecord = stop !== 'before'
    if (isAfterRecord) this.#state = 'after-record'
    // Before a record no look is due: the previous one ended too early, whatever white space is in between.
    const isFull = table.row >= this.limits.rows || (isAfterRecord && this.#isFullOfBytes(table, fastPath))
    return isFull ? 'batch' : undefined
  }

  /** Estimates the first batch's rows from its first ones; the next batches are taken to be like the one before. */
  #expectRows(table: Table): void {
    const { batchBytes, rows: most } = this.limits
    if (batchBytes === undefined || table.row < FEWEST_ROWS_TO_ESTIMATE) return
    const bytesPerRow = (this.cursor.offsetOf(this.cursor.pos) - this.recordsOffset) / table.row
    const rows = Math.min(most, Math.ceil((batchBytes / bytesPerRow) * ESTIMATE_MARGIN))
    table.expectRows(rows)
    this.#fastPath?.flush()
    table.expectElements(rows)
  }

  /** Looks only now and then, at places that depend on the document alone, so that batches do too. */
  #isFullOfBytes(table: Table, fastPath: FastPath): boolean {
    const offset = this.cursor.offsetOf(this.cursor.pos)
    if (offset - this.#lastLook < BYTES_BETWEEN_LOOKS) return false
    this.#lastLook = offset
    return table.variableBytes + fastPath.variableBytes >= this.limits.variableBytes
  }

  #cut(): Step | undefined {
    if ((this.#table?.row ?? 0) > 0) return 'batch'
    if (this.#stopsAtCut) return 'cut'
    this.#moveCut(this.cursor.offsetOf(this.cursor.pos))
    return undefined
  }

  /** The next cut is the first one behind `offset`, and the batch's size counts from there. */
  #moveCut(offset: number): void {
    const { cuts } = this.limits
    this.#lastLook = Math.max(offset, cuts?.first ?? 0)
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
    if (start.length < LONGEST_MAGIC_BYTES && !cursor.isLast) throw NEED_MORE
    const foreign = foreignFormat(start)
    if (foreign !== undefined) throw foreign
    if (hasByteOrderMark(start)) cursor.pos += BYTE_ORDER_MARK_BYTES
    const byte = cursor.skipWhitespace()
    if (byte !== OPEN_OBJECT) {
      if (cursor.pos >= cursor.end && cursor.isLast) throw emptyInput()
      if (byte === LESS_THAN) throw markupInsteadOfJson()
      cursor.skipValue()
      throw notAnExport('a JSON object with "definition" and "records"', 'another JSON value')
    }
    cursor.pos++
    this.#state = 'first-member'
  }

  /** Whether the bracket that was just opened closes without holding anything; moves past it then. */
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
    if (key === 'definition') this.#readDefinition(this.#parsed(start), keyStart)
    else if (HEADER_KEYS.has(key)) this.#members.set(key, this.#parsed(start))
    this.#state = 'after-member'
    return undefined
  }

  /** The member that was just skipped, as a value. */
  #parsed(start: number): unknown {
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
    return this.#table === undefined ? 'rewind' : undefined
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
