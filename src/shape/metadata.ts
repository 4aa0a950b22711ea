/** What a shaped file says of itself, so that a reader of the file alone can tell what each column is. */

import type { FieldDefinition, FieldGroup } from '../definition.ts'
import { type ColumnPlan, fieldMetadata } from '../schema.ts'
import type { ResolvedShape } from './options.ts'

/** Key of the options that shaped the table; missing where all of them are the default. */
export const SHAPE_METADATA_KEY = 'alida:shape'

/** Key of the questions of a shaped table, a JSON array in the order of the columns. */
export const QUESTIONS_METADATA_KEY = 'alida:questions'

/** Key of what a column holds; missing on columns that hold the answers themselves. */
export const ROLE_METADATA_KEY = 'alida:role'

/**
 * `id`: ids of the chosen options. `option`: whether one option was chosen. `state`: answered, skipped, not asked.
 * `group`: the struct of a grid. `other-options`: chosen options that the definition does not know.
 */
export type ColumnRole = 'id' | 'option' | 'state' | 'group' | 'other-options'

export function roleMetadata(role: ColumnRole, field: FieldDefinition, optionId?: string): Map<string, string> {
  const metadata = new Map([
    [ROLE_METADATA_KEY, role],
    ['alida:id', field.id],
  ])
  if (optionId !== undefined) metadata.set('alida:option', optionId)
  return metadata
}

export function groupMetadata(group: FieldGroup): Map<string, string> {
  return new Map([
    [ROLE_METADATA_KEY, 'group'],
    ['alida:id', group.id],
    ['alida:name', group.name],
    ['alida:description', group.description],
  ])
}

/** Options as they were resolved; the key of the hashes is none of them. */
export function shapeMetadata(shape: ResolvedShape): string {
  const { answerStates, sets, values, names, groups, layout, timezone, stripHtml } = shape
  return JSON.stringify({ answerStates, sets, values, names, groups, layout, timezone, stripHtml })
}

/**
 * Everything a file says of its questions, also of those that have no column of their own.
 * @param names What each question is called in the table: `group.member` inside of a struct.
 */
export function questionsMetadata(questions: readonly ColumnPlan[], names: readonly string[]): string {
  return JSON.stringify(questions.map((plan, i) => ({ column: names[i], ...Object.fromEntries(fieldMetadata(plan)) })))
}
