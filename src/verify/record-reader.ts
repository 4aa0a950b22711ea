/** One record → one row of the table. */

import type { Definition, FieldDefinition } from '../definition.ts'
import { type ExportError, type Place, ValueError } from '../errors.ts'
import type { ColumnPlan } from '../schema.ts'
import type { WarningLog } from '../warnings.ts'
import { AnswerReader, type Cell, IdIndex, instantOf, Misfit, type Note, textOf } from './answer-values.ts'
import { type JsonNode, JsonNumber, JsonObject, JsonString, nodeKind } from './json-tree.ts'

/** How a question was answered, over all records. */
export interface AnswerTally {
  answered: number
  skipped: number
  notAsked: number
}

interface Question {
  readonly field: FieldDefinition
  /** Undefined for a question that is not selected. */
  readonly column: number | undefined
}

/** Keys that have a meaning in a record and in an answer, and may stand there only once. */
const RECORD_KEYS = ['ownerId', 'lastUpdateDate', 'fields']
const ANSWER_KEYS = ['id', 'values']

export class RecordReader {
  /** By column; of questions only. */
  readonly tallies: (AnswerTally | undefined)[]
  readonly #columns: readonly ColumnPlan[]
  readonly #warnings: WarningLog
  readonly #readers: (AnswerReader | undefined)[]
  readonly #questions = new IdIndex<Question>()

  constructor(columns: readonly ColumnPlan[], definition: Definition, warnings: WarningLog) {
    this.#columns = columns
    this.#warnings = warnings
    this.#readers = columns.map((plan) => (plan.field === undefined ? undefined : new AnswerReader(plan, plan.field)))
    this.tallies = columns.map((plan) =>
      plan.field === undefined ? undefined : { answered: 0, skipped: 0, notAsked: 0 },
    )
    const byField = new Map(columns.map((plan, i) => [plan.field, i]))
    for (const field of definition.fields) this.#questions.set(field.id, { field, column: byField.get(field) })
  }

  /** The dictionary of a column so far. */
  labelsOf(column: number): readonly string[] {
    return this.#readers[column]?.labels ?? this.#columns[column]?.labels ?? []
  }

  /** The id of the option that a label stands for. */
  optionIdOf(column: number, label: string): string {
    const id = this.#readers[column]?.optionIds.get(label)
    if (id === undefined) throw new Error('unreachable: a label without an option')
    return id
  }

  /** @throws ExportError with record, owner and field, but without a byte offset. */
  read(record: JsonNode, number: number): Cell[] {
    const place: Place = { record: number }
    const { ownerId, lastUpdateDate, fields } = membersOf(record, RECORD_KEYS, 'a record', place)
    const notes: Note[] = []
    const owner = this.#ownerId(ownerId, notes, place)
    if (owner !== null) place.ownerId = owner
    const updated = this.#lastUpdateDate(lastUpdateDate, place)
    for (const note of notes) this.#warn(note)
    const answers = this.#answers(fields, place)
    const skipped: string[] = []
    return this.#columns.map((plan, i) => {
      switch (plan.source) {
        case 'ownerId':
          return owner
        case 'lastUpdateDate':
          return updated
        case 'skipped':
          return skipped
        case 'field':
          if (answers.get(i) === null) skipped.push(plan.name)
          return this.#tallied(i, answers.get(i))
      }
      throw new Error(`unreachable: column source ${plan.source satisfies never}`)
    })
  }

  #ownerId(value: JsonNode | undefined, notes: Note[], place: Place): string | null {
    if (value === undefined || value === null) {
      this.#warnings.add('owner-id-missing')
      return null
    }
    if (Array.isArray(value) || value instanceof JsonObject) throw badRecord('ownerId to be a text', value, place)
    return textOf(value, notes)
  }

  #lastUpdateDate(value: JsonNode | undefined, place: Place): bigint | null {
    if (value !== undefined && value !== null) {
      return placed({ ...place, member: 'lastUpdateDate' }, () => instantOf(value))
    }
    this.#warnings.add('last-update-date-missing')
    return null
  }

  /** Cells by column; a column that was not asked has none. */
  #answers(fields: JsonNode | undefined, place: Place): Map<number, Cell> {
    const answers = new Map<number, Cell>()
    const repeated = new Set<number>()
    if (fields === undefined || fields === null) return answers
    if (!Array.isArray(fields)) throw badRecord('fields to be an array', fields, place)
    for (const answer of fields) {
      const { id, values } = membersOf(answer, ANSWER_KEYS, 'an answer', place)
      if (!(id instanceof JsonString || id instanceof JsonNumber)) throw badRecord('an answer with an id', id, place)
      const fieldId = id instanceof JsonString ? id.value.toWellFormed() : id.text
      const question = this.#questions.get(fieldId)
      if (question === undefined) this.#unknownField(fieldId, values)
      else if (question.column !== undefined)
        this.#answer(question.column, question.field, values, answers, repeated, place)
    }
    return answers
  }

  #answer(
    column: number,
    field: FieldDefinition,
    values: JsonNode | undefined,
    answers: Map<number, Cell>,
    repeated: Set<number>,
    place: Place,
  ): void {
    const at = { ...place, fieldName: field.name, fieldId: field.id }
    const notes: Note[] = []
    const cell = placed(at, () => this.#readers[column]?.read(values, notes) ?? null)
    const earlier = answers.get(column)
    if (earlier === undefined) {
      answers.set(column, cell)
      for (const note of notes) this.#warn(note)
      return
    }
    // The same number written with another sign of zero is no other answer.
    if (earlier !== cell && !sameCell(earlier, cell)) {
      throw new ValueError('ERR_FIELD_REPEATED', 'expected a field once in a record, found two different answers', at)
    }
    if (!repeated.has(column)) this.#warnings.add('field-repeated', field)
    repeated.add(column)
  }

  #unknownField(id: string, values: JsonNode | undefined): void {
    const isNull = values === undefined || values === null
    this.#warnings.add('unknown-field', { id: ` ${id}`.slice(1) }, isNull ? 'null' : undefined)
  }

  #tallied(column: number, answer: Cell | undefined): Cell {
    const tally = this.tallies[column]
    if (tally !== undefined) tally[answer === undefined ? 'notAsked' : answer === null ? 'skipped' : 'answered']++
    return answer ?? null
  }

  #warn(note: Note): void {
    this.#warnings.add(note.kind, note.field, note.detail)
  }
}

/** Whether two cells are the same to the last bit: negative zero is not zero. */
export function sameCell(a: Cell, b: Cell): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return Object.is(a, b)
  return a.length === b.length && a.every((label, i) => label === b[i])
}

function membersOf(
  node: JsonNode,
  keys: readonly string[],
  what: string,
  place: Place,
): Record<string, JsonNode | undefined> {
  if (!(node instanceof JsonObject)) throw badRecord(`${what} to be an object`, node, place)
  const found: Record<string, JsonNode> = {}
  for (const { key, value } of node.members) {
    if (!keys.includes(key.value)) continue
    if (Object.hasOwn(found, key.value)) throw badRecord(`one member "${key.value}" in ${what}`, node, place)
    found[key.value] = value
  }
  return found
}

function badRecord(expected: string, found: JsonNode | undefined, place: Place): ExportError {
  return new ValueError('ERR_RECORD', `expected ${expected}, found ${nodeKind(found)}`, place)
}

function placed<T>(place: Place, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof Misfit) throw new ValueError(error.code, error.message, place)
    throw error
  }
}
