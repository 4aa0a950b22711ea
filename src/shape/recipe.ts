/** An output column: its Arrow field, and how its data follow from a batch as it was decoded. */

import type { Data, Field, RecordBatch, Schema } from 'apache-arrow'
import { FIRST_QUESTION } from '../decode/table.ts'
import { SYSTEM_COLUMNS } from '../names.ts'
import { ROLE_METADATA_KEY } from '../schema.ts'

/** Turns decoded batches into what was asked for. Depends on the batches alone, dictionaries that grow apart. */
export interface Shape {
  readonly schema: Schema
  /** Bytes that a row takes beside those of the decoded columns; 0 where rows are cut to size here. */
  readonly moreBytesPerRow: number
  /** Whether rows hold the number of their record, so that `recordsBefore` must be right. */
  readonly numbersRecords: boolean
  /**
   * The batches that one decoded batch becomes.
   * @param recordsBefore Records of the batches before it.
   */
  apply(batch: RecordBatch, recordsBefore: number): Iterable<RecordBatch>
  /** Makes the dictionaries that grew what the definition says; to be called whenever the decoder's are. */
  forgetUnknownOptions(): void
}

export interface Recipe {
  readonly field: Field
  build(base: BaseBatch): Data
}

/** Answer states as indices into `STATE_LABELS`. */
export const State = { answered: 0, skipped: 1, notAsked: 2, invalid: 3 } as const

/** The last one is only there where invalid values become null. */
export const STATE_LABELS: readonly string[] = ['answered', 'skipped', 'not asked', 'invalid']

/**
 * A decoded batch: owner, date, one column per question, then `skipped`, and `invalid` and `_extra` where they were
 * asked for. Buffers start at the first row.
 */
export class BaseBatch {
  readonly rows: number
  readonly columns: readonly Data[]
  /** Column of the names of skipped questions: the one behind the last question. */
  readonly skipped: number
  /** Column of the names of columns whose value was invalid; -1 where there is none. */
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

  /** Per column and row the state of the question; empty for columns of no question. */
  states(column: number): Int8Array<ArrayBuffer> {
    this.#states ??= statesOf(this)
    return this.#states[column - FIRST_QUESTION]!
  }
}

function statesOf({ rows, columns, skipped, invalid }: BaseBatch): Int8Array<ArrayBuffer>[] {
  const states = columns.slice(FIRST_QUESTION, skipped).map((data) => answeredOf(data, rows))
  mark(states, columns[skipped]!, rows, 0, State.skipped)
  // Its first label is that of the date.
  if (invalid >= 0) mark(states, columns[invalid]!, rows, -1, State.invalid)
  return states
}

/** Sets the state of the questions that each row of a list names; `shift` leads from a label to its question. */
function mark(
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

function answeredOf(data: Data, rows: number): Int8Array<ArrayBuffer> {
  const states = new Int8Array(rows)
  const validity = validityOf(data)
  if (validity === undefined) return states
  for (let row = 0; row < rows; row++) {
    if ((validity[row >> 3]! & (1 << (row & 7))) === 0) states[row] = State.notAsked
  }
  return states
}

/** Validity bits of a column; undefined when no row is null. */
export function validityOf(data: Data): Uint8Array | undefined {
  return data.nullCount === 0 ? undefined : data.nullBitmap
}
