/** Companion columns that say of each record whether a question was answered, skipped or not asked. */

import { Dictionary, Int8, makeData, type Vector } from 'apache-arrow'
import { utf8Vector } from '../columns/labels.ts'
import { UTF8 } from '../schema.ts'
import { type BaseBatch, STATE_LABELS } from './recipe.ts'

let labels: Vector | undefined

/** The labels of every state column. */
export function stateLabels(): Vector {
  labels ??= utf8Vector(STATE_LABELS)
  return labels
}

/** Type of a state column; `id` must differ from those of all other dictionaries of the table. */
export function stateType(id: number): Dictionary {
  return new Dictionary(UTF8, new Int8(), id, false)
}

/** The states of a question's column; never null. */
export function stateData(base: BaseBatch, column: number, type: Dictionary) {
  const data = base.states(column)
  return makeData({ type, length: base.rows, nullCount: 0, data, dictionary: stateLabels() })
}
