/** State columns: per record, whether a question was answered, skipped, not asked or invalid. */

import { Dictionary, Int8, makeData, type Vector } from 'apache-arrow'
import { utf8Vector } from '../columns/labels.ts'
import { UTF8 } from '../plan/schema.ts'
import { type BaseBatch, STATE_LABELS, State } from './recipe.ts'

const labels = new Map<number, Vector>()

/** Returns the labels of state columns; they include `invalid` if invalid values become null. */
export function stateLabels(mayBeInvalid: boolean): Vector {
  const count = mayBeInvalid ? STATE_LABELS.length : State.invalid
  const known = labels.get(count) ?? utf8Vector(STATE_LABELS.slice(0, count))
  labels.set(count, known)
  return known
}

/** Creates the type of a state column; `id` must differ from those of all other dictionaries of the table. */
export function stateType(id: number): Dictionary {
  return new Dictionary(UTF8, new Int8(), id, false)
}

/** Returns the states of a question's column, which are never null. */
export function stateData(base: BaseBatch, column: number, type: Dictionary) {
  const data = base.states(column)
  return makeData({ type, length: base.rows, nullCount: 0, data, dictionary: stateLabels(base.invalid >= 0) })
}
