/** The rows of one batch under construction: all columns, filled record by record, and what was counted on the way. */

import { type Data, makeData, type RecordBatch, type Schema, Struct } from 'apache-arrow'
import type { Column } from '../columns/column.ts'
import { columnOf } from '../columns/factory.ts'
import { TimestampColumn } from '../columns/fixed.ts'
import { ListColumn } from '../columns/list.ts'
import { recordBatch } from '../columns/record-batch.ts'
import { ExtraColumn, Utf8Column } from '../columns/utf8.ts'
import type { FieldDefinition } from '../definition.ts'
import type { ColumnPlan } from '../schema.ts'
import type { RecordsKernel } from './kernel/records-kernel.ts'
import type { RecordNotes } from './notes.ts'

/**
 * How many records answered, skipped and were not asked a question, and how many have no answer because it was invalid.
 * The four add up to the number of records.
 */
export interface AnswerCounts {
  readonly answered: number
  readonly skipped: number
  readonly invalid: number
  readonly notAsked: number
}

export class Table {
  readonly schema: Schema
  readonly columns: readonly Column[]
  readonly ownerId: Utf8Column
  readonly lastUpdateDate: TimestampColumn
  /** Undefined where answers to unknown fields are left out. */
  readonly extra: ExtraColumn | undefined
  /** Row that the current record fills; the rows before it are complete, some of them perhaps in a block yet. */
  row = 0
  /** Complete records of all batches. */
  records = 0
  readonly #plans: readonly ColumnPlan[]
  readonly #notes: RecordNotes
  readonly #skippedColumn: ListColumn
  readonly #invalidColumn: ListColumn | undefined
  /** Per column, records with an answer in finished batches, and records that skipped it. */
  readonly #answered: Float64Array
  readonly #skipped: Float64Array
  readonly #invalid: Float64Array
  /** Questions (0 = the first of them) that the current record skipped. */
  #skippedNow = new Int32Array(16)
  #skippedNowLength = 0
  #skippedNowIsSorted = true
  /** Until columns get more. */
  #variableBytes: number | undefined
  /** Whether columns may have something of the current record. */
  #isInRecord = false
  /** Columns that are null in the current record because the value was invalid. */
  #invalidNow: number[] = []

  constructor(plans: readonly ColumnPlan[], schema: Schema, notes: RecordNotes) {
    this.schema = schema
    this.columns = plans.map((plan, i) => columnOf(plan, schema.fields[i]!.type, notes.of(plan.field)))
    this.#plans = plans
    this.#notes = notes
    this.#answered = new Float64Array(plans.length)
    this.#skipped = new Float64Array(plans.length)
    this.#invalid = new Float64Array(plans.length)
    this.ownerId = this.#columnFilledBy('ownerId', Utf8Column)
    this.lastUpdateDate = this.#columnFilledBy('lastUpdateDate', TimestampColumn)
    this.#skippedColumn = this.#columnFilledBy('skipped', ListColumn)
    this.#invalidColumn = this.#columnOrNone('invalid', ListColumn)
    this.extra = this.#columnOrNone('extra', ExtraColumn)
  }

  #columnFilledBy<C extends Column>(source: ColumnPlan['source'], kind: new (...args: never[]) => C): C {
    const column = this.#columnOrNone(source, kind)
    if (column === undefined) throw new Error(`unreachable: no column for ${source}`)
    return column
  }

  #columnOrNone<C extends Column>(source: ColumnPlan['source'], kind: new (...args: never[]) => C): C | undefined {
    const column = this.columns[this.#plans.findIndex((plan) => plan.source === source)]
    return column instanceof kind ? column : undefined
  }

  /** Returns the index of each field's column, `NO_COLUMN` for fields that are not selected. */
  columnOfField(fields: readonly FieldDefinition[]): Int32Array {
    const columnByField = new Map(this.#plans.map((plan, i) => [plan.field, i]))
    return Int32Array.from(fields, (field) => columnByField.get(field) ?? NO_COLUMN)
  }

  beginRecord(): void {
    this.#isInRecord = true
    this.#variableBytes = undefined
    this.#skippedNowLength = 0
    this.#skippedNowIsSorted = true
    if (this.#invalidNow.length > 0) this.#invalidNow = []
  }

  /** Notes that this column is null in the current record because its value was invalid. */
  reject(columnIndex: number): void {
    this.#invalidNow.push(columnIndex)
  }

  /** Notes that the current record skipped the question of this column. */
  skip(columnIndex: number): void {
    const length = this.#skippedNowLength
    if (length === this.#skippedNow.length) {
      const longer = new Int32Array(length * 2)
      longer.set(this.#skippedNow)
      this.#skippedNow = longer
    }
    if (length > 0 && this.#skippedNow[length - 1]! > columnIndex) this.#skippedNowIsSorted = false
    this.#skippedNow[length] = columnIndex
    this.#skippedNowLength = length + 1
  }

  /** Bytes of text and list elements in the columns so far. */
  get variableBytes(): number {
    this.#variableBytes ??= this.columns.reduce((bytes, column) => bytes + column.variableBytes, 0)
    return this.#variableBytes
  }

  /** Bytes that each skipped question of a row takes. */
  get skippedBytes(): number {
    return this.#skippedColumn.elementBytes
  }

  /** Says how many rows the batch is likely to have. */
  expectRows(rows: number): void {
    for (const column of this.columns) column.expectRows(rows)
  }

  /** Estimates from the rows so far, which the columns must have, what else so many will need. */
  expectElements(rows: number): void {
    for (const column of this.columns) column.expectElements(rows, this.row)
  }

  /** Completes the current record's row. */
  commit(): void {
    const { row } = this
    const skippedNow = this.#skippedNow
    const length = this.#skippedNowLength
    if (!this.#skippedNowIsSorted) skippedNow.subarray(0, length).sort()
    this.#skippedColumn.beginRow(row)
    for (let i = 0; i < length; i++) {
      this.#skippedColumn.appendOnce(skippedNow[i]! - FIRST_QUESTION)
      this.#skipped[skippedNow[i]!]!++
    }
    this.#skippedColumn.endRow(row)
    if (this.#invalidColumn !== undefined) this.#commitInvalid(this.#invalidColumn)
    this.#notes.commit()
    this.#isInRecord = false
    this.row = row + 1
    this.records++
  }

  #commitInvalid(column: ListColumn): void {
    column.beginRow(this.row)
    for (const index of this.#invalidNow.sort((a, b) => a - b)) {
      column.append(index - FIRST_THAT_MAY_BE_INVALID)
      this.#invalid[index]!++
    }
    column.endRow(this.row)
  }

  /** Completes rows of a block, which the columns take over later. */
  advance(rows: number): void {
    this.row += rows
    this.records += rows
  }

  /** Takes over the rows of a block, the last ones. `columnOfField`: per field of the definition, its column. */
  appendBlock(block: RecordsKernel, columnOfField: Int32Array): void {
    const row = this.row - block.rows
    this.#variableBytes = undefined
    for (const field of block.finish()) {
      this.#columnOfField(field, columnOfField).appendBlock(row, block.blockOf(field))
    }
    this.#appendSkipped(row, block)
    for (let i = 0; i < block.rows && this.#invalidColumn !== undefined; i++) {
      this.#invalidColumn.beginRow(row + i)
      this.#invalidColumn.endRow(row + i)
    }
  }

  /** Behind the definition's fields, the kernel has the record's own members. */
  #columnOfField(field: number, columnOfField: Int32Array): Column {
    const { length } = columnOfField
    if (field < length) return this.columns[columnOfField[field]!]!
    return field === length ? this.ownerId : this.lastUpdateDate
  }

  #appendSkipped(row: number, { rows, skipped: { ends, elements } }: RecordsKernel): void {
    this.#skippedColumn.appendLists(row, rows, ends, elements)
    const skipped = this.#skipped
    const total = ends[rows - 1]!
    for (let i = 0; i < total; i++) skipped[elements[i]! + FIRST_QUESTION]!++
  }

  /** Forgets the current record, which will be read again. */
  rollback(): void {
    if (!this.#isInRecord) return
    for (const column of this.columns) column.rollback(this.row)
    this.#notes.discard()
    this.#isInRecord = false
  }

  /** The complete rows as a batch with buffers of its own; the next batch begins. */
  finishBatch(): RecordBatch {
    const length = this.row
    const children: Data[] = this.columns.map((column, i) => {
      const data = column.finish(length)
      this.#answered[i]! += length - data.nullCount
      return data
    })
    this.row = 0
    this.#variableBytes = undefined
    return recordBatch(this.schema, makeData({ type: new Struct(this.schema.fields), length, nullCount: 0, children }))
  }

  /** Begins to count anew, for another piece of the same document. */
  restart(): void {
    this.records = 0
    this.#answered.fill(0)
    this.#skipped.fill(0)
    this.#invalid.fill(0)
  }

  /** From now on the buffers of a finished batch are kept for `recycle`. */
  keepBuffers(): void {
    for (const column of this.columns) column.keepsBuffers = true
  }

  /** Takes back the buffers of the last batch, which nobody may use any more. */
  recycle(): void {
    for (const column of this.columns) column.recycle()
  }

  /** Makes the dictionaries what the definition says, without the options that were met on the way. */
  forgetUnknownOptions(): void {
    for (const column of this.columns) column.forgetUnknownOptions()
  }

  /** Counts of one column over the batches finished so far. */
  countsOf(columnIndex: number): AnswerCounts {
    const answered = this.#answered[columnIndex]!
    const skipped = this.#skipped[columnIndex]!
    const invalid = this.#invalid[columnIndex]!
    return { answered, skipped, invalid, notAsked: this.records - this.row - answered - skipped - invalid }
  }
}

/** Columns before the first question's: `ownerId` and `lastUpdateDate`. */
export const FIRST_QUESTION = 2

/** In the place of a column's index: the field is not selected, or not in the definition. */
export const NO_COLUMN = -1

/** `lastUpdateDate`: the first label of `invalid`; the questions follow. */
const FIRST_THAT_MAY_BE_INVALID = 1
