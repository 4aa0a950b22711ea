/** Converts one answer's `values` to the value its column must hold: a second implementation of the data rules. */

import type { FieldDefinition } from '../definition.ts'
import { type ErrorCode, quoted } from '../errors.ts'
import { unknownOptionLabel } from '../plan/names.ts'
import type { ColumnPlan, ColumnType } from '../plan/schema.ts'
import type { WarningKind } from '../warnings.ts'
import { instantMicros } from './instants.ts'
import { compactText, type JsonNode, JsonNumber, JsonObject, JsonString, nodeKind } from './json-tree.ts'

/** A cell of the table; timestamps are microseconds since 1970. */
export type Cell = string | number | bigint | boolean | readonly string[] | null

/** An anomaly that is counted if the answer is kept. */
export interface Note {
  readonly kind: WarningKind
  readonly field?: FieldDefinition
  readonly detail?: string
}

/** Thrown for a value that does not fit its question; the caller adds the place. */
export class Misfit extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, problem: string) {
    super(problem)
    this.code = code
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A map by id: as written or, for GUIDs, ignoring case. */
export class IdIndex<T> {
  readonly #exact = new Map<string, T>()
  readonly #guids = new Map<string, T>()

  set(id: string, value: T): void {
    this.#exact.set(id, value)
    const folded = id.toLowerCase()
    if (GUID.test(id) && !this.#guids.has(folded)) this.#guids.set(folded, value)
  }

  delete(id: string): void {
    const value = this.#exact.get(id)
    this.#exact.delete(id)
    const folded = id.toLowerCase()
    if (this.#guids.get(folded) === value) this.#guids.delete(folded)
  }

  get(id: string): T | undefined {
    return this.#exact.get(id) ?? (GUID.test(id) ? this.#guids.get(id.toLowerCase()) : undefined)
  }
}

/** Returns a text as it is written to the table, without unpaired surrogates. */
function keptText(text: string, notes: Note[]): string {
  if (text.isWellFormed()) return text
  for (const _ of text.matchAll(/\p{Surrogate}/gu)) notes.push({ kind: 'lone-surrogate' })
  return text.toWellFormed()
}

/** Reads the answers of one question and collects its labels. */
export class AnswerReader {
  /** The dictionary: the definition's options in order, then others in order of appearance. */
  readonly labels: string[]
  /** Ids of the options by label. */
  readonly optionIds = new Map<string, string>()
  readonly #type: ColumnType
  readonly #field: FieldDefinition
  readonly #options = new IdIndex<string>()
  /** Labels of options outside the definition, by id. */
  readonly #unknown = new IdIndex<string>()
  readonly #used: Set<string>
  /** Number of labels before the last answer. */
  #labelsBefore: number

  constructor(plan: ColumnPlan, field: FieldDefinition) {
    this.#type = plan.type
    this.#field = field
    this.labels = [...plan.labels]
    this.#used = new Set(plan.labels)
    this.#labelsBefore = this.labels.length
    for (const [i, option] of field.options.entries()) {
      const label = plan.labels[i] ?? option.name
      this.#options.set(option.id, label)
      this.optionIds.set(label, option.id)
    }
  }

  /**
   * Reads one answer.
   * @returns The cell; null when the question was skipped.
   * @throws Misfit when the values do not fit the question.
   */
  read(values: JsonNode | undefined, notes: Note[]): Cell {
    this.#labelsBefore = this.labels.length
    const all = Array.isArray(values) ? values : [values ?? null]
    const elements = all.filter((element) => element !== null)
    if (elements.length === 0) return this.#type === 'list' && Array.isArray(values) && all.length === 0 ? [] : null
    if (this.#type === 'json' && elements.length > 1) return compactText(all)
    if (elements.length < all.length) this.#note(notes, 'null-among-values')
    if (this.#type === 'list') return this.#optionList(elements, notes)
    if (elements.length > 1) {
      throw new Misfit(
        'ERR_TOO_MANY_VALUES',
        `expected one value for ${this.#field.dataType}, found ${elements.length}`,
      )
    }
    return this.#single(elements[0] ?? null, notes)
  }

  /** Removes the labels that the last answer added, because it is not used. */
  undo(): void {
    while (this.labels.length > this.#labelsBefore) {
      const label = this.labels.pop() ?? ''
      this.#unknown.delete(this.optionIds.get(label) ?? '')
      this.optionIds.delete(label)
      this.#used.delete(label)
    }
  }

  #single(element: JsonNode, notes: Note[]): Cell {
    switch (this.#type) {
      case 'dictionary':
        return this.#labelOf(element, notes)
      case 'double':
        return this.#number(element, notes)
      case 'timestamp':
        return instantOf(element)
      case 'json':
        return element instanceof JsonString ? keptText(element.value, notes) : compactText(element)
      default:
        return textOf(element, notes)
    }
  }

  #number(element: JsonNode, notes: Note[]): number {
    const isText = element instanceof JsonString && JSON_NUMBER.test(element.value)
    const text = element instanceof JsonNumber ? element.text : isText ? element.value : undefined
    const number = Number(text)
    if (text === undefined || !Number.isFinite(number)) throw misfitError('a number', element)
    if (isText) this.#note(notes, 'numeric-text')
    if (/^-?[0-9]+$/.test(text) && BigInt(text) !== BigInt(number)) this.#note(notes, 'rounded-integer')
    return number
  }

  #optionList(elements: readonly JsonNode[], notes: Note[]): string[] {
    const chosen = new Set<string>()
    let isRepeated = false
    for (const element of elements) {
      const own: Note[] = []
      const label = this.#labelOf(element, own)
      if (chosen.has(label)) isRepeated = true
      else notes.push(...own)
      chosen.add(label)
    }
    if (isRepeated) this.#note(notes, 'option-repeated')
    return [...chosen]
  }

  /** Returns the label of an option. Labels are unique, so that each identifies its option. */
  #labelOf(element: JsonNode, notes: Note[]): string {
    if (!(element instanceof JsonString || element instanceof JsonNumber))
      throw misfitError('the id of an option', element)
    const id = element instanceof JsonString ? keptText(element.value, notes) : element.text
    const known = this.#options.get(id)
    if (known !== undefined) return known
    this.#note(notes, 'unknown-option', id)
    return this.#unknown.get(id) ?? this.#newLabel(id)
  }

  #newLabel(id: string): string {
    // A copy: the id is a slice that would keep 64 KiB of input in memory.
    const copy = ` ${id}`.slice(1)
    const label = unknownOptionLabel(copy, this.#used)
    this.#unknown.set(copy, label)
    this.labels.push(label)
    this.optionIds.set(label, copy)
    return label
  }

  #note(notes: Note[], kind: WarningKind, detail?: string): void {
    notes.push(detail === undefined ? { kind, field: this.#field } : { kind, field: this.#field, detail })
  }
}

/** Returns a value as text; numbers and booleans as they were written. */
export function textOf(element: JsonNode, notes: Note[]): string {
  if (element instanceof JsonString) return keptText(element.value, notes)
  if (element === null || Array.isArray(element) || element instanceof JsonObject) throw misfitError('a text', element)
  return compactText(element)
}

/** Reads a timestamp as microseconds since 1970. */
export function instantOf(element: JsonNode): bigint {
  const micros = element instanceof JsonString ? instantMicros(element.value) : undefined
  if (micros === undefined) throw misfitError('a date and time', element)
  return micros
}

function misfitError(expected: string, found: JsonNode): Misfit {
  return new Misfit('ERR_VALUE', `expected ${expected}, found ${quoted(nodeKind(found))}`)
}
