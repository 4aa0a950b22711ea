/**
 * The table with one row per record: its owner, its last update, how many questions it answered, and its unknown
 * answers.
 */

import { type Data, Field, Int32, makeData, RecordBatch, Schema, Struct } from 'apache-arrow'
import { FIRST_QUESTION } from '../decode/table.ts'
import { OPTIONAL_COLUMNS } from '../plan/names.ts'
import { ROLE_METADATA_KEY } from '../plan/schema.ts'
import { type BaseBatch, State } from '../shape/recipe.ts'

const COUNT = new Int32()

export class Responses {
  readonly schema: Schema
  readonly #type: Struct
  readonly #states: readonly number[]
  /** Index of the column of answers to unknown fields; -1 if there is none. */
  readonly #extra: number

  /** @param decoded Schema of the batches; its first two columns are the owner and the date. */
  constructor(decoded: Schema) {
    const [ownerId, lastUpdateDate] = decoded.fields
    const hasRole = (role: string) => (field: Field) => field.metadata.get(ROLE_METADATA_KEY) === role
    const names = ['answered', 'skipped', 'not_asked', ...(decoded.fields.some(hasRole('invalid')) ? ['invalid'] : [])]
    this.#states = [State.answered, State.skipped, State.notAsked, State.invalid].slice(0, names.length)
    this.#extra = decoded.fields.findIndex(hasRole('extra'))
    const extra = decoded.fields.slice(this.#extra, this.#extra + 1).map(({ type, metadata }) => {
      return new Field(OPTIONAL_COLUMNS.extra, type, true, metadata)
    })
    const counts = names.map((name) => new Field(name, COUNT, true))
    const fields = [new Field('record', COUNT, true), ownerId!, lastUpdateDate!, ...counts, ...extra]
    this.schema = new Schema(fields)
    this.#type = new Struct(fields)
  }

  batchOf(base: BaseBatch, recordsBefore: number): RecordBatch {
    const { rows, columns } = base
    const counts = this.#states.map(() => new Int32Array(rows))
    for (let column = FIRST_QUESTION; column < base.skipped; column++) {
      const states = base.states(column)
      for (let row = 0; row < rows; row++) counts[states[row]!]![row]!++
    }
    const numbers = Int32Array.from({ length: rows }, (_, row) => recordsBefore + row + 1)
    const extra = this.#extra < 0 ? [] : [columns[this.#extra]!]
    const children = [countData(numbers), columns[0]!, columns[1]!, ...counts.map(countData), ...extra]
    return new RecordBatch(this.schema, makeData({ type: this.#type, length: rows, nullCount: 0, children }))
  }
}

function countData(data: Int32Array): Data {
  return makeData({ type: COUNT, length: data.length, nullCount: 0, data })
}
