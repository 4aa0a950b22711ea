/** Damages a table of the star layout as a faulty writer would. */

import type { Difference } from '../src/verify/difference-log.ts'
import {
  column,
  longestTextShortened,
  named,
  swapped,
  type TableDamage,
  withField,
  withoutRow,
  withTexts,
  withValidity,
  withValues,
} from './table-damage.ts'

export interface StarDamage {
  readonly name: string
  readonly table: 'answers' | 'responses' | 'fields' | 'options' | 'groups'
  readonly damage: TableDamage['damage']
  readonly kind: Difference['kind']
}

const everywhere = true

function swappedIn(table: StarDamage['table'], name: string, kind: Difference['kind'] = 'cell'): StarDamage {
  return {
    name: `two values of ${name} that changed places`,
    table,
    kind,
    damage: column(named(name), swapped, everywhere),
  }
}

function shiftedIn(table: StarDamage['table'], name: string): StarDamage {
  const shifted: TableDamage['damage'] = column(
    named(name),
    (data) => withTexts(data, (texts) => texts.unshift(texts.pop() ?? null)),
    everywhere,
  )
  return { name: `rows of ${name} that are shifted`, table, kind: 'cell', damage: shifted }
}

function cutIn(table: StarDamage['table'], name: string): StarDamage {
  const cut = column(named(name), (data) => withTexts(data, longestTextShortened), everywhere)
  return { name: `a text of ${name} that was cut`, table, kind: 'cell', damage: cut }
}

function droppedFrom(table: StarDamage['table']): StarDamage {
  return { name: 'a row that was dropped', table, kind: 'rows', damage: withoutRow(1, 0) }
}

function countedWrong(table: StarDamage['table'], name: string): StarDamage {
  const damage = column(
    named(name),
    (data) =>
      withValues(data, (values, row) => {
        values[row] = Number(values[row]) + 1
      }),
    everywhere,
  )
  return { name: `a wrong ${name}`, table, kind: 'cell', damage }
}

const nullLost = (data: Parameters<typeof withValidity>[0]) => withValidity(data, true)
const valueLost = (data: Parameters<typeof withValidity>[0]) => withValidity(data, false)

export const STAR_DAMAGES: readonly StarDamage[] = [
  swappedIn('answers', 'option_id'),
  swappedIn('answers', 'field_id'),
  swappedIn('answers', 'state', 'state'),
  swappedIn('answers', 'value_double'),
  swappedIn('answers', 'value_datetime'),
  countedWrong('answers', 'position'),
  countedWrong('answers', 'record'),
  shiftedIn('answers', 'value_string'),
  cutIn('answers', 'value_string'),
  droppedFrom('answers'),
  { name: 'a null that was lost', table: 'answers', kind: 'cell', damage: column(named('value_double'), nullLost) },
  { name: 'a value that became null', table: 'answers', kind: 'cell', damage: column(named('position'), valueLost) },
  shiftedIn('responses', 'ownerId'),
  swappedIn('responses', 'lastUpdateDate'),
  countedWrong('responses', 'answered'),
  countedWrong('responses', 'skipped'),
  droppedFrom('responses'),
  shiftedIn('fields', 'field_id'),
  cutIn('fields', 'text'),
  countedWrong('fields', 'not_asked'),
  droppedFrom('fields'),
  shiftedIn('options', 'label'),
  shiftedIn('options', 'option_id'),
  countedWrong('options', 'count'),
  droppedFrom('options'),
  cutIn('groups', 'name'),
  {
    name: 'another column name',
    table: 'fields',
    kind: 'column',
    damage: withField(named('text'), (field) => field.clone({ name: 'x' })),
  },
]
