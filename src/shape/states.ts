/** Companion columns that say of each record whether a question was answered, skipped or not asked. */

import { Dictionary, Int8, makeData, type Vector } from 'apache-arrow'
import { utf8Vector } from '../columns/labels.ts'
import { UTF8 } from '../schema.ts'
import { type BaseBatch, STATE_LABELS, State } from './recipe.ts'

const labels = new Map<number, Vector>()

/** The labels of every state column; `invalid` is one where invalid values become null. */
export function stateLabels(mayBeInvalid: boolean): Vector {
  const count = mayBeInvalid ? STATE_LABELS.length : State.invalid
  const known = labels.get(count) ?? utf8Vector(STATE_LABELS.slice(0, count))
  labels.set(count, known)
  return known
}

/** Type of a state column; `id` must differ from those of all other dictionaries of the table. */
export function stateType(id: number): Dictionary {
  return new Dictionary(UTF8, new Int8(), id, false)
}

/** The states of a question's column; never null. */
export function stateData(base: BaseBatch, column: number, type: Dictionary) {
  const data = base.states(column)
  return makeData({ type, length: base.rows, nullCount: 0, data, dictionary: stateLabels(base.invalid >= 0) })
}
