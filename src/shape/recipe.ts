/** The parts that all shapes share: output columns, built from decoded batches, and the states of answers. */

import type { Data, Field, RecordBatch, Schema } from 'apache-arrow'
import { FIRST_QUESTION } from '../decode/table.ts'
import { SYSTEM_COLUMNS } from '../plan/names.ts'
import { ROLE_METADATA_KEY } from '../plan/schema.ts'

/** Turns decoded batches into output batches, which depend on these alone, except for dictionaries that grow. */
export interface Shape {
  readonly schema: Schema
  /** Bytes per row in addition to those of the decoded columns; 0 if the shape itself limits the size of batches. */
  readonly moreBytesPerRow: number
  /** Whether rows contain the number of their record, so that `recordsBefore` must be correct. */
  readonly numbersRecords: boolean
  /**
   * Returns the output batches for one decoded batch.
   * @param recordsBefore Number of records in the batches before it.
   */
  apply(batch: RecordBatch, recordsBefore: number): Iterable<RecordBatch>
  /** Resets dictionaries to the options of the definition; must be called whenever those of the decoder are reset. */
  forgetUnknownOptions(): void
}

/** A column of the output: its Arrow field, and how its data is built from a decoded batch. */
export interface OutputColumn {
  readonly field: Field
  build(base: BaseBatch): Data
}

/** Answer states as indices into `STATE_LABELS`. */
export const State = { answered: 0, skipped: 1, notAsked: 2, invalid: 3 } as const

/** Labels of the states; the last one is used only if invalid values become null. */
export const STATE_LABELS: readonly string[] = ['answered', 'skipped', 'not asked', 'invalid']

/**
 * A decoded batch: owner, date, one column per question, then `skipped`, and `invalid` and `_extra` if requested.
 * Buffers start at the first row.
 */
export class BaseBatch {
  readonly rows: number
  readonly columns: readonly Data[]
  /** Index of the column with the names of skipped questions, which follows the last question. */
  readonly skipped: number
  /** Index of the column with the names of columns whose value was invalid; -1 if there is none. */
  readonly invalid: number
  #states: readonly Int8Array<ArrayBuffer>[] | undefined

  constructor(batch: RecordBatch) {
    this.rows = batch.numRows
    this.columns = batch.data.children
    const { fields } = batch.schema
    this.skipped = fields.findIndex(({ name }) => name === SYSTEM_COLUMNS.skipped)
    this.invalid = fields.findIndex(({ metadata }) => metadata.get(ROLE_METADATA_KEY) === 'invalid')
  }

  column(index: number): Data {
    return this.columns[index]!
  }

  /** Returns the state of each row; `column` is the index of a question's column. */
  states(column: number): Int8Array<ArrayBuffer> {
    this.#states ??= statesOf(this)
    return this.#states[column - FIRST_QUESTION]!
  }
}

function statesOf({ rows, columns, skipped, invalid }: BaseBatch): Int8Array<ArrayBuffer>[] {
  const states = columns.slice(FIRST_QUESTION, skipped).map((data) => answeredStates(data, rows))
  setStates(states, columns[skipped]!, rows, 0, State.skipped)
  // The first label of `invalid` is `lastUpdateDate`, which is not a question.
  if (invalid >= 0) setStates(states, columns[invalid]!, rows, -1, State.invalid)
  return states
}

/**
 * Sets the state of the questions that each row of a list column names.
 * @param shift Added to the index of a label, gives the index of its question.
 */
function setStates(
  states: readonly Int8Array[],
  { valueOffsets, children }: Data,
  rows: number,
  shift: number,
  state: number,
): void {
  const offsets: Int32Array = valueOffsets
  const labels: ArrayLike<number> = children[0]!.values
  for (let row = 0; row < rows; row++) {
    const end = offsets[row + 1]!
    for (let i = offsets[row]!; i < end; i++) {
      const question = labels[i]! + shift
      if (question >= 0) states[question]![row] = state
    }
  }
}

function answeredStates(data: Data, rows: number): Int8Array<ArrayBuffer> {
  const states = new Int8Array(rows)
  const validity = validityOf(data)
  if (validity === undefined) return states
  for (let row = 0; row < rows; row++) {
    if ((validity[row >> 3]! & (1 << (row & 7))) === 0) states[row] = State.notAsked
  }
  return states
}

/** Returns the validity bits of a column; undefined if no row is null. */
export function validityOf(data: Data): Uint8Array | undefined {
  return data.nullCount === 0 ? undefined : data.nullBitmap
}
