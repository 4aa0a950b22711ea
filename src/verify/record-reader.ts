/** Converts one record to one row of the table. */

import type { Definition, FieldDefinition } from '../definition.ts'
import { type ErrorCode, type ExportError, type Place, ValueError } from '../errors.ts'
import { SYSTEM_COLUMNS } from '../plan/names.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import type { WarningLog } from '../warnings.ts'
import { AnswerReader, type Cell, IdIndex, instantOf, Misfit, type Note, textOf } from './answer-values.ts'
import { compactText, type JsonNode, JsonNumber, JsonObject, JsonString, nodeKind } from './json-tree.ts'

/** Counts of how a question was answered, over all records. */
export interface AnswerTally {
  answered: number
  skipped: number
  invalid: number
  notAsked: number
}

/** Replaces an answer that was left out because it is invalid. */
const INVALID = Symbol('invalid')

type Answer = Cell | typeof INVALID

/** A value that was left out. Its byte offset is not known here. */
export interface ReferenceReject {
  readonly record: number
  readonly ownerId: string | null
  readonly fieldId: string | null
  readonly fieldName: string
  readonly code: ErrorCode
  /** Compact JSON; undefined for an answer without values. */
  readonly raw: string | undefined
  readonly isHashed: boolean
}

interface Question {
  readonly field: FieldDefinition
  /** Undefined for a question that is not selected. */
  readonly column: number | undefined
}

/** Keys with a meaning in a record and in an answer, which must not be repeated there. */
const RECORD_KEYS = ['ownerId', 'lastUpdateDate', 'fields']
const ANSWER_KEYS = ['id', 'values']

export class RecordReader {
  /** By column; for questions only. */
  readonly tallies: (AnswerTally | undefined)[]
  readonly #columns: readonly ColumnPlan[]
  readonly #warnings: WarningLog
  readonly #readers: (AnswerReader | undefined)[]
  readonly #questions = new IdIndex<Question>()
  readonly #leavesOutInvalid: boolean
  readonly #keepsUnknown: boolean
  /** Rejects of the last record, in document order. */
  rejects: ReferenceReject[] = []
  /** Answers of the record to fields outside the definition, as members of a JSON object. */
  #extra: string[] = []

  constructor(columns: readonly ColumnPlan[], definition: Definition, warnings: WarningLog) {
    this.#columns = columns
    this.#leavesOutInvalid = columns.some((plan) => plan.source === 'invalid')
    this.#keepsUnknown = columns.some((plan) => plan.source === 'extra')
    this.#warnings = warnings
    this.#readers = columns.map((plan) => (plan.field === undefined ? undefined : new AnswerReader(plan, plan.field)))
    this.tallies = columns.map((plan) =>
      plan.field === undefined ? undefined : { answered: 0, skipped: 0, invalid: 0, notAsked: 0 },
    )
    const byField = new Map(columns.map((plan, i) => [plan.field, i]))
    for (const field of definition.fields) this.#questions.set(field.id, { field, column: byField.get(field) })
  }

  /** Returns the dictionary of a column so far. */
  labelsOf(column: number): readonly string[] {
    return this.#readers[column]?.labels ?? this.#columns[column]?.labels ?? []
  }

  /** Returns the id of the option with this label. */
  optionIdOf(column: number, label: string): string {
    const id = this.#readers[column]?.optionIds.get(label)
    if (id === undefined) throw new Error('unreachable: a label without an option')
    return id
  }

  /**
   * Reads one record.
   * @throws ExportError with record, owner and field, but without a byte offset.
   */
  read(record: JsonNode, number: number): Cell[] {
    const place: Place = { record: number }
    const { ownerId, lastUpdateDate, fields } = membersOf(record, RECORD_KEYS, 'a record', place)
    const notes: Note[] = []
    const owner = this.#ownerId(ownerId, notes, place)
    if (owner !== null) place.ownerId = owner
    this.rejects = []
    this.#extra = []
    const updated = this.#lastUpdateDate(lastUpdateDate, place)
    const dateRejects = this.rejects
    this.rejects = []
    for (const note of notes) this.#warn(note)
    const answers = this.#answers(fields, place)
    const keys = record instanceof JsonObject ? record.members.map(({ key }) => key.value) : []
    const isDateFirst = keys.indexOf('lastUpdateDate') < keys.indexOf('fields')
    this.rejects = isDateFirst ? [...dateRejects, ...this.rejects] : [...this.rejects, ...dateRejects]
    const skipped: string[] = []
    const invalid: string[] = updated === INVALID ? [SYSTEM_COLUMNS.lastUpdateDate] : []
    return this.#columns.map((plan, i) => {
      switch (plan.source) {
        case 'ownerId':
          return owner
        case 'lastUpdateDate':
          return updated === INVALID ? null : updated
        case 'skipped':
          return skipped
        case 'invalid':
          return invalid
        case 'extra':
          return this.#extra.length === 0 ? null : `{${this.#extra.join(',')}}`
        case 'field':
          if (answers.get(i) === null) skipped.push(plan.name)
          if (answers.get(i) === INVALID) invalid.push(plan.name)
          return this.#tally(i, answers.get(i))
      }
      throw new Error(`unreachable: column source ${plan.source satisfies never}`)
    })
  }

  #ownerId(value: JsonNode | undefined, notes: Note[], place: Place): string | null {
    if (value === undefined || value === null) {
      this.#warnings.add('owner-id-missing')
      return null
    }
    if (Array.isArray(value) || value instanceof JsonObject) throw badRecordError('ownerId to be a text', value, place)
    return textOf(value, notes)
  }

  #lastUpdateDate(value: JsonNode | undefined, place: Place): bigint | null | typeof INVALID {
    if (value !== undefined && value !== null) {
      const at = { ...place, member: SYSTEM_COLUMNS.lastUpdateDate }
      const instant = this.#fitting(at, undefined, value, () => instantOf(value))
      return instant ?? INVALID
    }
    this.#warnings.add('last-update-date-missing')
    return null
  }

  /** Returns cells by column; none for questions that were not asked. */
  #answers(fields: JsonNode | undefined, place: Place): Map<number, Answer> {
    const answers = new Map<number, Answer>()
    const repeated = new Set<number>()
    if (fields === undefined || fields === null) return answers
    if (!Array.isArray(fields)) throw badRecordError('fields to be an array', fields, place)
    for (const answer of fields) {
      const { id, values } = membersOf(answer, ANSWER_KEYS, 'an answer', place)
      if (!(id instanceof JsonString || id instanceof JsonNumber))
        throw badRecordError('an answer with an id', id, place)
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
    answers: Map<number, Answer>,
    repeated: Set<number>,
    place: Place,
  ): void {
    const at = { ...place, fieldName: field.name, fieldId: field.id }
    const notes: Note[] = []
    const plan = this.#columns[column]
    const reader = this.#readers[column]
    const earlier = answers.get(column)
    const cell = this.#fitting(at, plan, values, () => reader?.read(values, notes) ?? null)
    if (cell === undefined) reader?.undo()
    if (earlier === undefined) {
      answers.set(column, cell === undefined ? INVALID : cell)
      if (cell !== undefined) for (const note of notes) this.#warn(note)
      return
    }
    if (cell === undefined) return
    const isSame = this.#fitting(at, plan, values, () => {
      // Zero with another sign counts as the same answer.
      if (earlier !== INVALID && (earlier === cell || sameCell(earlier, cell))) return true
      throw new Misfit('ERR_FIELD_REPEATED', 'expected a field once in a record, found two different answers')
    })
    if (isSame !== true) {
      reader?.undo()
    } else if (!repeated.has(column)) {
      this.#warnings.add('field-repeated', field)
      repeated.add(column)
    }
  }

  #unknownField(id: string, values: JsonNode | undefined): void {
    const isNull = values === undefined || values === null
    const kind = this.#keepsUnknown ? 'unknown-field-kept' : 'unknown-field'
    this.#warnings.add(kind, { id: ` ${id}`.slice(1) }, isNull ? 'null' : undefined)
    if (this.#keepsUnknown) this.#extra.push(`${JSON.stringify(id)}:${compactText(values ?? null)}`)
  }

  #tally(column: number, answer: Answer | undefined): Cell {
    const tally = this.tallies[column]
    if (tally !== undefined) tally[stateOf(answer)]++
    return answer === undefined || answer === INVALID ? null : answer
  }

  /** Returns the result of `read`; undefined when the value does not fit and is left out. */
  #fitting<T>(place: Place, plan: ColumnPlan | undefined, value: JsonNode | undefined, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof Misfit)) throw error
      if (!this.#leavesOutInvalid) throw new ValueError(error.code, error.message, place)
      this.#warnings.add('invalid-value', plan?.field, error.code)
      this.rejects.push({
        record: place.record ?? 0,
        ownerId: place.ownerId ?? null,
        fieldId: plan?.field?.id ?? null,
        fieldName: plan?.field?.name ?? SYSTEM_COLUMNS.lastUpdateDate,
        code: error.code,
        raw: value === undefined ? undefined : compactText(value),
        isHashed: plan?.isHashed === true,
      })
      return undefined
    }
  }

  #warn(note: Note): void {
    this.#warnings.add(note.kind, note.field, note.detail)
  }
}

/** Whether two cells are bit-identical: negative zero differs from zero. */
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
  if (!(node instanceof JsonObject)) throw badRecordError(`${what} to be an object`, node, place)
  const found: Record<string, JsonNode> = {}
  for (const { key, value } of node.members) {
    if (!keys.includes(key.value)) continue
    if (Object.hasOwn(found, key.value)) throw badRecordError(`one member "${key.value}" in ${what}`, node, place)
    found[key.value] = value
  }
  return found
}

function badRecordError(expected: string, found: JsonNode | undefined, place: Place): ExportError {
  return new ValueError('ERR_RECORD', `expected ${expected}, found ${nodeKind(found)}`, place)
}

function stateOf(answer: Answer | undefined): keyof AnswerTally {
  if (answer === undefined) return 'notAsked'
  if (answer === INVALID) return 'invalid'
  return answer === null ? 'skipped' : 'answered'
}
