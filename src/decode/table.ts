/** A batch under construction: all columns, filled record by record, and the counts of their answers. */

import { type Data, makeData, type RecordBatch, type Schema, Struct } from 'apache-arrow'
import type { Column } from '../columns/column.ts'
import { columnOf } from '../columns/factory.ts'
import { TimestampColumn } from '../columns/fixed.ts'
import { ListColumn } from '../columns/list.ts'
import { recordBatch } from '../columns/record-batch.ts'
import { ExtraColumn, Utf8Column } from '../columns/utf8.ts'
import type { FieldDefinition } from '../definition.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import type { RecordsKernel } from './kernel/records-kernel.ts'
import type { RecordNotes } from './notes.ts'

/**
 * Numbers of records that answered, skipped or were not asked a question, or have no answer because it was invalid. The
 * four add up to the number of records.
 */
export interface AnswerCounts {
  readonly answered: number
  readonly skipped: number
  readonly invalid: number
  readonly notAsked: number
}

export class BatchBuilder {
  readonly schema: Schema
  readonly columns: readonly Column[]
  readonly ownerId: Utf8Column
  readonly lastUpdateDate: TimestampColumn
  /** Undefined if answers to unknown fields are left out. */
  readonly extra: ExtraColumn | undefined
  /** Row that the current record fills. The rows before it are complete; some of them may still be in a block. */
  row = 0
  /** Complete records of all batches. */
  records = 0
  readonly #plans: readonly ColumnPlan[]
  readonly #notes: RecordNotes
  readonly #skippedColumn: ListColumn
  readonly #invalidColumn: ListColumn | undefined
  /**
   * Per column, numbers of records with an answer (in finished batches), that skipped it, and with an invalid value.
   */
  readonly #answered: Float64Array
  readonly #skipped: Float64Array
  readonly #invalid: Float64Array
  /** Indices of the columns whose questions the current record skipped. */
  #currentSkipped = new Int32Array(16)
  #currentSkippedCount = 0
  #isCurrentSkippedSorted = true
  /** Cache, undefined after columns have changed. */
  #variableBytes: number | undefined
  /** Whether columns may hold values of the current record. */
  #isInRecord = false
  /** Indices of the columns that are null in the current record because the value was invalid. */
  #currentInvalid: number[] = []

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
    this.#currentSkippedCount = 0
    this.#isCurrentSkippedSorted = true
    if (this.#currentInvalid.length > 0) this.#currentInvalid = []
  }

  /** Marks the current record's value of this column as invalid, and therefore null. */
  reject(columnIndex: number): void {
    this.#currentInvalid.push(columnIndex)
  }

  /** Marks the question of this column as skipped by the current record. */
  skip(columnIndex: number): void {
    const length = this.#currentSkippedCount
    if (length === this.#currentSkipped.length) {
      const longer = new Int32Array(length * 2)
      longer.set(this.#currentSkipped)
      this.#currentSkipped = longer
    }
    if (length > 0 && this.#currentSkipped[length - 1]! > columnIndex) this.#isCurrentSkippedSorted = false
    this.#currentSkipped[length] = columnIndex
    this.#currentSkippedCount = length + 1
  }

  /** Bytes of text and list elements in the columns so far, without the rows of a block. */
  get variableBytes(): number {
    this.#variableBytes ??= this.columns.reduce((bytes, column) => bytes + column.variableBytes, 0)
    return this.#variableBytes
  }

  /** Bytes per skipped question of a row. */
  get skippedBytes(): number {
    return this.#skippedColumn.elementBytes
  }

  /** Sets how many rows the batch is likely to have. */
  expectRows(rows: number): void {
    for (const column of this.columns) column.expectRows(rows)
  }

  /** Estimates what `rows` rows will need from the rows so far, none of which may be in a block. */
  expectElements(rows: number): void {
    for (const column of this.columns) column.expectElements(rows, this.row)
  }

  /** Completes the current record's row. */
  commit(): void {
    const { row } = this
    const currentSkipped = this.#currentSkipped
    const length = this.#currentSkippedCount
    if (!this.#isCurrentSkippedSorted) currentSkipped.subarray(0, length).sort()
    this.#skippedColumn.beginRow(row)
    for (let i = 0; i < length; i++) {
      this.#skippedColumn.appendOnce(currentSkipped[i]! - FIRST_QUESTION)
      this.#skipped[currentSkipped[i]!]!++
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
    for (const index of this.#currentInvalid.sort((a, b) => a - b)) {
      column.append(index - FIRST_THAT_MAY_BE_INVALID)
      this.#invalid[index]!++
    }
    column.endRow(this.row)
  }

  /** Counts rows of a block as complete; `appendBlock` adds them to the columns later. */
  advance(rows: number): void {
    this.row += rows
    this.records += rows
  }

  /**
   * Appends the rows of a block to the columns. They are the last complete rows.
   * @param columnOfField Per field of the definition, the index of its column.
   */
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

  /** Returns the column of a kernel field; after the definition's fields, the kernel has the record's own members. */
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

  /** Discards the current record, which will be read again. */
  rollback(): void {
    if (!this.#isInRecord) return
    for (const column of this.columns) column.rollback(this.row)
    this.#notes.discard()
    this.#isInRecord = false
  }

  /** Returns the complete rows as a batch, which takes the columns' buffers, and begins the next batch. */
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

  /** Resets the counts, for another piece of the same document. */
  restart(): void {
    this.records = 0
    this.#answered.fill(0)
    this.#skipped.fill(0)
    this.#invalid.fill(0)
  }

  /** Makes the columns keep the buffers of each finished batch from now on, for `recycle`. */
  keepBuffers(): void {
    for (const column of this.columns) column.keepsBuffers = true
  }

  /** Reuses the buffers of the last batch, which must not be read any more (see `columns/column.ts`). */
  recycle(): void {
    for (const column of this.columns) column.recycle()
  }

  /** Resets the dictionaries to the options of the definition. */
  forgetUnknownOptions(): void {
    for (const column of this.columns) column.forgetUnknownOptions()
  }

  /** Returns the counts of one column over the batches finished so far. */
  countsOf(columnIndex: number): AnswerCounts {
    const answered = this.#answered[columnIndex]!
    const skipped = this.#skipped[columnIndex]!
    const invalid = this.#invalid[columnIndex]!
    return { answered, skipped, invalid, notAsked: this.records - this.row - answered - skipped - invalid }
  }
}

/** Index of the first question's column; before it are `ownerId` and `lastUpdateDate`. */
export const FIRST_QUESTION = 2

/** In place of a column's index: the field is not selected, or not in the definition. */
export const NO_COLUMN = -1

/** Index of the column that is the first label of `invalid`: `lastUpdateDate`. The questions follow. */
const FIRST_THAT_MAY_BE_INVALID = 1
