/**
 * The general path: reads a record of the document into one row of every column, with any key order, white space,
 * escapes and unknown members. The fast path (`fast-path.ts`) reads most records instead; a test proves that both give
 * the same result.
 */

import { Vector } from 'apache-arrow'
import { ANSWERED, type Column, SKIPPED } from '../columns/column.ts'
import { columnOf } from '../columns/factory.ts'
import type { FieldDefinition } from '../definition.ts'
import { DefinitionError, type Place, ValueError } from '../errors.ts'
import { CLOSE_ARRAY, CLOSE_OBJECT, isDigit, LOWER_N, MINUS, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from '../json/bytes.ts'
import type { Cursor } from '../json/cursor.ts'
import { IdTable, QUOTED_GUID_BYTES } from '../json/id-table.ts'
import type { FastPath } from './fast-path.ts'
import { Literal } from './literal.ts'
import type { RecordNotes } from './notes.ts'
import { isInvalidValue, type RejectLog } from './rejects.ts'
import { type BatchBuilder, NO_COLUMN } from './table.ts'

/** In place of a field's index: the field is not in the definition. */
const UNKNOWN_FIELD = -1
/** In place of an index or a position: the member has not been read. */
const UNSEEN = -2
/** In place of the position of values: they were rejected. */
const REJECTED = -3

export class RecordDecoder {
  readonly #cursor: Cursor
  readonly #builder: BatchBuilder
  readonly #fastPath: FastPath
  readonly #notes: RecordNotes
  readonly #fields: readonly FieldDefinition[]
  /** Created when the general path looks up the first field. */
  #fieldIds: IdTable | undefined
  /** Per field: index of its column, or `NO_COLUMN`. */
  readonly #columnOfField: Int32Array
  /** Per field: number of the last attempt at a record that answered it, and position of its values in the window. */
  readonly #attemptOfField: Float64Array
  readonly #valuesOfField: Int32Array
  readonly #scratchColumns = new Map<number, Column>()
  readonly #rejects: RejectLog | undefined
  /** Number of attempts at reading a record: a record that is read again with more input counts again. */
  #attempt = 0
  #currentField: FieldDefinition | undefined
  #currentMember: string | undefined
  #unknownFieldId = ''

  /** @param rejects Takes the values that do not fit; without it, they are errors. */
  constructor(
    cursor: Cursor,
    builder: BatchBuilder,
    fields: readonly FieldDefinition[],
    notes: RecordNotes,
    fastPath: FastPath,
    rejects: RejectLog | undefined,
  ) {
    this.#cursor = cursor
    this.#builder = builder
    this.#notes = notes
    this.#fastPath = fastPath
    this.#rejects = rejects
    this.#fields = fields
    this.#columnOfField = fastPath.columnOfField
    this.#attemptOfField = new Float64Array(fields.length)
    this.#valuesOfField = new Int32Array(fields.length)
  }

  /** Returns where in the export the cursor is, for messages. */
  place(): Place {
    return {
      record: this.#builder.records + 1,
      ownerId: this.#builder.ownerId.textOf(this.#builder.row),
      fieldName: this.#currentField?.name,
      fieldId: this.#currentField?.id,
      member: this.#currentMember,
    }
  }

  /** Reads the record at the cursor into the builder's current row, which `commit` completes. */
  decode(): void {
    this.#fastPath.yieldRecord()
    this.#attempt++
    this.#currentField = undefined
    this.#currentMember = undefined
    this.#builder.beginRecord()
    this.#rejects?.begin()
    this.#readRecord()
  }

  /** Discards what was read of the current record, which will be read again. */
  rollback(): void {
    this.#currentField = undefined
    this.#currentMember = undefined
    this.#builder.rollback()
  }

  /** Completes the row of the record that `decode` has read. */
  commit(): void {
    this.#rejects?.commit(this.#builder.records + 1, this.#builder.ownerId.textOf(this.#builder.row))
    this.#builder.commit()
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
    this.#builder.ownerId.appendElement(this.#builder.row, cursor)
  }

  #readLastUpdateDate(): void {
    const cursor = this.#cursor
    if (cursor.bytes[cursor.pos] === LOWER_N) {
      cursor.expectLiteral('null')
      this.#notes.add('last-update-date-missing')
      return
    }
    this.#currentMember = 'lastUpdateDate'
    const { pos } = cursor
    try {
      this.#builder.lastUpdateDate.appendElement(this.#builder.row, cursor)
    } catch (error) {
      this.#reject(error, this.#builder.lastUpdateDate, pos, this.#notes.size)
      this.#builder.reject(this.#builder.columns.indexOf(this.#builder.lastUpdateDate))
    }
    this.#currentMember = undefined
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
    this.#fastPath.learnFrom(start)
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

  /** Reads the values of a field, at the cursor. */
  #readValues(field: number): void {
    const cursor = this.#cursor
    const columnIndex = field === UNKNOWN_FIELD ? NO_COLUMN : this.#columnOfField[field]!
    if (field === UNKNOWN_FIELD) this.#readUnknownField()
    else if (columnIndex === NO_COLUMN) cursor.skipValue()
    else this.#readColumnValues(field, columnIndex)
  }

  #readColumnValues(field: number, columnIndex: number): void {
    const cursor = this.#cursor
    this.#currentField = this.#fields[field]
    if (this.#attemptOfField[field] === this.#attempt) {
      this.#readRepeatedField(field)
    } else {
      this.#attemptOfField[field] = this.#attempt
      this.#valuesOfField[field] = cursor.pos
      this.#readFirstValues(field, columnIndex)
    }
    this.#currentField = undefined
  }

  #readFirstValues(field: number, columnIndex: number): void {
    const cursor = this.#cursor
    const column = this.#builder.columns[columnIndex]!
    const { pos } = cursor
    const notes = this.#notes.size
    try {
      const state = column.appendValues(this.#builder.row, cursor)
      if (state === SKIPPED) this.#builder.skip(columnIndex)
    } catch (error) {
      this.#reject(error, column, pos, notes)
      column.rollback(this.#builder.row)
      this.#valuesOfField[field] = REJECTED
      this.#builder.reject(columnIndex)
    }
  }

  /**
   * Rejects the values at `start` and moves past them, if the error is about them alone.
   * @param notes Number of notes before they were read.
   * @throws the error itself otherwise, and if there is no log of rejected values.
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
    const { extra, row } = this.#builder
    if (extra === undefined) this.#cursor.skipValue()
    else extra.appendAnswer(row, this.#unknownFieldId, this.#cursor, true)
    this.#noteUnknownField(isNull)
  }

  #noteUnknownField(isNull: boolean): void {
    const kind = this.#builder.extra === undefined ? 'unknown-field' : 'unknown-field-kept'
    this.#notes.add(kind, { id: this.#unknownFieldId }, isNull ? 'null' : undefined)
  }

  /** Handles an answer without the member `values`, which counts as skipped. */
  #answerWithoutValues(field: number): void {
    if (field === UNKNOWN_FIELD) {
      this.#builder.extra?.appendAnswer(this.#builder.row, this.#unknownFieldId, this.#cursor, false)
      this.#noteUnknownField(true)
      return
    }
    const columnIndex = this.#columnOfField[field]!
    if (columnIndex === NO_COLUMN) return
    if (this.#attemptOfField[field] === this.#attempt) {
      this.#currentField = this.#fields[field]
      this.#compareWithFirst(field, UNSEEN)
      this.#currentField = undefined
      return
    }
    this.#attemptOfField[field] = this.#attempt
    this.#valuesOfField[field] = UNSEEN
    this.#builder.skip(columnIndex)
  }

  /** Reads the values of a field that the record has answered before: equal values count once, others are an error. */
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
      // The later values are read first because they may be invalid themselves.
      const later = this.#meaningOf(field, values)
      const isSame = first !== REJECTED && later === this.#meaningOf(field, first)
      cursor.pos = end
      if (!isSame) throw this.#repeatedFieldError(values === UNSEEN ? end : values)
      this.#notes.addOnce('field-repeated', this.#fields[field])
    } catch (error) {
      this.#reject(error, this.#builder.columns[this.#columnOfField[field]!]!, values, this.#notes.size)
      cursor.pos = end
    }
  }

  #repeatedFieldError(values: number): ValueError {
    return new ValueError('ERR_FIELD_REPEATED', 'expected one answer per question, found two that differ', {
      ...this.place(),
      byteOffset: this.#cursor.offsetOf(values),
    })
  }

  /** Returns the meaning of the values at a position, as a text that is equal for equal answers. */
  #meaningOf(field: number, values: number): string {
    if (values === UNSEEN) return 'skipped'
    const columnIndex = this.#columnOfField[field]!
    const { plan } = this.#builder.columns[columnIndex]!
    const type = this.#builder.schema.fields[columnIndex]!.type
    const scratch = this.#scratchColumns.get(field) ?? columnOf(plan, type, { add: () => undefined })
    this.#scratchColumns.set(field, scratch)
    this.#cursor.pos = values
    // An invalid value may have left something of an earlier answer.
    scratch.rollback(0)
    const state = scratch.appendValues(0, this.#cursor)
    const value: unknown = new Vector([scratch.finish(1)]).get(0)
    if (state !== ANSWERED) return 'skipped'
    return JSON.stringify(value instanceof Vector ? [...value] : String(value))
  }

  /** Reads a key and its colon; returns the index of a known key, or `UNKNOWN_KEY`. */
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
    const found = cursor.text(start, Math.min(cursor.pos, start + MAX_SHOWN_BYTES)).replace(/\s+/g, ' ')
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

/** Bytes of an unexpected value that a message shows. */
const MAX_SHOWN_BYTES = 60

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
