/** The column of a single choice: one index per row into the dictionary of its options. */

import { type Data, type DataType, makeData } from 'apache-arrow'
import type { Cursor } from '../json/cursor.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import { type ColumnBlock, copyElements } from './block.ts'
import { copyInto, type Notes, ScalarColumn } from './column.ts'
import { type Indices, Labels } from './labels.ts'

export class DictionaryColumn extends ScalarColumn {
  readonly labels: Labels
  readonly #type: DataType
  #indices: Indices

  constructor(plan: ColumnPlan, type: DataType, notes: Notes) {
    super(plan, notes)
    this.labels = new Labels(plan, notes)
    this.#type = type
    this.#indices = this.labels.newIndices(0)
  }

  appendElement(row: number, cursor: Cursor): void {
    const index = this.labels.readIndex(cursor, row)
    this.labels.noteIfUnknown(index)
    this.reserveRow(row)
    this.#indices[row] = index
    this.setValid(row)
  }

  appendBlock(row: number, block: ColumnBlock): void {
    this.appendValidity(row, block)
    copyElements(block.values, block.first, block.first + block.rows, this.#indices, row)
  }

  override rollback(row: number): void {
    super.rollback(row)
    this.labels.rollback(row)
  }

  override forgetUnknownOptions(): void {
    this.labels.forgetUnknown()
  }

  protected take(rows: number): Data {
    const indices = this.#indices
    const data = indices.subarray(0, rows)
    this.#indices = this.labels.newIndices(0)
    const dictionary = this.labels.vector
    this.labels.settle()
    const validity = this.takeValidity(rows, () => {
      this.#indices = indices
    })
    return makeData({ type: this.#type, length: rows, data, dictionary, ...validity } as never)
  }

  protected resize(rows: number): void {
    this.#indices = copyInto<Indices>(this.#indices, this.labels.newIndices(rows))
  }
}
