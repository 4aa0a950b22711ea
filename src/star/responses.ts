/** One row for each record: whose it is, when it changed, and how many questions it answered. */

import { type Data, Field, Int32, makeData, RecordBatch, Schema, Struct } from 'apache-arrow'
import { FIRST_QUESTION } from '../decode/table.ts'
import { type BaseBatch, State } from '../shape/recipe.ts'

const COUNT = new Int32()

export class Responses {
  readonly schema: Schema
  readonly #type: Struct

  /** @param decoded Schema of the batches, which begins with the owner and the date. */
  constructor(decoded: Schema) {
    const [ownerId, lastUpdateDate] = decoded.fields
    const counts = ['answered', 'skipped', 'not_asked'].map((name) => new Field(name, COUNT, true))
    const fields = [new Field('record', COUNT, true), ownerId!, lastUpdateDate!, ...counts]
    this.schema = new Schema(fields)
    this.#type = new Struct(fields)
  }

  batchOf(base: BaseBatch, recordsBefore: number): RecordBatch {
    const { rows, columns } = base
    const counts = [State.answered, State.skipped, State.notAsked].map(() => new Int32Array(rows))
    for (let column = FIRST_QUESTION; column < columns.length - 1; column++) {
      const states = base.states(column)
      for (let row = 0; row < rows; row++) counts[states[row]!]![row]!++
    }
    const numbers = Int32Array.from({ length: rows }, (_, row) => recordsBefore + row + 1)
    const children = [countData(numbers), columns[0]!, columns[1]!, ...counts.map(countData)]
    return new RecordBatch(this.schema, makeData({ type: this.#type, length: rows, nullCount: 0, children }))
  }
}

function countData(data: Int32Array): Data {
  return makeData({ type: COUNT, length: data.length, nullCount: 0, data })
}
