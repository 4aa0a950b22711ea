/**
 * The data rules a third time, as short as they can be said: JSON.parse of the whole document, plain arrays for rows.
 * Written against the rules alone; the readers are judged by it, so that it shares no code with either.
 */

import { gunzipSync } from 'node:zlib'
import { definitionFromJson } from '../src/definition.ts'
import { unknownOptionLabel } from '../src/plan/names.ts'
import { type ColumnOptions, type ColumnPlan, planColumns } from '../src/plan/schema.ts'
import { WarningLog } from '../src/warnings.ts'

export type ModelCell = string | number | bigint | readonly string[] | null

export interface ModelTable {
  columns: ColumnPlan[]
  rows: ModelCell[][]
  /** Dictionaries by column. */
  labels: string[][]
  /** `kind fieldId` → count. */
  warnings: Map<string, number>
  /** By column; undefined for columns that are no question. */
  states: ({ answered: number; skipped: number; notAsked: number } | undefined)[]
}

/** What the model throws at a document that must be refused. */
export class Refusal extends Error {}

/** Scalars by their source: `"a\u0041"`, `1.50`, `null`. Objects as lists of pairs, so that repeated keys are seen. */
type Tree = string | Tree[] | { pairs: [string, Tree][] }

const TOKENS = /"(?:[^"\\]|\\.)*"(\s*:)?|true|false|null|-?\d[\d.eE+-]*/g
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
const GUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** @throws when the document is no export or breaks a rule; a SyntaxError or TypeError where it is no JSON. */
export function modelTable(bytes: Uint8Array, options: ColumnOptions = {}): ModelTable {
  let plain = bytes
  while (plain[0] === 0x1f && plain[1] === 0x8b) plain = gunzipSync(plain)
  const text = new TextDecoder('utf-8', { fatal: true }).decode(plain)
  const document: unknown = JSON.parse(text)
  const tree = sourceTree(text)
  if (typeof tree === 'string' || Array.isArray(tree)) throw new Refusal('not an object')
  for (const key of ['definition', 'records']) {
    if (tree.pairs.filter(([name]) => name === key).length !== 1) throw new Refusal(`${key}: not once`)
  }
  const warnings = new WarningLog()
  const definition = definitionFromJson((document as { definition: unknown }).definition, warnings)
  const columns = planColumns(definition, options, { mode: 'name' }, warnings)
  const unselected = definition.fields.filter((field) => !columns.some((column) => column.field === field))
  const records = tree.pairs.find(([name]) => name === 'records')?.[1]
  if (!Array.isArray(records)) throw new Refusal('records: not an array')
  const model = new Model(
    columns,
    unselected.map((field) => field.id),
    warnings,
  )
  for (const record of records) model.record(record)
  return model.table()
}

export function isRefusedByModel(bytes: Uint8Array, options: ColumnOptions): boolean {
  try {
    modelTable(bytes, options)
    return false
  } catch {
    return true
  }
}

function sourceTree(text: string): Tree {
  let keys = 0
  const tagged = text.replace(TOKENS, (token, colon?: string) =>
    colon === undefined ? JSON.stringify(token) : `${JSON.stringify(`${++keys} ${token.slice(0, -colon.length)}`)}:`,
  )
  return treeOf(JSON.parse(tagged))
}

function treeOf(value: unknown): Tree {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(treeOf)
  const pairs = Object.entries(value as object).map(([key, member]): [string, Tree] => [
    JSON.parse(key.slice(key.indexOf(' ') + 1)) as string,
    treeOf(member),
  ])
  Object.defineProperty(pairs, 'keys', { value: Object.keys(value as object) })
  return { pairs }
}

function compact(tree: Tree): string {
  if (typeof tree === 'string') return tree
  if (Array.isArray(tree)) return `[${tree.map(compact).join()}]`
  const { keys } = tree.pairs as unknown as { keys: string[] }
  return `{${tree.pairs.map(([, value], i) => `${keys[i]?.slice(keys[i].indexOf(' ') + 1)}:${compact(value)}`).join()}}`
}

function members(tree: Tree, ...keys: string[]): (Tree | undefined)[] {
  if (typeof tree === 'string' || Array.isArray(tree)) throw new Refusal('not an object')
  return keys.map((key) => {
    const found = tree.pairs.filter(([name]) => name === key)
    if (found.length > 1) throw new Refusal(`${key}: more than once`)
    return found[0]?.[1]
  })
}

const isNothing = (tree: Tree | undefined): boolean => tree === undefined || tree === 'null'
const isText = (tree: Tree | undefined): tree is string => typeof tree === 'string' && tree.startsWith('"')
const isNumber = (tree: Tree | undefined): tree is string => typeof tree === 'string' && /^[-\d]/.test(tree)

class Model {
  readonly #columns: ColumnPlan[]
  readonly #unselected: string[]
  readonly #log: WarningLog
  readonly #rows: ModelCell[][] = []
  readonly #labels: string[][]
  readonly #unknown: Map<string, string>[]
  readonly #states: ModelTable['states']

  constructor(columns: ColumnPlan[], unselected: string[], log: WarningLog) {
    this.#columns = columns
    this.#unselected = unselected
    this.#log = log
    this.#labels = columns.map((column) => [...column.labels])
    this.#unknown = columns.map(() => new Map())
    this.#states = columns.map(({ field }) => (field ? { answered: 0, skipped: 0, notAsked: 0 } : undefined))
  }

  table(): ModelTable {
    const warnings = new Map(this.#log.list().map((w) => [`${w.kind} ${w.fieldId ?? ''}`, w.count]))
    return { columns: this.#columns, rows: this.#rows, labels: this.#labels, warnings, states: this.#states }
  }

  record(record: Tree): void {
    const [owner, updated, fields] = members(record, 'ownerId', 'lastUpdateDate', 'fields')
    const answers = this.#answers(fields)
    const row = this.#columns.map(({ source }, i): ModelCell => {
      if (source === 'ownerId') return this.#owner(owner)
      if (source === 'lastUpdateDate') return this.#updated(updated)
      if (source === 'skipped') {
        return this.#columns.flatMap((column, k) => (answers.get(k) === null ? [column.name] : []))
      }
      const answer = answers.get(i)
      const state = this.#states[i]
      if (state) state[answer === undefined ? 'notAsked' : answer === null ? 'skipped' : 'answered']++
      return answer ?? null
    })
    this.#rows.push(row)
  }

  #owner(owner: Tree | undefined): string | null {
    if (owner === undefined || isNothing(owner)) {
      this.#log.add('owner-id-missing')
      return null
    }
    return this.#scalarText(owner)
  }

  #updated(updated: Tree | undefined): bigint | null {
    if (updated !== undefined && !isNothing(updated)) return micros(updated)
    this.#log.add('last-update-date-missing')
    return null
  }

  #answers(fields: Tree | undefined): Map<number, ModelCell> {
    const answers = new Map<number, ModelCell>()
    const again = new Set<number>()
    if (fields === undefined || isNothing(fields)) return answers
    if (!Array.isArray(fields)) throw new Refusal('fields: not an array')
    for (const answer of fields) {
      const [id, values] = members(answer, 'id', 'values')
      if (!isText(id) && !isNumber(id)) throw new Refusal('answer without an id')
      const fieldId = isText(id) ? (JSON.parse(id) as string).toWellFormed() : id
      const column = this.#columnOf(fieldId)
      if (column === undefined) this.#log.add('unknown-field', { id: fieldId })
      if (column === undefined || column === -1) continue
      if (!answers.has(column)) {
        answers.set(column, this.#cell(column, values, this.#log))
        continue
      }
      const other = this.#cell(column, values, new WarningLog())
      const first = answers.get(column) ?? null
      if (first !== other && !sameModelCell(first, other)) throw new Refusal('two different answers')
      if (!again.has(column)) this.#log.add('field-repeated', this.#columns[column]?.field)
      again.add(column)
    }
    return answers
  }

  /** The column of a field; -1 when it is not selected, undefined when there is no such field. */
  #columnOf(id: string): number | undefined {
    for (const same of [(a: string) => a === id, (a: string) => bothGuid(a, id)]) {
      const column = this.#columns.findIndex(({ field }) => field !== undefined && same(field.id))
      if (column !== -1) return column
      if (this.#unselected.some(same)) return -1
    }
    return undefined
  }

  #cell(column: number, values: Tree | undefined, log: WarningLog): ModelCell {
    const { type, field } = this.#columns[column] as ColumnPlan
    const all = Array.isArray(values) ? values : [values ?? 'null']
    const some = all.filter((element) => element !== 'null')
    if (some.length === 0) return type === 'list' && all.length === 0 ? [] : null
    if (type === 'json' && some.length > 1) return compact(all)
    if (some.length < all.length) log.add('null-among-values', field)
    if (type === 'list') return this.#set(column, some, log)
    const [element = 'null'] = some
    if (some.length > 1) throw new Refusal('more than one value')
    if (type === 'dictionary') return this.#label(column, element, log)
    if (type === 'timestamp') return micros(element)
    if (type === 'json' && !isText(element)) return compact(element)
    if (type !== 'double') return this.#scalarText(element, log)
    const text = isText(element) ? (JSON.parse(element) as string) : element
    if (typeof text !== 'string' || !NUMBER.test(text) || !Number.isFinite(Number(text))) throw new Refusal('no number')
    if (isText(element)) log.add('numeric-text', field)
    if (!/[.eE]/.test(text) && BigInt(text) !== BigInt(Number(text))) log.add('rounded-integer', field)
    return Number(text)
  }

  #set(column: number, elements: Tree[], log: WarningLog): string[] {
    const labels: string[] = []
    let repeats = 0
    for (const element of elements) {
      const label = this.#label(column, element, labels.length === 0 ? log : new WarningLog())
      if (labels.includes(label)) repeats++
      else if (labels.push(label) > 1) this.#label(column, element, log)
    }
    if (repeats > 0) log.add('option-repeated', this.#columns[column]?.field)
    return labels
  }

  #label(column: number, element: Tree, log: WarningLog): string {
    if (!isText(element) && !isNumber(element)) throw new Refusal('no option')
    const id = isText(element) ? this.#scalarText(element, log) : element
    const field = this.#columns[column]?.field
    const options = field?.options ?? []
    const exact = options.findIndex((option) => option.id === id)
    const index = exact === -1 ? options.findIndex((option) => bothGuid(option.id, id)) : exact
    if (index !== -1) return this.#labels[column]?.[index] ?? ''
    log.add('unknown-option', field)
    const unknown = [...(this.#unknown[column] ?? [])]
    const [, known] = unknown.find(([other]) => other === id) ?? unknown.find(([other]) => bothGuid(other, id)) ?? []
    if (known !== undefined) return known
    const label = unknownOptionLabel(id, new Set(this.#labels[column]))
    this.#unknown[column]?.set(id, label)
    this.#labels[column]?.push(label)
    return label
  }

  #scalarText(element: Tree, log: WarningLog = this.#log): string {
    if (typeof element !== 'string') throw new Refusal('no text')
    if (!isText(element)) return element
    const text = JSON.parse(element) as string
    for (const _ of text.matchAll(/[\ud800-\udfff]/gu)) log.add('lone-surrogate')
    return text.toWellFormed()
  }
}

function bothGuid(a: string, b: string): boolean {
  return GUID.test(a) && GUID.test(b) && a.toLowerCase() === b.toLowerCase()
}

/** The calendar by counting days, so that it is not the reference reader's way. */
function micros(element: Tree): bigint {
  const text = isText(element) ? (JSON.parse(element) as string) : ''
  const [, date = '', rest = ''] = /^(\d{4}-\d\d-\d\d)(?:[Tt ](.+))?$/.exec(text) ?? []
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number)
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  if (year < 1 || day < 1 || day > (lengths[month - 1] ?? 0)) throw new Refusal('no date')
  const before = year - 1
  let days = before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162
  days += lengths.slice(0, month - 1).reduce((sum, length) => sum + length, day - 1)
  const time = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d+))?)?(?:z|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?$/i
  const found = time.exec(rest)
  if (text.length > 10 && found === null) throw new Refusal('no time')
  const [, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] = found ?? []
  const offset = (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0)) * (sign === '-' ? -1 : 1)
  const minutes = days * 1440 + Number(hour ?? 0) * 60 + Number(minute ?? 0) - offset
  return BigInt(minutes) * 60_000_000n + BigInt(second ?? 0) * 1_000_000n + BigInt(`${fraction}000000`.slice(0, 6))
}

export function sameModelCell(a: ModelCell, b: ModelCell): boolean {
  if (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null) {
    return a.length === b.length && a.every((label, i) => label === b[i])
  }
  return Object.is(a, b)
}
