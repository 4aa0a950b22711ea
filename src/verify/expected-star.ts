/** Computes the rows that the tables of the star layout must have. */

import type { FieldGroup } from '../definition.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import type { ShapeOptions } from '../shape/options.ts'
import type { Cell } from './answer-values.ts'
import { type AnsweredRecord, type AnswerState, ExpectedTable } from './expected-table.ts'
import type { ReferenceReader, ReferenceRow } from './reference-reader.ts'
import type { ExpectedColumn } from './table-comparison.ts'

const TEXT = 'utf8'
const LABEL = 'dictionary<utf8>'
const COUNT = 'Int32'
const FLAG = 'Bool'

/** Indices of the columns of `answers` in a row of the long layout. */
const ANSWER_CELLS = [2, 3, 6, 7, 9, 10, 11, 12]

export class ExpectedStar {
  readonly columns: Readonly<Record<'answers' | 'responses' | 'fields' | 'options' | 'groups', ExpectedColumn[]>>
  readonly #reference: ReferenceReader
  readonly #long: ExpectedTable
  readonly #states: readonly AnswerState[]
  readonly #keepsUnknown: boolean
  /** Count of each option by id, per question; the definition's options first. */
  readonly #chosen: readonly Map<string, number>[]

  constructor(reference: ReferenceReader, options: ShapeOptions) {
    this.#reference = reference
    this.#long = new ExpectedTable(reference, { ...options, layout: 'long' })
    const leavesOutInvalid = options.onInvalid === 'null'
    this.#keepsUnknown = options.keepUnknown === true
    this.#states = ['answered', 'skipped', 'not asked', ...(leavesOutInvalid ? (['invalid'] as const) : [])]
    this.#chosen = this.#plans.map((plan) => new Map(hasOptions(plan) ? optionIds(plan).map((id) => [id, 0]) : []))
    const instant = options.timezone === 'naive' ? 'timestamp[us]' : 'timestamp[us, UTC]'
    this.columns = columnsOf(instant, leavesOutInvalid, this.#keepsUnknown)
  }

  /** Returns one record's rows in `answers` and its row in `responses`. Must be called once per record, in order. */
  rowsOf(row: ReferenceRow): { answers: Cell[][]; response: Cell[] } {
    const record = this.#long.answered(row)
    for (const [i, answer] of record.answers.entries()) {
      if (!hasOptions(answer.plan)) continue
      const counts = this.#chosen[i]
      for (const id of this.#long.optionIds(answer) ?? []) counts?.set(id, (counts.get(id) ?? 0) + 1)
    }
    const answers = this.#long.longRows(record).map((cells) => ANSWER_CELLS.map((i) => cells[i] ?? null))
    return { answers, response: this.#response(record) }
  }

  #response({ number, ownerId, lastUpdateDate, answers, extra }: AnsweredRecord): Cell[] {
    const counts = this.#states.map((state) => answers.filter((answer) => answer.state === state).length)
    return [number, ownerId, lastUpdateDate, ...counts, ...(this.#keepsUnknown ? [extra] : [])]
  }

  get #plans(): ColumnPlan[] {
    return this.#reference.columns.filter((plan) => plan.field !== undefined)
  }

  /** Complete after the last record, like `options` and `groups`. */
  get fields(): Cell[][] {
    const { questions } = this.#reference
    return questions.flatMap(({ column, answered, skipped, invalid, notAsked }, i): Cell[][] => {
      const { field, group, name, text, isHashed } = column
      if (field === undefined) return []
      const facts = [field.id, field.name, name, field.dataType, text ?? field.description]
      const groupId = group === undefined ? null : idOfGroup(group)
      const flags = [field.isRequired, field.isSystem, field.isSensitive, isHashed === true]
      const counts = [answered, skipped, ...(this.#states.length === 4 ? [invalid] : []), notAsked]
      return [[...facts, groupId, ...flags, field.visibility, i + 1, ...counts]]
    })
  }

  get options(): Cell[][] {
    return this.#plans.flatMap((plan, i) => {
      const known = optionIds(plan)
      return [...(this.#chosen[i] ?? [])].map(([id, count], k): Cell[] => {
        const name = known[k] === id ? (plan.field?.options[k]?.name ?? null) : null
        const label = this.#reference.labelsOf(this.#reference.columns.indexOf(plan))[k] ?? null
        return [plan.field?.id ?? null, id, name, label, k + 1, k < known.length, count]
      })
    })
  }

  get groups(): Cell[][] {
    const groups = [...new Set(this.#plans.flatMap(({ group }) => group ?? []))]
    return groups.map((group, i) => [idOfGroup(group), group.name, group.description, group.isRequired, i + 1])
  }
}

function columnsOf(instant: string, leavesOutInvalid: boolean, keepsUnknown: boolean): ExpectedStar['columns'] {
  const invalid = leavesOutInvalid ? { invalid: COUNT } : {}
  const extra = keepsUnknown ? { _extra: TEXT } : {}
  const states = { answered: COUNT, skipped: COUNT, not_asked: COUNT, ...invalid }
  const values = { value_double: 'float64', value_datetime: instant, value_string: TEXT }
  const ids = { field_id: TEXT, name: TEXT, column_name: TEXT, data_type: TEXT, text: TEXT, group_id: TEXT }
  const flags = { is_required: FLAG, is_system: FLAG, is_sensitive: FLAG, is_hashed: FLAG }
  const counts = { position: COUNT, answered: COUNT, skipped: COUNT, ...invalid, not_asked: COUNT }
  return {
    answers: columnList({ record: COUNT, field_id: LABEL, state: LABEL, option_id: LABEL, ...values, position: COUNT }),
    responses: columnList({ record: COUNT, ownerId: TEXT, lastUpdateDate: instant, ...states, ...extra }),
    fields: columnList({ ...ids, ...flags, visibility: TEXT, ...counts }),
    options: columnList({
      field_id: TEXT,
      option_id: TEXT,
      name: TEXT,
      label: TEXT,
      position: COUNT,
      in_definition: FLAG,
      count: COUNT,
    }),
    groups: columnList({ group_id: TEXT, name: TEXT, text: TEXT, is_required: FLAG, position: COUNT }),
  }
}

function columnList(types: Readonly<Record<string, string>>): ExpectedColumn[] {
  return Object.entries(types).map(([name, type]) => ({ name, type }))
}

/** Whether a question's options are listed: those of a hashed question must not be. */
function hasOptions(plan: ColumnPlan): boolean {
  return plan.isHashed !== true && (plan.type === 'dictionary' || plan.type === 'list')
}

function optionIds(plan: ColumnPlan): string[] {
  return plan.field?.options.map(({ id }) => id) ?? []
}

function idOfGroup(group: FieldGroup): string {
  return group.id === '' ? group.name : group.id
}
