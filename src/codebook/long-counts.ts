/** Counts answers from the rows of a long table, which has one row per chosen option of a set. */

import type { Data, RecordBatch, Schema, Vector } from 'apache-arrow'
import { labelText } from '../columns/label-text.ts'
import { increase, validityTest } from './label-counts.ts'

interface Counts {
  answered: number
  skipped: number
  invalid: number
  readonly options: Map<string, number>
}

const COLUMNS = ['record', 'field_id', 'state', 'option_id', 'position'] as const

export function isLongTable(schema: Schema): boolean {
  return COLUMNS.every((name) => schema.fields.some((field) => field.name === name && !field.metadata.has('alida:id')))
}

/**
 * Adds the rows to the counts of their questions, found by field id.
 * @returns The highest record number.
 */
export function countLongRows(batch: RecordBatch, byField: ReadonlyMap<string, Counts>): number {
  const [record, field, state, option, position] = COLUMNS.map((name) => {
    return batch.data.children[batch.schema.fields.findIndex((column) => column.name === name)]!
  }) as [Data, Data, Data, Data, Data]
  const counts = textsOf(field).map((id) => byField.get(id))
  const states = textsOf(state)
  const options = textsOf(option)
  const hasOption = validityTest(option)
  const hasPosition = validityTest(position)
  let last = 0
  for (let row = 0; row < batch.numRows; row++) {
    if (record.values[row] > last) last = record.values[row]
    const question = counts[field.values[row]]
    if (question === undefined) continue
    const isFirst = !hasPosition(row) || position.values[row] === 1
    const stateNow = states[state.values[row]]
    if (stateNow === 'skipped') question.skipped++
    else if (stateNow === 'invalid') question.invalid++
    else if (isFirst) question.answered++
    if (hasOption(row)) increase(question.options, options[option.values[row]]!, 1)
  }
  return last
}

function textsOf(column: Data): string[] {
  const dictionary = column.dictionary as Vector | undefined
  return dictionary === undefined ? [] : Array.from({ length: dictionary.length }, (_, i) => labelText(dictionary, i))
}
