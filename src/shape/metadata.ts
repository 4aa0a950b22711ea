/** Metadata that describes the columns of a shaped file, so that readers need nothing but the file. */

import type { FieldDefinition, FieldGroup } from '../definition.ts'
import { type ColumnPlan, fieldMetadata, ROLE_METADATA_KEY } from '../plan/schema.ts'
import type { ResolvedShape } from './options.ts'

/** Key of the options that shaped the table; absent if all of them are the default. */
export const SHAPE_METADATA_KEY = 'alida:shape'

/** Key of the questions of a shaped table, a JSON array in the order of the columns. */
export const QUESTIONS_METADATA_KEY = 'alida:questions'

export { ROLE_METADATA_KEY }

/**
 * `id`: ids of the chosen options. `option`: whether one option was chosen. `state`: answered, skipped, not asked.
 * `group`: the struct of a grid. `other-options`: chosen options that are not in the definition. `invalid`: names of
 * the columns whose value was invalid. `extra`: answers to fields that are not in the definition.
 */
type ColumnRole = 'id' | 'option' | 'state' | 'group' | 'other-options' | 'invalid' | 'extra'

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

/**
 * Returns the metadata of a shaped table.
 * @param decoded Metadata of the decoded table.
 * @param names Name of each question in the table: `group.member` inside a struct. Default: the plans' names.
 */
export function tableMetadata(
  decoded: ReadonlyMap<string, string>,
  plans: readonly ColumnPlan[],
  shape: ResolvedShape,
  names?: readonly string[],
): Map<string, string> {
  const questions = plans.filter((plan) => plan.field !== undefined)
  const facts = questions.map((plan, i) => ({
    column: names?.[i] ?? plan.name,
    ...Object.fromEntries(fieldMetadata(plan)),
  }))
  return new Map([
    ...decoded,
    [SHAPE_METADATA_KEY, shapeText(shape)],
    // Includes questions that have no column of their own.
    [QUESTIONS_METADATA_KEY, JSON.stringify(facts)],
  ])
}

/** Returns the resolved options as JSON, without the key of the hashes. */
function shapeText(shape: ResolvedShape): string {
  const { answerStates, sets, values, names, groups, layout, timezone, stripHtml } = shape
  return JSON.stringify({ answerStates, sets, values, names, groups, layout, timezone, stripHtml })
}
