/** The rows that the output must have, whatever shape was asked for: the options of the table, a second time. */

import type { Field, Schema } from 'apache-arrow'
import type { FieldDefinition } from '../definition.ts'
import { numberedNames } from '../names.ts'
import type { ColumnPlan } from '../schema.ts'
import { QUESTIONS_METADATA_KEY, ROLE_METADATA_KEY } from '../shape/metadata.ts'
import type { ShapeOptions } from '../shape/options.ts'
import type { Cell } from './answer-values.ts'
import { expectedHash } from './expected-hash.ts'
import { leafColumns } from './leaf-columns.ts'
import type { ReferenceReader, ReferenceRow } from './reference-reader.ts'

export type AnswerState = 'answered' | 'skipped' | 'not asked'

/** One question in one record. */
interface Answer {
  readonly plan: ColumnPlan
  readonly field: FieldDefinition
  readonly state: AnswerState
  readonly cell: Cell
  /** Ids of the chosen options; undefined where the question has none. */
  readonly optionIds: readonly string[] | undefined
}

interface AnsweredRecord {
  readonly number: number
  readonly ownerId: Cell
  readonly lastUpdateDate: Cell
  /** In the order of the columns. */
  readonly answers: readonly Answer[]
}

type CellOf = (record: AnsweredRecord) => Cell

export class ExpectedTable {
  readonly #reference: ReferenceReader
  readonly #options: ShapeOptions
  /** Names of the questions, as `skipped` has them, and as they are called with their group. */
  readonly #skippedNames: readonly string[]
  readonly #paths: readonly string[]
  readonly #cells: readonly CellOf[]

  constructor(reference: ReferenceReader, options: ShapeOptions) {
    this.#reference = reference
    this.#options = options
    this.#paths = questionPaths(reference)
    this.#skippedNames = numberedNames(this.#paths, new Set())
    this.#cells = leafColumns(this.schema.fields).map(({ field }) => this.#cellOf(field))
  }

  get schema(): Schema {
    return this.#reference.schema
  }

  /** The rows of one record, each with a cell for every leaf column. */
  rowsOf(row: ReferenceRow): Cell[][] {
    const record = this.#answered(row)
    if (this.#options.layout === 'long') return longRows(record, this.#shown.bind(this))
    return [this.#cells.map((cellOf) => cellOf(record))]
  }

  /** The dictionary of a leaf column behind the last row; undefined where its order says nothing. */
  labelsOf(field: Field): readonly string[] | undefined {
    if (this.#options.layout === 'long') return undefined
    const role = field.metadata.get(ROLE_METADATA_KEY)
    const column = this.#columnOf(field)
    if (role === 'state') return ['answered', 'skipped', 'not asked']
    if (role === 'other-options') return undefined
    if (column === -1) return this.#skippedNames
    const labels = this.#reference.labelsOf(column)
    const isId = role === 'id' || this.#options.values === 'id'
    return isId ? labels.map((label) => this.#reference.optionIdOf(column, label)) : labels
  }

  #columnOf(field: Field): number {
    const id = field.metadata.get('alida:id')
    return this.#reference.columns.findIndex((plan) => plan.field !== undefined && plan.field.id === id)
  }

  #answered({ record, cells }: ReferenceRow): AnsweredRecord {
    const skipped = new Set(cells.at(-1) as readonly string[])
    const answers = this.#reference.columns.flatMap((plan, column): Answer[] => {
      const { field } = plan
      if (field === undefined) return []
      const cell = cells[column] ?? null
      const state = cell !== null ? 'answered' : skipped.has(plan.name) ? 'skipped' : 'not asked'
      return [{ plan, field, state, cell, optionIds: this.#optionIds(column, plan, cell) }]
    })
    const [ownerId = null, lastUpdateDate = null] = cells
    const { hashOwner, hashKey = '' } = this.#options
    return {
      number: record,
      ownerId: hashOwner === true ? expectedHash(ownerId, undefined, hashKey) : ownerId,
      lastUpdateDate,
      answers,
    }
  }

  #optionIds(column: number, { type }: ColumnPlan, cell: Cell): readonly string[] | undefined {
    if (type !== 'dictionary' && type !== 'list') return undefined
    const labels = cell === null ? [] : ([cell].flat() as string[])
    return labels.map((label) => this.#reference.optionIdOf(column, label))
  }

  #cellOf(field: Field): CellOf {
    const { metadata, name } = field
    const question = this.#questionOf(field)
    switch (metadata.get(ROLE_METADATA_KEY)) {
      case 'state':
        return (record) => record.answers[question]?.state ?? null
      case 'option':
        return ({ answers }) => chosen(answers[question], metadata.get('alida:option') ?? '')
      case 'id':
        return ({ answers }) => idsOf(answers[question])
      case 'other-options':
        return (record) => this.#otherOptions(record)
    }
    if (question !== -1) return ({ answers }) => this.#shown(answers[question])
    if (name === 'ownerId') return (record) => record.ownerId
    if (name === 'lastUpdateDate') return (record) => record.lastUpdateDate
    return ({ answers }) => this.#skippedNames.filter((_, i) => answers[i]?.state === 'skipped')
  }

  #questionOf(field: Field): number {
    const questions = this.#reference.columns.filter((plan) => plan.field !== undefined)
    return questions.findIndex((plan) => plan.field?.id === field.metadata.get('alida:id'))
  }

  /** The answer as its own column shows it. */
  #shown(answer: Answer | undefined): Cell {
    if (answer === undefined) return null
    const { plan, cell, optionIds } = answer
    if (plan.isHashed === true) return expectedHash(cell, optionIds, this.#options.hashKey ?? '')
    return this.#options.values === 'id' && optionIds !== undefined ? idsOf(answer) : cell
  }

  /** Chosen options that the definition does not know, of the sets that have no list. */
  #otherOptions({ answers }: AnsweredRecord): string[] {
    return answers.flatMap(({ plan, field, optionIds = [] }, i) => {
      if (plan.type !== 'list' || plan.isHashed === true || field.options.length === 0) return []
      const known = new Set(field.options.map(({ id }) => id))
      return optionIds.filter((id) => !known.has(id)).map((id) => `${this.#paths[i]}: ${id}`)
    })
  }
}

/** `group.member` inside of a struct, else the column's name. */
function questionPaths({ schema, columns }: ReferenceReader): string[] {
  const listed = schema.metadata.get(QUESTIONS_METADATA_KEY)
  if (listed !== undefined) return (JSON.parse(listed) as { column: string }[]).map(({ column }) => column)
  return columns.filter((plan) => plan.field !== undefined).map((plan) => plan.name)
}

function idsOf(answer: Answer | undefined): Cell {
  if (answer === undefined || answer.cell === null) return null
  const ids = answer.optionIds ?? []
  return answer.plan.type === 'list' ? ids : (ids[0] ?? null)
}

function chosen(answer: Answer | undefined, optionId: string): Cell {
  return answer === undefined || answer.cell === null ? null : (answer.optionIds ?? []).includes(optionId)
}

/** A row for every question that was asked, and for every option that was chosen in a set. */
function longRows(record: AnsweredRecord, shown: (answer: Answer) => Cell): Cell[][] {
  return record.answers.flatMap((answer): Cell[][] => {
    const { plan, field, state, cell } = answer
    if (state === 'not asked') return []
    const start = [
      record.ownerId,
      record.lastUpdateDate,
      record.number,
      field.id,
      plan.name,
      plan.group?.name ?? null,
      state,
    ]
    const value = shown(answer)
    if (plan.isHashed === true || answer.optionIds === undefined) {
      const type = plan.isHashed === true ? 'utf8' : plan.type
      const isText = type !== 'double' && type !== 'timestamp'
      const values = [type === 'double' ? value : null, type === 'timestamp' ? value : null, isText ? value : null]
      return [[...start, null, null, ...values, null]]
    }
    const labels = cell === null ? [] : ([cell].flat() as string[])
    if (labels.length === 0) return [[...start, null, null, null, null, null, null]]
    return labels.map((label, i) => [
      ...start,
      answer.optionIds?.[i] ?? null,
      label,
      null,
      null,
      null,
      plan.type === 'list' ? i + 1 : null,
    ])
  })
}
