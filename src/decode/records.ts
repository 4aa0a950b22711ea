/**
 * One record of the document → one row of every column.
 *
 * The general path reads any key order, white space, escape and unknown member. The fast path (`kernel/`) reads whole
 * records that are written as the document's first answer is; whatever differs is left to the general path.
 */

import { Vector } from 'apache-arrow'
import { ANSWERED, type Column, SKIPPED } from '../columns/column.ts'
import { columnOf } from '../columns/factory.ts'
import type { Definition, FieldDefinition } from '../definition.ts'
import { DefinitionError, type Place, ValueError } from '../errors.ts'
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  isDigit,
  isWhitespace,
  LOWER_N,
  MINUS,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from '../json/bytes.ts'
import { type Cursor, NEED_MORE } from '../json/cursor.ts'
import { IdTable, QUOTED_GUID_BYTES } from '../json/id-table.ts'
import type { ColumnPlan } from '../schema.ts'
import { kernelField } from './kernel/kernel-field.ts'
import type { DecoderMemory } from './kernel/memory.ts'
import { type RecordLimits, RecordsKernel } from './kernel/records-kernel.ts'
import { type AnswerLayout, learnLayout, NO_LAYOUT } from './layout.ts'
import { Literal } from './literal.ts'
import type { RecordNotes } from './notes.ts'
import { isInvalidValue, type RejectLog } from './rejects.ts'
import { FIRST_QUESTION, type Table } from './table.ts'

/** A field that no column is for: not selected, or not in the definition. */
const NO_COLUMN = -1
const UNKNOWN_FIELD = -1
const UNSEEN = -2
/** In the place of values that were left out. */
const REJECTED = -3

/** Answers that are tried before a document counts as one without a layout. */
const MOST_LAYOUT_TRIALS = 1000

/** Arrays of the first record that are looked at before it is read: one of them holds its answers. */
const ARRAYS_AHEAD = 4

/** Records that are read by the general path before the fast path, which could read none, is tried again. */
const LONGEST_PAUSE = 64

/** Records of up to this many times the usual length are expected. */
const LIKELY_LENGTH = 2

export interface RecordOptions {
  /** Whether the fast path is used; off only to prove that it changes nothing. */
  useLayout: boolean
  /** Takes values that do not fit; without it they are errors. */
  rejects?: RejectLog | undefined
}

export class RecordDecoder {
  readonly #cursor: Cursor
  readonly #table: Table
  readonly #notes: RecordNotes
  readonly #fields: readonly FieldDefinition[]
  /** Made when the general path looks for the first one. */
  #fieldIds: IdTable | undefined
  /** Per field: index of its column, or `NO_COLUMN`. */
  readonly #columnOfField: Int32Array
  /** Per field: number of the last attempt at a record that answered it, and where in the window its values were. */
  readonly #attemptOfField: Float64Array
  readonly #valuesOfField: Int32Array
  readonly #scratchColumns = new Map<number, Column>()
  readonly #rejects: RejectLog | undefined
  /** Counts records, and again for each one that is read again with more input. */
  #attempt = 0
  readonly #memory: DecoderMemory
  readonly #limits: RecordLimits
  #kernel: RecordsKernel | undefined
  #layoutTrials: number
  #hasLookedAhead = false
  /** Where the kernel stopped in front of a record that is for the general path. */
  #givenUpAt = -1
  /** Where more input was asked for, since the record there may not have been complete. */
  #askedAt = -1
  /** Records that are read without a try of the kernel, and how many tries in a row read none. */
  #pause = 0
  #failures = 0
  #fieldNow: FieldDefinition | undefined
  #memberNow: string | undefined
  #unknownFieldId = ''

  constructor(
    cursor: Cursor,
    table: Table,
    definition: Definition,
    plans: readonly ColumnPlan[],
    notes: RecordNotes,
    options: RecordOptions,
    memory: DecoderMemory,
    limits: RecordLimits,
  ) {
    this.#cursor = cursor
    this.#limits = limits
    this.#memory = memory
    this.#table = table
    this.#notes = notes
    this.#rejects = options.rejects
    this.#fields = definition.fields
    const columnByField = new Map(plans.map((plan, i) => [plan.field, i]))
    this.#columnOfField = Int32Array.from(definition.fields, (field) => columnByField.get(field) ?? NO_COLUMN)
    this.#attemptOfField = new Float64Array(definition.fields.length)
    this.#valuesOfField = new Int32Array(definition.fields.length)
    this.#layoutTrials = options.useLayout ? 0 : MOST_LAYOUT_TRIALS
  }

  /** Where the cursor is, for messages. */
  place(): Place {
    return {
      record: this.#table.records + 1,
      ownerId: this.#table.ownerId.textOf(this.#table.row),
      fieldName: this.#fieldNow?.name,
      fieldId: this.#fieldNow?.id,
      member: this.#memberNow,
    }
  }

  /**
   * Reads records from the cursor on by the fast path, as far as it goes, and completes their rows.
   *
   * @param mostRows Rows to read at most.
   * @param cutOffset No record that begins at this offset of the document or behind is read.
   * @param lookOffset Once a record ends at this offset or behind, no more are read.
   * @returns Whether the cursor is behind a record now or in front of one; undefined when no record was read.
   */
  decodeBlock(mostRows: number, cutOffset: number, lookOffset: number): 'behind' | 'before' | undefined {
    const cursor = this.#cursor
    if (!this.#hasLookedAhead) this.#learnAhead()
    const kernel = this.#kernel
    if (kernel === undefined || this.#pause > 0 || cursor.offsetOf(cursor.pos) === this.#givenUpAt) return undefined
    if (kernel.isFull) this.flush()
    const rows = kernel.decode(cursor, this.#table.row, mostRows, cutOffset, lookOffset)
    if (rows === 0) {
      this.#askForMore(kernel)
      this.#pause = Math.min(2 ** this.#failures++, LONGEST_PAUSE)
      return undefined
    }
    this.#failures = 0
    this.#fieldNow = undefined
    this.#memberNow = undefined
    this.#table.count(rows)
    if (kernel.endsBehindRecord) return 'behind'
    if (kernel.gaveUp && !this.#mayBeIncomplete(kernel)) this.#givenUpAt = cursor.offsetOf(cursor.pos)
    return 'before'
  }

  /** Gives the columns the rows that `decodeBlock` has read. */
  flush(): void {
    const kernel = this.#kernel
    if (kernel === undefined || kernel.rows === 0) return
    this.#table.appendBlock(kernel, this.#columnOfField)
    kernel.drop()
  }

  /** Says that the window will be gone. */
  leaveWindow(): void {
    const kernel = this.#kernel
    if (kernel?.isFull) this.flush()
    else kernel?.keepTexts()
  }

  /** Bytes of text and list elements in the batch so far. */
  get variableBytes(): number {
    const { variableBytes, skippedBytes } = this.#table
    return variableBytes + (this.#kernel?.variableBytes(skippedBytes) ?? 0)
  }

  /**
   * Gives the kernel a second try with a longer window where its record just may not be complete.
   * @throws NEED_MORE, once a record.
   */
  #askForMore(kernel: RecordsKernel): void {
    if (!this.#mayBeIncomplete(kernel)) return
    this.#askedAt = this.#cursor.offsetOf(this.#cursor.pos)
    throw NEED_MORE
  }

  /** Whether less is left of the window than many a record needs. */
  #mayBeIncomplete(kernel: RecordsKernel): boolean {
    const { end, pos, isLast } = this.#cursor
    const likelyBytes = Math.min(kernel.recordBytes * LIKELY_LENGTH, this.#limits.maxRecordBytes)
    return !isLast && end - pos < likelyBytes && this.#cursor.offsetOf(pos) !== this.#askedAt
  }

  /** Reads the record at the cursor into the table's current row, which `commit` completes. */
  decode(): void {
    this.flush()
    if (this.#pause > 0) this.#pause--
    this.#attempt++
    this.#fieldNow = undefined
    this.#memberNow = undefined
    this.#table.beginRecord()
    this.#rejects?.begin()
    this.#readRecord()
  }

  commit(): void {
    this.#rejects?.commit(this.#table.records + 1, this.#table.ownerId.textOf(this.#table.row))
    this.#table.commit()
  }

  #readRecord(): void {
    const cursor = this.#cursor
    this.#requireObject('a record')
    let seen = 0
    if (cursor.enter(OPEN_OBJECT, CLOSE_OBJECT)) {
      do {
        const start = cursor.pos
        const key = this.#readKey(RECORD_KEYS, RECORD_KEY_NAMES)
        if (key === UNKNOWN_KEY) {
          cursor.skipValue()
          continue
        }
        if ((seen & (1 << key)) !== 0) throw this.#repeatedKey(start, RECORD_KEY_NAMES[key]!)
        seen |= 1 << key
        if (key === RecordKey.ownerId) this.#readOwnerId()
        else if (key === RecordKey.lastUpdateDate) this.#readLastUpdateDate()
        else this.#readFields()
      } while (cursor.nextOf(CLOSE_OBJECT))
    }
    if ((seen & (1 << RecordKey.ownerId)) === 0) this.#notes.add('owner-id-missing')
    if ((seen & (1 << RecordKey.lastUpdateDate)) === 0) this.#notes.add('last-update-date-missing')
  }

  #readOwnerId(): void {
    const cursor = this.#cursor
    const byte = cursor.bytes[cursor.pos]!
    if (byte === LOWER_N) {
      cursor.expectLiteral('null')
      this.#notes.add('owner-id-missing')
      return
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) throw this.#unexpected(cursor.pos, 'ownerId to be a text')
    this.#table.ownerId.appendElement(this.#table.row, cursor)
  }

  #readLastUpdateDate(): void {
    const cursor = this.#cursor
    if (cursor.bytes[cursor.pos] === LOWER_N) {
      cursor.expectLiteral('null')
      this.#notes.add('last-update-date-missing')
      return
    }
    this.#memberNow = 'lastUpdateDate'
    const { pos } = cursor
    try {
      this.#table.lastUpdateDate.appendElement(this.#table.row, cursor)
    } catch (error) {
      this.#reject(error, this.#table.lastUpdateDate, pos, this.#notes.size)
      this.#table.reject(this.#table.columns.indexOf(this.#table.lastUpdateDate))
    }
    this.#memberNow = undefined
  }

  #readFields(): void {
    const cursor = this.#cursor
    if (cursor.bytes[cursor.pos] === LOWER_N) {
      cursor.expectLiteral('null')
      return
    }
    if (cursor.bytes[cursor.pos] !== OPEN_ARRAY) throw this.#unexpected(cursor.pos, 'fields to be an array')
    if (!cursor.enter(OPEN_ARRAY, CLOSE_ARRAY)) return
    do this.#readAnswer()
    while (cursor.nextOf(CLOSE_ARRAY))
  }

  /** Reads an answer of any form. */
  #readAnswer(): void {
    const cursor = this.#cursor
    const start = cursor.pos
    this.#requireObject('an answer')
    if (!cursor.enter(OPEN_OBJECT, CLOSE_OBJECT)) throw this.#unexpected(start, 'an answer with an "id"')
    this.#readMembers(start)
    if (this.#kernel === undefined && this.#layoutTrials < MOST_LAYOUT_TRIALS) this.#tryLayout(start)
  }

  /** Learns the layout from the first answer before it is read, so that the kernel can read the first record, too. */
  #learnAhead(): void {
    this.#hasLookedAhead = true
    const { bytes, pos, end } = this.#cursor
    let at = pos
    for (let i = 0; i < ARRAYS_AHEAD && this.#layoutTrials < MOST_LAYOUT_TRIALS; i++) {
      at = bytes.indexOf(OPEN_ARRAY, at) + 1
      if (at === 0 || at >= end) return
      let start = at
      while (isWhitespace(bytes[start]!)) start++
      if (bytes[start] === OPEN_OBJECT) this.#tryLayout(start)
    }
  }

  #tryLayout(start: number): void {
    this.#layoutTrials++
    const ids = this.#fields.map((field) => field.id)
    const layout = learnLayout(this.#cursor, start, ids)
    if (layout !== undefined) this.#startKernel(ids, layout)
    else if (this.#layoutTrials === MOST_LAYOUT_TRIALS) this.#startKernel(ids, NO_LAYOUT)
  }

  #startKernel(ids: readonly string[], layout: AnswerLayout): void {
    this.#layoutTrials = MOST_LAYOUT_TRIALS
    const { columns } = this.#table
    const fields = this.#fields.map((_, field) => {
      const columnIndex = this.#columnOfField[field]!
      return kernelField(columns[columnIndex], columnIndex - FIRST_QUESTION)
    })
    this.#kernel = RecordsKernel.for(ids, fields, layout, this.#limits, this.#memory)
  }

  #readMembers(start: number): void {
    const cursor = this.#cursor
    let field = UNSEEN
    let values = UNSEEN
    let isPending = false
    do {
      const keyStart = cursor.pos
      const key = this.#readKey(ANSWER_KEYS, ANSWER_KEY_NAMES)
      if (key === AnswerKey.id) {
        if (field !== UNSEEN) throw this.#repeatedKey(keyStart, 'id')
        field = this.#readFieldId()
      } else if (key === AnswerKey.values) {
        if (values !== UNSEEN) throw this.#repeatedKey(keyStart, 'values')
        values = cursor.pos
        isPending = field === UNSEEN
        if (isPending) cursor.skipValue()
        else this.#readValues(field)
      } else {
        cursor.skipValue()
      }
    } while (cursor.nextOf(CLOSE_OBJECT))
    if (field === UNSEEN) throw this.#unexpected(start, 'an answer with an "id"')
    if (values === UNSEEN) this.#answerWithoutValues(field)
    if (!isPending) return
    const end = cursor.pos
    cursor.pos = values
    this.#readValues(field)
    cursor.pos = end
  }

  #readFieldId(): number {
    const cursor = this.#cursor
    const { view, pos } = cursor
    this.#fieldIds ??= new IdTable(this.#fields.map((field) => field.id))
    const guidField = this.#fieldIds.find(view, pos)
    if (guidField >= 0) {
      cursor.pos = pos + QUOTED_GUID_BYTES
      return guidField
    }
    const id = this.#readIdText()
    const field = this.#fieldIds.findText(id)
    if (field < 0) this.#unknownFieldId = id
    return field
  }

  #readIdText(): string {
    const cursor = this.#cursor
    const start = cursor.pos
    const byte = cursor.bytes[start]!
    if (byte === QUOTE) return cursor.readString().toWellFormed()
    if (!isDigit(byte) && byte !== MINUS) {
      cursor.skipValue()
      throw this.#unexpected(start, 'the id of a field to be a text')
    }
    cursor.skipNumber()
    return cursor.text(start, cursor.pos)
  }

  /** Reads the values of a field, the cursor at them. */
  #readValues(field: number): void {
    const cursor = this.#cursor
    const columnIndex = field === UNKNOWN_FIELD ? NO_COLUMN : this.#columnOfField[field]!
    if (field === UNKNOWN_FIELD) this.#readUnknownField()
    else if (columnIndex === NO_COLUMN) cursor.skipValue()
    else this.#readColumnValues(field, columnIndex)
  }

  #readColumnValues(field: number, columnIndex: number): void {
    const cursor = this.#cursor
    this.#fieldNow = this.#fields[field]
    if (this.#attemptOfField[field] === this.#attempt) {
      this.#readRepeatedField(field)
    } else {
      this.#attemptOfField[field] = this.#attempt
      this.#valuesOfField[field] = cursor.pos
      this.#readFirstValues(field, columnIndex)
    }
    this.#fieldNow = undefined
  }

  #readFirstValues(field: number, columnIndex: number): void {
    const cursor = this.#cursor
    const column = this.#table.columns[columnIndex]!
    const { pos } = cursor
    const notes = this.#notes.size
    try {
      const state = column.appendValues(this.#table.row, cursor)
      if (state === SKIPPED) this.#table.skip(columnIndex)
    } catch (error) {
      this.#reject(error, column, pos, notes)
      column.rollback(this.#table.row)
      this.#valuesOfField[field] = REJECTED
      this.#table.reject(columnIndex)
    }
  }

  /**
   * Leaves out the values at `start`, where an error is about them alone, and moves past them.
   * @param notes Notes before they were read.
   * @throws the error itself otherwise, or where nobody takes rejected values.
   */
  #reject(error: unknown, column: Column, start: number, notes: number): void {
    const cursor = this.#cursor
    if (this.#rejects === undefined || !isInvalidValue(error)) throw error
    this.#notes.truncate(notes)
    let raw: string | undefined
    if (start !== UNSEEN) {
      cursor.pos = start
      cursor.skipValue()
      raw = cursor.text(start, cursor.pos)
    }
    const { plan } = column
    this.#notes.add('invalid-value', plan.field, error.code)
    this.#rejects.add(plan, error, cursor.offsetOf(start === UNSEEN ? cursor.pos : start), raw)
  }

  #readUnknownField(): void {
    const isNull = this.#cursor.bytes[this.#cursor.pos] === LOWER_N
    const { extra, row } = this.#table
    if (extra === undefined) this.#cursor.skipValue()
    else extra.appendAnswer(row, this.#unknownFieldId, this.#cursor, true)
    this.#noteUnknownField(isNull)
  }

  #noteUnknownField(isNull: boolean): void {
    const kind = this.#table.extra === undefined ? 'unknown-field' : 'unknown-field-kept'
    this.#notes.add(kind, { id: this.#unknownFieldId }, isNull ? 'null' : undefined)
  }

  /** The key is there, no value is: skipped. */
  #answerWithoutValues(field: number): void {
    if (field === UNKNOWN_FIELD) {
      this.#table.extra?.appendAnswer(this.#table.row, this.#unknownFieldId, this.#cursor, false)
      this.#noteUnknownField(true)
      return
    }
    const columnIndex = this.#columnOfField[field]!
    if (columnIndex === NO_COLUMN) return
    if (this.#attemptOfField[field] === this.#attempt) {
      this.#fieldNow = this.#fields[field]
      this.#compareWithFirst(field, UNSEEN)
      this.#fieldNow = undefined
      return
    }
    this.#attemptOfField[field] = this.#attempt
    this.#valuesOfField[field] = UNSEEN
    this.#table.skip(columnIndex)
  }

  /** Reads the values of a field that the record has answered before: alike counts once, anything else is an error. */
  #readRepeatedField(field: number): void {
    const cursor = this.#cursor
    const start = cursor.pos
    cursor.skipValue()
    const end = cursor.pos
    this.#compareWithFirst(field, start)
    cursor.pos = end
  }

  #compareWithFirst(field: number, values: number): void {
    const cursor = this.#cursor
    const end = cursor.pos
    try {
      const first = this.#valuesOfField[field]!
      // The later one is read first: it may be invalid itself.
      const later = this.#meaningOf(field, values)
      const isSame = first !== REJECTED && later === this.#meaningOf(field, first)
      cursor.pos = end
      if (!isSame) throw this.#differs(values === UNSEEN ? end : values)
      this.#notes.addOnce('field-repeated', this.#fields[field])
    } catch (error) {
      this.#reject(error, this.#table.columns[this.#columnOfField[field]!]!, values, this.#notes.size)
      cursor.pos = end
    }
  }

  #differs(values: number): ValueError {
    return new ValueError('ERR_FIELD_REPEATED', 'expected one answer per question, found two that differ', {
      ...this.place(),
      byteOffset: this.#cursor.offsetOf(values),
    })
  }

  /** What the values at a position say, as a text that is equal for equal answers. */
  #meaningOf(field: number, values: number): string {
    if (values === UNSEEN) return 'skipped'
    const columnIndex = this.#columnOfField[field]!
    const { plan } = this.#table.columns[columnIndex]!
    const type = this.#table.schema.fields[columnIndex]!.type
    const scratch = this.#scratchColumns.get(field) ?? columnOf(plan, type, { add: () => undefined })
    this.#scratchColumns.set(field, scratch)
    this.#cursor.pos = values
    // It may have met an invalid value before.
    scratch.rollback(0)
    const state = scratch.appendValues(0, this.#cursor)
    const value: unknown = new Vector([scratch.finish(1)]).get(0)
    if (state !== ANSWERED) return 'skipped'
    return JSON.stringify(value instanceof Vector ? [...value] : String(value))
  }

  /** Reads a key and its colon; the number of the known key, or `UNKNOWN_KEY`. */
  #readKey(keys: readonly Literal[], names: readonly string[]): number {
    const cursor = this.#cursor
    if (cursor.bytes[cursor.pos] !== QUOTE) cursor.fail('a key in double quotes')
    for (let i = 0; i < keys.length; i++) {
      if (!keys[i]!.matches(cursor.view, cursor.pos)) continue
      cursor.pos += keys[i]!.byteLength
      cursor.expectColon()
      return i
    }
    return names.indexOf(cursor.readKey())
  }

  #requireObject(what: string): void {
    const cursor = this.#cursor
    const start = cursor.pos
    if (cursor.bytes[start] === OPEN_OBJECT) return
    cursor.skipValue()
    throw this.#unexpected(start, `${what} to be an object`)
  }

  #unexpected(start: number, expected: string): DefinitionError {
    const cursor = this.#cursor
    cursor.pos = start
    cursor.skipValue()
    const found = cursor.text(start, Math.min(cursor.pos, start + LONGEST_FOUND)).replace(/\s+/g, ' ')
    return new DefinitionError('ERR_RECORD', `expected ${expected}, found ${found}`, {
      ...this.place(),
      byteOffset: cursor.offsetOf(start),
    })
  }

  #repeatedKey(start: number, key: string): DefinitionError {
    return new DefinitionError('ERR_RECORD', `expected each key once, found "${key}" a second time`, {
      ...this.place(),
      byteOffset: this.#cursor.offsetOf(start),
    })
  }
}

const LONGEST_FOUND = 60

const UNKNOWN_KEY = -1
const RecordKey = { ownerId: 0, lastUpdateDate: 1, fields: 2 } as const
const RECORD_KEY_NAMES = Object.keys(RecordKey)
const AnswerKey = { id: 0, values: 1 } as const
const ANSWER_KEY_NAMES = Object.keys(AnswerKey)
const RECORD_KEYS = RECORD_KEY_NAMES.map(keyLiteral)
const ANSWER_KEYS = ANSWER_KEY_NAMES.map(keyLiteral)

function keyLiteral(key: string): Literal {
  return new Literal(`"${key}"`)
}
