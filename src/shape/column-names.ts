/** Names of the questions' columns, at the top level of the table or inside the struct of their group. */

import type { Definition, FieldDefinition, FieldGroup } from '../definition.ts'
import { memberName, type Naming, questionNames, uniqueNames, wantedName } from '../plan/name-modes.ts'
import { folded, SYSTEM_COLUMNS } from '../plan/names.ts'
import { type ColumnPlan, groupByFieldId } from '../plan/schema.ts'

/** A part of the table in which names must differ. */
export interface Namespace {
  /** Names in use, in lower case. Includes questions without a column, so that a selection does not change names. */
  readonly used: Set<string>
  /** The struct that the names are in; undefined at the top level. */
  readonly group?: { readonly definition: FieldGroup; readonly name: string }
}

export interface QuestionName {
  readonly name: string
  readonly namespace: Namespace
}

export interface TableNames {
  /** The names at the top level, including those of groups. */
  readonly top: Namespace
  readonly of: ReadonlyMap<ColumnPlan, QuestionName>
}

/** Chooses the names of the planned questions. */
export function namesOf(
  plans: readonly ColumnPlan[],
  definition: Definition,
  naming: Naming,
  groups: 'flat' | 'struct',
): TableNames {
  const questions = plans.filter((plan) => plan.field !== undefined)
  const top: Namespace = { used: new Set(Object.values(SYSTEM_COLUMNS).map(folded)) }
  if (groups === 'struct') return { top, of: structNames(questions, definition, naming, top) }
  questionNames(definition.fields, naming, top.used)
  return { top, of: new Map(questions.map((plan) => [plan, { name: plan.name, namespace: top }])) }
}

/** Returns the name of a question in `skipped` and in the metadata: `group.member` inside a struct. */
export function pathOf({ name, namespace }: QuestionName): string {
  return namespace.group === undefined ? name : `${namespace.group.name}.${name}`
}

/** What represents a question at the top level: the question itself, or its group. */
type TopItem = FieldDefinition | FieldGroup

function structNames(
  questions: readonly ColumnPlan[],
  definition: Definition,
  naming: Naming,
  top: Namespace,
): Map<ColumnPlan, QuestionName> {
  const groupOf = groupByFieldId(definition.fieldGroups)
  const topOf = (field: FieldDefinition): TopItem => groupOf.get(field.id) ?? field
  const items = [...new Set(definition.fields.map(topOf))]
  const topNames = uniqueNames(
    items.map((item) => ({ wanted: wantedName(item, naming), key: item.id === '' ? item.name : item.id })),
    naming.mode,
    top.used,
  )
  const names = new Map<string, QuestionName>()
  for (const [i, item] of items.entries()) {
    const name = topNames[i]!
    if (!('fieldIds' in item)) {
      names.set(item.id, { name, namespace: top })
      continue
    }
    const members = definition.fields.filter((field) => topOf(field) === item)
    const namespace: Namespace = { used: new Set(), group: { definition: item, name } }
    const wishes = members.map((field) => ({ wanted: memberName(field, item, naming), key: field.id }))
    for (const [k, member] of uniqueNames(wishes, naming.mode, namespace.used).entries()) {
      names.set(members[k]!.id, { name: member, namespace })
    }
  }
  return new Map(questions.map((plan) => [plan, names.get(plan.field!.id)!]))
}
