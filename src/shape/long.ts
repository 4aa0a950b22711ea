/** The long layout: one row per record, question and chosen option; a skipped question is a row without a value. */

import {
  type Data,
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int32,
  makeData,
  type RecordBatch,
  Schema,
  Struct,
  TimestampMicrosecond,
  type Vector,
} from 'apache-arrow'
import { labelText } from '../columns/label-text.ts'
import { utf8Vector } from '../columns/labels.ts'
import { optionIdsOf } from '../columns/option-ids.ts'
import { recordBatch } from '../columns/record-batch.ts'
import { FIRST_QUESTION } from '../decode/table.ts'
import { bitsForLabels, type ColumnPlan, indexTypeOf, UTF8 } from '../plan/schema.ts'
import { LongRows, type RecordRange } from './long-rows.ts'
import { MergedDictionary } from './merged-dictionary.ts'
import type { ResolvedShape } from './options.ts'
import { hashedData } from './privacy.ts'
import { BaseBatch, type Shape, State } from './recipe.ts'
import { stateLabels, stateType } from './states.ts'
import { NAIVE_TIMESTAMP, withoutZone } from './timezone.ts'
import { dictionaryOf } from './values.ts'

const LONG_COLUMNS = [
  'ownerId',
  'lastUpdateDate',
  'record',
  'field_id',
  'field_name',
  'group_name',
  'state',
  'option_id',
  'option_label',
  'value_double',
  'value_datetime',
  'value_string',
  'position',
] as const

export type LongColumn = (typeof LONG_COLUMNS)[number]

/** Most rows of a batch, unless a single record has more: a record is not split. */
const MAX_BATCH_ROWS = 131_072

export class LongShape implements Shape {
  readonly schema: Schema
  readonly moreBytesPerRow = 0
  readonly numbersRecords: boolean
  readonly #plans: readonly ColumnPlan[]
  readonly #questions: readonly ColumnPlan[]
  readonly #shape: ResolvedShape
  readonly #columns: readonly LongColumn[]
  readonly #type: Struct
  readonly #timestamp: TimestampMicrosecond
  readonly #fieldType: Dictionary
  readonly #fieldNameType: Dictionary
  readonly #fieldIds: Vector
  readonly #fieldNames: Vector
  readonly #groupType: Dictionary
  readonly #groupNames: Vector
  /** Per question, the index of its group; -1 if it has none. */
  readonly #groupOfQuestion: Int32Array
  readonly #stateType = stateType(3)
  readonly #optionIds: MergedDictionary
  readonly #optionLabels: MergedDictionary

  constructor(
    plans: readonly ColumnPlan[],
    metadata: Map<string, string>,
    shape: ResolvedShape,
    columns: readonly LongColumn[] = LONG_COLUMNS,
  ) {
    this.#plans = plans
    this.#questions = plans.filter((plan) => plan.field !== undefined)
    this.#shape = shape
    this.#columns = columns
    this.numbersRecords = columns.includes('record')
    this.#timestamp = shape.timezone === 'naive' ? NAIVE_TIMESTAMP : new TimestampMicrosecond('UTC')
    const indexType = indexTypeOf(bitsForLabels(this.#questions.length))
    this.#fieldType = new Dictionary(UTF8, indexType, 0, false)
    this.#fieldNameType = new Dictionary(UTF8, indexType, 1, false)
    this.#fieldIds = utf8Vector(this.#questions.map((plan) => plan.field!.id))
    this.#fieldNames = utf8Vector(this.#questions.map((plan) => plan.name))
    this.#groupType = new Dictionary(UTF8, indexType, 2, false)
    const groups = [...new Set(this.#questions.flatMap(({ group }) => (group === undefined ? [] : [group.name])))]
    this.#groupNames = utf8Vector(groups)
    this.#groupOfQuestion = Int32Array.from(this.#questions, ({ group }) =>
      group === undefined ? -1 : groups.indexOf(group.name),
    )
    const shown = this.#questions.map((plan) =>
      plan.isHashed === true ? ({ ...plan, labels: [], type: 'utf8' } as const) : plan,
    )
    const ids = shown.map((plan) => (plan.labels.length === 0 ? [] : plan.field!.options.map((option) => option.id)))
    this.#optionIds = new MergedDictionary(shown, ids, 4)
    this.#optionLabels = new MergedDictionary(
      shown,
      shown.map((plan) => plan.labels),
      5,
    )
    const fields = columns.map((name) => new Field(name, this.#typeOf(name), true))
    this.schema = new Schema(fields, metadata)
    this.#type = new Struct(fields)
  }

  forgetUnknownOptions(): void {
    this.#optionIds.forgetUnknownOptions()
    this.#optionLabels.forgetUnknownOptions()
  }

  *apply(batch: RecordBatch, recordsBefore: number): Generator<RecordBatch> {
    const base = new BaseBatch(batch)
    const data = this.#plans.map((plan, i) => this.#outputData(plan, base.column(i)))
    for (const range of rangesOf(this.#rowsOfRecords(base))) {
      const rows = this.#fill(base, data, range)
      const children = this.#columns.map((name) => this.#data(name, rows, data, recordsBefore))
      yield recordBatch(this.schema, makeData({ type: this.#type, length: range.rows, nullCount: 0, children }))
    }
  }

  /** Returns a decoded column as it is written: hashed, or without a time zone. */
  #outputData(plan: ColumnPlan, data: Data): Data {
    const { hashOwner, hashKey, timezone } = this.#shape
    if (plan.isHashed === true || (hashOwner && plan.source === 'ownerId')) return hashedData(data, plan.type, hashKey)
    return plan.type === 'timestamp' && timezone === 'naive' ? withoutZone(data) : data
  }

  #rowsOfRecords(base: BaseBatch): Int32Array {
    const rows = new Int32Array(base.rows)
    for (const [question, plan] of this.#questions.entries()) {
      const column = question + FIRST_QUESTION
      const states = base.states(column)
      if (plan.type === 'list' && plan.isHashed !== true) addSetRows(rows, states, base.column(column).valueOffsets)
      else for (let i = 0; i < rows.length; i++) if (states[i] !== State.notAsked) rows[i]!++
    }
    return rows
  }

  #fill(base: BaseBatch, data: readonly Data[], range: RecordRange): LongRows {
    const rows = new LongRows(
      range,
      new this.#fieldType.indices.ArrayType(range.rows) as Int8Array<ArrayBuffer>,
      this.#optionIds.newIndices(range.rows),
      this.#optionLabels.newIndices(range.rows),
    )
    for (const [question, plan] of this.#questions.entries()) {
      const column = question + FIRST_QUESTION
      const cells = { question, states: base.states(column), data: data[column]! }
      const type = plan.isHashed === true ? 'utf8' : plan.type
      if (type === 'dictionary') rows.addChoices(cells, this.#optionIndices(question, cells.data))
      else if (type === 'list') rows.addSets(cells, this.#optionIndices(question, cells.data))
      else if (type === 'double') rows.addDoubles(cells)
      else if (type === 'timestamp') rows.addDatetimes(cells)
      else rows.addTexts(cells)
    }
    return rows
  }

  #optionIndices(question: number, data: Data): { ids: readonly number[]; labels: readonly number[] } {
    const dictionary = dictionaryOf(data)
    const { length } = dictionary
    const ids = optionIdsOf(dictionary)
    return {
      ids: this.#optionIds.indicesOf(question, length, (i) => ids[i]!),
      labels: this.#optionLabels.indicesOf(question, length, (i) => labelText(dictionary, i)),
    }
  }

  #typeOf(name: LongColumn): DataType {
    switch (name) {
      case 'ownerId':
      case 'value_string':
        return UTF8
      case 'lastUpdateDate':
      case 'value_datetime':
        return this.#timestamp
      case 'record':
      case 'position':
        return new Int32()
      case 'field_id':
        return this.#fieldType
      case 'field_name':
        return this.#fieldNameType
      case 'group_name':
        return this.#groupType
      case 'state':
        return this.#stateType
      case 'option_id':
        return this.#optionIds.type
      case 'option_label':
        return this.#optionLabels.type
      case 'value_double':
        return new Float64()
    }
  }

  #data(name: LongColumn, rows: LongRows, columns: readonly Data[], recordsBefore: number): Data {
    const length = rows.range.rows
    const type = this.#typeOf(name)
    const whole = { type, length, nullCount: 0 }
    switch (name) {
      case 'ownerId':
        return rows.repeatedTexts(columns[0]!)
      case 'lastUpdateDate':
        return rows.repeatedValues(columns[1]!, new BigInt64Array(length))
      case 'record':
        return makeData({ ...whole, data: rows.recordNumbers(recordsBefore) } as never)
      case 'field_id':
        return makeData({ ...whole, data: rows.questions, dictionary: this.#fieldIds } as never)
      case 'field_name':
        return makeData({ ...whole, data: rows.questions, dictionary: this.#fieldNames } as never)
      case 'group_name':
        return this.#groupData(rows)
      case 'state':
        return makeData({
          ...whole,
          data: rows.states,
          dictionary: stateLabels(this.#shape.onInvalid === 'null'),
        } as never)
      case 'option_id':
        return rows.optionIds.data(type, length, this.#optionIds.vector)
      case 'option_label': {
        const { optionIds, optionLabels } = rows
        const nullCount = length - optionIds.count
        const nullBitmap = nullCount === 0 ? undefined : optionIds.validity
        const dictionary = this.#optionLabels.vector
        return makeData({ type, length, nullCount, nullBitmap, data: optionLabels, dictionary } as never)
      }
      case 'value_double':
        return rows.doubles.data(type, length)
      case 'value_datetime':
        return rows.datetimes.data(type, length)
      case 'value_string':
        return rows.textData(type)
      case 'position':
        return rows.positions.data(type, length)
    }
  }

  #groupData({ questions, range }: LongRows): Data {
    const { rows } = range
    const data = new this.#groupType.indices.ArrayType(rows)
    const nullBitmap = new Uint8Array((rows + 7) >> 3)
    let nullCount = 0
    for (let row = 0; row < rows; row++) {
      const group = this.#groupOfQuestion[questions[row]!]!
      if (group < 0) {
        nullCount++
        continue
      }
      data[row] = group
      nullBitmap[row >> 3]! |= 1 << (row & 7)
    }
    const dictionary = this.#groupNames
    return makeData({ type: this.#groupType, length: rows, nullCount, nullBitmap, data, dictionary })
  }
}

function addSetRows(rows: Int32Array, states: Int8Array, offsets: Int32Array): void {
  for (let i = 0; i < rows.length; i++) {
    if (states[i] === State.notAsked) continue
    rows[i]! += Math.max(1, offsets[i + 1]! - offsets[i]!)
  }
}

/**
 * Splits records into runs of at most `MAX_BATCH_ROWS` rows; a longer record is its own run. No records are one run.
 */
function* rangesOf(rowsOfRecord: Int32Array): Generator<RecordRange> {
  let from = 0
  let rows = 0
  for (let record = 0; record < rowsOfRecord.length; record++) {
    const more = rowsOfRecord[record]!
    if (rows > 0 && rows + more > MAX_BATCH_ROWS) {
      yield { from, to: record, rows, rowsOfRecord }
      from = record
      rows = 0
    }
    rows += more
  }
  if (rows > 0 || rowsOfRecord.length === 0) yield { from, to: rowsOfRecord.length, rows, rowsOfRecord }
}
