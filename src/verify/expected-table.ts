/** Computes the rows that the output must have, in any shape: a second implementation of the table options. */

import type { Field, Schema } from 'apache-arrow'
import type { FieldDefinition } from '../definition.ts'
import { numberedNames, SYSTEM_COLUMNS } from '../plan/names.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import { QUESTIONS_METADATA_KEY, ROLE_METADATA_KEY } from '../shape/metadata.ts'
import type { ShapeOptions } from '../shape/options.ts'
import type { Cell } from './answer-values.ts'
import { expectedHash } from './expected-hash.ts'
import { leafColumns } from './leaf-columns.ts'
import type { ReferenceReader, ReferenceRow } from './reference-reader.ts'

export type AnswerState = 'answered' | 'skipped' | 'not asked' | 'invalid'

/** One question in one record. */
interface Answer {
  readonly plan: ColumnPlan
  readonly field: FieldDefinition
  readonly state: AnswerState
  readonly cell: Cell
  /** Index of the decoded column. */
  readonly column: number
}

export interface AnsweredRecord {
  readonly number: number
  readonly ownerId: Cell
  readonly lastUpdateDate: Cell
  readonly isDateInvalid: boolean
  readonly extra: Cell
  /** In column order. */
  readonly answers: readonly Answer[]
}

type CellOf = (record: AnsweredRecord) => Cell

export class ExpectedTable {
  readonly #reference: ReferenceReader
  readonly #options: ShapeOptions
  /** Names of the questions as in `skipped`, with their group. */
  readonly #skippedNames: readonly string[]
  readonly #paths: readonly string[]
  /** Decoded columns by question id; the columns of questions are adjacent. */
  readonly #columns: ReadonlyMap<string, number>
  readonly #firstQuestion: number
  readonly #cells: readonly CellOf[]

  constructor(reference: ReferenceReader, options: ShapeOptions) {
    this.#reference = reference
    this.#options = options
    this.#paths = questionPaths(reference)
    this.#skippedNames = numberedNames(this.#paths, new Set())
    const questions = reference.columns.flatMap(({ field }, i): [string, number][] =>
      field === undefined ? [] : [[field.id, i]],
    )
    this.#columns = new Map(questions)
    this.#firstQuestion = questions[0]?.[1] ?? 0
    this.#cells = leafColumns(this.schema.fields).map(({ field }) => this.#cellOf(field))
  }

  get schema(): Schema {
    return this.#reference.schema
  }

  /** Whether invalid values became null. */
  get leavesOutInvalid(): boolean {
    return this.#options.onInvalid === 'null'
  }

  /** Returns the rows of one record, each with a cell per leaf column. */
  rowsOf(row: ReferenceRow): Cell[][] {
    const record = this.answered(row)
    if (this.#options.layout === 'long') return this.longRows(record)
    return [this.#cells.map((cellOf) => cellOf(record))]
  }

  /** Returns the dictionary of a leaf column after the last row; undefined if its order is arbitrary. */
  labelsOf(field: Field): readonly string[] | undefined {
    if (this.#options.layout === 'long') return undefined
    const role = field.metadata.get(ROLE_METADATA_KEY)
    const column = this.#columnOf(field)
    if (role === 'state') return ['answered', 'skipped', 'not asked', ...(this.leavesOutInvalid ? ['invalid'] : [])]
    if (role === 'invalid') return [SYSTEM_COLUMNS.lastUpdateDate, ...this.#skippedNames]
    if (role === 'other-options') return undefined
    if (column === -1) return this.#skippedNames
    const labels = this.#reference.labelsOf(column)
    const isId = role === 'id' || this.#options.values === 'id'
    return isId ? labels.map((label) => this.#reference.optionIdOf(column, label)) : labels
  }

  /** Returns the decoded column of a question; -1 for other columns. */
  #columnOf(field: Field): number {
    return this.#columns.get(field.metadata.get('alida:id') ?? '') ?? -1
  }

  /** Returns a record with the state of each question. */
  answered({ record, cells }: ReferenceRow): AnsweredRecord {
    const skipped = this.#names(cells, 'skipped')
    const invalid = this.#names(cells, 'invalid')
    const answers = this.#reference.columns.flatMap((plan, column): Answer[] => {
      const { field } = plan
      if (field === undefined) return []
      const cell = cells[column] ?? null
      const unanswered = invalid.has(plan.name) ? 'invalid' : skipped.has(plan.name) ? 'skipped' : 'not asked'
      const state = cell !== null ? 'answered' : unanswered
      return [{ plan, field, state, cell, column }]
    })
    const [ownerId = null, lastUpdateDate = null] = cells
    const { hashOwner, hashKey = '' } = this.#options
    return {
      number: record,
      ownerId: hashOwner === true ? expectedHash(ownerId, undefined, hashKey) : ownerId,
      lastUpdateDate,
      isDateInvalid: invalid.has(SYSTEM_COLUMNS.lastUpdateDate),
      extra: cells[this.#reference.columns.findIndex(({ source }) => source === 'extra')] ?? null,
      answers,
    }
  }

  /** Returns the names in a column of lists of them; empty if there is no such column. */
  #names(cells: readonly Cell[], source: 'skipped' | 'invalid'): ReadonlySet<string> {
    const column = this.#reference.columns.findIndex((plan) => plan.source === source)
    return new Set(column === -1 ? [] : (cells[column] as readonly string[]))
  }

  /** Returns the ids of the chosen options; undefined if the question has no options. */
  optionIds({ column, plan, cell }: Answer): readonly string[] | undefined {
    if (plan.type !== 'dictionary' && plan.type !== 'list') return undefined
    return chosenLabels(cell).map((label) => this.#reference.optionIdOf(column, label))
  }

  #cellOf(field: Field): CellOf {
    const { metadata, name } = field
    const column = this.#columnOf(field)
    const question = column - this.#firstQuestion
    switch (metadata.get(ROLE_METADATA_KEY)) {
      case 'state':
        return (record) => record.answers[question]?.state ?? null
      case 'option':
        return ({ answers }) => this.#isChosen(answers[question], metadata.get('alida:option') ?? '')
      case 'id':
        return ({ answers }) => this.#ids(answers[question])
      case 'other-options':
        return (record) => this.#otherOptions(record)
      case 'invalid':
        return (record) => [
          ...(record.isDateInvalid ? [SYSTEM_COLUMNS.lastUpdateDate] : []),
          ...this.#namesInState(record, 'invalid'),
        ]
      case 'extra':
        return (record) => record.extra
    }
    if (column !== -1) return ({ answers }) => this.#shown(answers[question])
    if (name === 'ownerId') return (record) => record.ownerId
    if (name === 'lastUpdateDate') return (record) => record.lastUpdateDate
    return (record) => this.#namesInState(record, 'skipped')
  }

  #namesInState({ answers }: AnsweredRecord, state: AnswerState): string[] {
    return this.#skippedNames.filter((_, i) => answers[i]?.state === state)
  }

  /** Returns the answer as its column shows it. */
  #shown(answer: Answer | undefined): Cell {
    if (answer === undefined) return null
    const { plan, cell } = answer
    if (plan.isHashed === true) return expectedHash(cell, this.optionIds(answer), this.#options.hashKey ?? '')
    const hasOptions = plan.type === 'dictionary' || plan.type === 'list'
    return this.#options.values === 'id' && hasOptions ? this.#ids(answer) : cell
  }

  #ids(answer: Answer | undefined): Cell {
    if (answer === undefined || answer.cell === null) return null
    const ids = this.optionIds(answer) ?? []
    return answer.plan.type === 'list' ? ids : (ids[0] ?? null)
  }

  #isChosen(answer: Answer | undefined, optionId: string): Cell {
    return answer === undefined || answer.cell === null ? null : (this.optionIds(answer) ?? []).includes(optionId)
  }

  /** Returns the chosen options outside the definition, of sets without a list column. */
  #otherOptions({ answers }: AnsweredRecord): string[] {
    return answers.flatMap((answer, i) => {
      const { plan, field } = answer
      if (plan.type !== 'list' || plan.isHashed === true || field.options.length === 0) return []
      const known = new Set(field.options.map(({ id }) => id))
      const optionIds = this.optionIds(answer) ?? []
      return optionIds.filter((id) => !known.has(id)).map((id) => `${this.#paths[i]}: ${id}`)
    })
  }

  /** Returns one row per question that was asked, or per chosen option of a set. */
  longRows(record: AnsweredRecord): Cell[][] {
    const { ownerId, lastUpdateDate, number } = record
    return record.answers.flatMap((answer): Cell[][] => {
      const { plan, field, state } = answer
      if (state === 'not asked') return []
      const start = [ownerId, lastUpdateDate, number, field.id, plan.name, plan.group?.name ?? null, state]
      return this.#longValues(answer).map((values) => [...start, ...values])
    })
  }

  /** Returns `option_id`, `option_label`, `value_double`, `value_datetime`, `value_string`, `position`. */
  #longValues(answer: Answer): Cell[][] {
    const { plan, cell } = answer
    const optionIds = this.optionIds(answer)
    if (plan.isHashed === true || optionIds === undefined) {
      const value = this.#shown(answer)
      if (plan.isHashed !== true && plan.type === 'double') return [[null, null, value, null, null, null]]
      if (plan.isHashed !== true && plan.type === 'timestamp') return [[null, null, null, value, null, null]]
      return [[null, null, null, null, value, null]]
    }
    if (optionIds.length === 0) return [[null, null, null, null, null, null]]
    const labels = chosenLabels(cell)
    const position = (i: number) => (plan.type === 'list' ? i + 1 : null)
    return optionIds.map((id, i) => [id, labels[i] ?? null, null, null, null, position(i)])
  }
}

/** Returns the paths of the questions: `group.member` inside a struct, else the column's name. */
function questionPaths({ schema, columns }: ReferenceReader): string[] {
  const listed = schema.metadata.get(QUESTIONS_METADATA_KEY)
  if (listed !== undefined) return (JSON.parse(listed) as { column: string }[]).map(({ column }) => column)
  return columns.filter((plan) => plan.field !== undefined).map((plan) => plan.name)
}

function chosenLabels(cell: Cell): readonly string[] {
  return cell === null ? [] : ([cell].flat() as string[])
}
