/** Dimension tables of the star layout: the questions, their options, and the groups of questions. */

import type { QuestionTally } from '../codebook/tally.ts'
import { COUNT, FLAG, TEXT, tableOfValues } from '../codebook/value-table.ts'
import type { FieldGroup } from '../definition.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import type { BatchReader } from '../sinks/batch-reader.ts'

/**
 * Returns the table of questions.
 * @param groups The group of each question, in question order.
 * @param mayBeInvalid Whether to add a count of the invalid answers that were left out.
 */
export function fieldsTable(
  questions: readonly QuestionTally[],
  groups: readonly (FieldGroup | undefined)[],
  mayBeInvalid: boolean,
): BatchReader {
  const text = (name: string, value: (question: QuestionTally) => string) => {
    return { name, type: TEXT, values: questions.map(value) }
  }
  const flag = (name: string, value: (question: QuestionTally) => boolean) => {
    return { name, type: FLAG, values: questions.map(value) }
  }
  const count = (name: string, value: (question: QuestionTally) => number | undefined) => {
    return { name, type: COUNT, values: questions.map(value) }
  }
  return tableOfValues([
    text('field_id', (question) => question.id),
    text('name', (question) => question.name),
    text('column_name', (question) => question.column),
    text('data_type', (question) => question.dataType),
    text('text', (question) => question.text),
    { name: 'group_id', type: TEXT, values: groups.map((group) => group && groupId(group)) },
    flag('is_required', (question) => question.isRequired),
    flag('is_system', (question) => question.isSystem),
    flag('is_sensitive', (question) => question.isSensitive),
    flag('is_hashed', (question) => question.isHashed),
    text('visibility', (question) => question.visibility),
    { name: 'position', type: COUNT, values: questions.map((_, i) => i + 1) },
    count('answered', (question) => question.answered),
    count('skipped', (question) => question.skipped),
    ...(mayBeInvalid ? [count('invalid', (question) => question.invalid)] : []),
    count('not_asked', (question) => question.notAsked),
  ])
}

/** Returns the table of options. Options that occur only in records come last, without a name. */
export function optionsTable(questions: readonly QuestionTally[]): BatchReader {
  const options = questions.flatMap((question) =>
    question.options.map((option, i) => ({ ...option, fieldId: question.id, position: i + 1 })),
  )
  return tableOfValues([
    { name: 'field_id', type: TEXT, values: options.map((option) => option.fieldId) },
    { name: 'option_id', type: TEXT, values: options.map((option) => option.id) },
    { name: 'name', type: TEXT, values: options.map(({ name, isInDefinition }) => (isInDefinition ? name : null)) },
    { name: 'label', type: TEXT, values: options.map((option) => option.label) },
    { name: 'position', type: COUNT, values: options.map((option) => option.position) },
    { name: 'in_definition', type: FLAG, values: options.map((option) => option.isInDefinition) },
    { name: 'count', type: COUNT, values: options.map((option) => option.count) },
  ])
}

/** Returns the table of those groups that have a question in the export's columns. */
export function groupsTable(plans: readonly ColumnPlan[]): BatchReader {
  const groups = [...new Set(plans.flatMap(({ group }) => group ?? []))]
  return tableOfValues([
    { name: 'group_id', type: TEXT, values: groups.map(groupId) },
    { name: 'name', type: TEXT, values: groups.map((group) => group.name) },
    { name: 'text', type: TEXT, values: groups.map((group) => group.description) },
    { name: 'is_required', type: FLAG, values: groups.map((group) => group.isRequired) },
    { name: 'position', type: COUNT, values: groups.map((_, i) => i + 1) },
  ])
}

function groupId(group: FieldGroup): string {
  return group.id === '' ? group.name : group.id
}
