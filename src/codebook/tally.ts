/** Counts how each question was answered, from the rows of a table of any shape. */

import type { Data, RecordBatch, Schema } from 'apache-arrow'
import { ROLE_METADATA_KEY, SHAPE_METADATA_KEY } from '../shape/metadata.ts'
import { countLabels, countTrue, increase, noteOptionIds } from './label-counts.ts'
import { countLongRows, isLongTable } from './long-counts.ts'
import {
  type ColumnPath,
  columnsByQuestion,
  type OptionFacts,
  type QuestionColumns,
  type QuestionFacts,
  questionFacts,
} from './question-facts.ts'

export interface OptionTally extends OptionFacts {
  readonly count: number
  /** False for options that occur in records but not in the definition. */
  readonly isInDefinition: boolean
}

export interface QuestionTally extends QuestionFacts {
  readonly answered: number
  /** Undefined if the table does not distinguish skipped from not asked. */
  readonly skipped: number | undefined
  /** Records whose invalid answer was left out; 0 if the table does not record it. */
  readonly invalid: number
  readonly notAsked: number | undefined
  readonly options: readonly OptionTally[]
}

/** Running counts of one question; options by their text in the table, a label or an id. */
export interface QuestionCounts {
  answered: number
  skipped: number
  invalid: number
  readonly options: Map<string, number>
  /** Ids, if known, of the options outside the definition, by label. */
  readonly unknownIds: Map<string, string>
}

export class Tally {
  readonly #facts: readonly QuestionFacts[]
  readonly #columns: ReadonlyMap<string, QuestionColumns>
  readonly #counts: ReadonlyMap<string, QuestionCounts>
  readonly #skippedColumn: number
  readonly #invalidColumn: number
  readonly #otherOptionsColumn: number
  readonly #isLong: boolean
  readonly #tellsSkipped: boolean
  readonly #hasIds: boolean
  /** By column name. */
  readonly #skipped = new Map<string, number>()
  readonly #invalid = new Map<string, number>()
  /** By `<column>: <option id>`. */
  readonly #otherOptions = new Map<string, number>()
  #records = 0

  /** @throws SourceError `ERR_SOURCE` when the schema is not one of this package's. */
  constructor(schema: Schema) {
    this.#facts = questionFacts(schema)
    this.#columns = columnsByQuestion(schema)
    this.#counts = new Map(
      this.#facts.map(({ id }) => [
        id,
        { answered: 0, skipped: 0, invalid: 0, options: new Map(), unknownIds: new Map() },
      ]),
    )
    this.#isLong = isLongTable(schema)
    this.#skippedColumn = schema.fields.findIndex(
      ({ name, metadata }) => name === 'skipped' && !metadata.has('alida:id'),
    )
    this.#invalidColumn = schema.fields.findIndex(({ metadata }) => metadata.get(ROLE_METADATA_KEY) === 'invalid')
    this.#otherOptionsColumn = schema.fields.findIndex(
      ({ metadata }) => metadata.get(ROLE_METADATA_KEY) === 'other-options',
    )
    const shape = JSON.parse(schema.metadata.get(SHAPE_METADATA_KEY) ?? '{}') as Record<string, unknown>
    this.#tellsSkipped = shape.answerStates !== 'none'
    this.#hasIds = shape.values === 'id' || this.#isLong
  }

  /** Number of records; of a long table, up to the last one that has a row. */
  get records(): number {
    return this.#records
  }

  add(batch: RecordBatch): void {
    if (this.#isLong) {
      this.#records = Math.max(this.#records, countLongRows(batch, this.#counts))
      return
    }
    const { children } = batch.data
    this.#records += batch.numRows
    for (const facts of this.#facts) this.#addQuestion(batch.data, facts)
    if (this.#skippedColumn >= 0) countLabels(children[this.#skippedColumn]!, this.#skipped)
    if (this.#invalidColumn >= 0) countLabels(children[this.#invalidColumn]!, this.#invalid)
    if (this.#otherOptionsColumn >= 0) countLabels(children[this.#otherOptionsColumn]!, this.#otherOptions)
  }

  /**
   * Returns the counts of all questions.
   * @param records Number of records, if known from elsewhere than the rows of a long table.
   */
  questions(records: number = this.#records): QuestionTally[] {
    const others = this.#othersByColumn()
    return this.#facts.map((facts) => {
      const { answered, skipped, invalid, options, unknownIds } = this.#counts.get(facts.id)!
      const allSkipped = skipped + (this.#skipped.get(facts.column) ?? 0)
      const allInvalid = invalid + (this.#invalid.get(facts.column) ?? 0)
      const known = facts.options.map((option) => {
        const count = options.get(this.#textOf(option)) ?? 0
        return { ...option, count, isInDefinition: true }
      })
      const texts = new Set(facts.options.map((option) => this.#textOf(option)))
      const unknown = [...options, ...(others.get(facts.column) ?? [])].filter(([text]) => !texts.has(text))
      return {
        ...facts,
        answered,
        skipped: this.#tellsSkipped ? allSkipped : undefined,
        invalid: allInvalid,
        notAsked: this.#tellsSkipped ? records - answered - allSkipped - allInvalid : undefined,
        options: [
          ...known,
          ...unknown.map(([text, count]) => {
            return { id: unknownIds.get(text) ?? text, name: '', label: text, count, isInDefinition: false }
          }),
        ],
      }
    })
  }

  #textOf({ id, label }: OptionFacts): string {
    return this.#hasIds ? id : label
  }

  #addQuestion(batch: Data, { id, options }: QuestionFacts): void {
    const counts = this.#counts.get(id)!
    const { answers, state, flags } = this.#columns.get(id) ?? { flags: new Map<string, ColumnPath>() }
    const shown = answers ?? flags.values().next().value
    if (shown !== undefined) {
      const column = columnAt(batch, shown)
      counts.answered += column.length - column.nullCount
    }
    if (answers !== undefined) {
      countLabels(columnAt(batch, answers), counts.options)
      noteOptionIds(columnAt(batch, answers), options.length, counts.unknownIds)
    } else {
      for (const option of options) {
        const path = flags.get(option.id)
        if (path !== undefined) increase(counts.options, this.#textOf(option), countTrue(columnAt(batch, path)))
      }
    }
    if (state === undefined) return
    const states = new Map<string, number>()
    countLabels(columnAt(batch, state), states)
    counts.skipped += states.get('skipped') ?? 0
    counts.invalid += states.get('invalid') ?? 0
  }

  /** Groups other options by column. A column's name may begin with another's, so the longest match wins. */
  #othersByColumn(): Map<string, [string, number][]> {
    const columns = this.#facts.map((facts) => facts.column).sort((a, b) => b.length - a.length)
    const others = new Map<string, [string, number][]>()
    for (const [text, count] of this.#otherOptions) {
      const column = columns.find((name) => text.startsWith(`${name}: `))
      if (column === undefined) continue
      others.set(column, [...(others.get(column) ?? []), [text.slice(column.length + 2), count]])
    }
    return others
  }
}

function columnAt(batch: Data, path: ColumnPath): Data {
  return path.reduce((data, child) => data.children[child]!, batch)
}
