/**
 * Collects anomalies that could be read: one entry per kind and question, with a count. Has the wording of all
 * warnings.
 */

import { printable, quoted } from './errors.ts'

export type WarningKind =
  | 'definition-field-repeated'
  | 'definition-option-repeated'
  | 'definition-text-left-out'
  | 'duplicate-option-name'
  | 'unknown-data-type'
  | 'unknown-option'
  | 'unknown-field'
  | 'unknown-field-kept'
  | 'invalid-value'
  | 'field-repeated'
  | 'option-repeated'
  | 'null-among-values'
  | 'numeric-text'
  | 'rounded-integer'
  | 'lone-surrogate'
  | 'owner-id-missing'
  | 'last-update-date-missing'

export interface Warning {
  readonly kind: WarningKind
  readonly message: string
  /** Number of occurrences: answers, options or records, as the message says. */
  readonly count: number
  readonly fieldId?: string
  readonly fieldName?: string
}

/** A warning before it is worded: plain data that threads can exchange. */
export interface WarningEntry {
  kind: WarningKind
  fieldId: string | undefined
  fieldName: string | undefined
  count: number
  details: Map<string, number>
}

/** Details (ids, labels) kept per warning. A message shows only a few, and hostile input must not fill the memory. */
const MAX_DETAILS = 1000

/** Fields outside the definition that are listed individually; hostile input may have one in every answer. */
const MAX_UNKNOWN_FIELDS = 10_000

/** Characters that are kept of an id outside the definition. */
const MAX_ID_CHARS = 1000

const DETAILS_SHOWN = 3

export class WarningLog {
  readonly #entries = new Map<string, WarningEntry>()

  /** Counts one occurrence; `detail` is what the message may list (an option id, a data type). */
  add(kind: WarningKind, field?: { id: string; name?: string }, detail?: string): void {
    const entry = this.#entry(kind, field?.id, field?.name)
    entry.count++
    if (detail !== undefined) addDetail(entry, detail, 1)
  }

  #entry(kind: WarningKind, fieldId: string | undefined, fieldName: string | undefined): WarningEntry {
    const isOther = fieldId !== undefined && this.#isFull && UNKNOWN_FIELD_KINDS.has(kind)
    const id = fieldId === undefined ? undefined : keptText(fieldId)
    const known = this.#entries.get(entryKey(kind, id)) ?? (isOther ? this.#entries.get(entryKey(kind)) : undefined)
    if (known !== undefined) return known
    const entry = { kind, fieldId: isOther ? undefined : id, fieldName, count: 0, details: new Map() }
    this.#entries.set(entryKey(kind, entry.fieldId), entry)
    return entry
  }

  get #isFull(): boolean {
    return this.#entries.size >= MAX_UNKNOWN_FIELDS
  }

  /** Returns how often each detail of one kind occurred, over all questions. */
  detailsOf(kind: WarningKind): ReadonlyMap<string, number> {
    const total = new Map<string, number>()
    for (const entry of this.#entries.values()) {
      if (entry.kind !== kind) continue
      for (const [detail, count] of entry.details) total.set(detail, (total.get(detail) ?? 0) + count)
    }
    return total
  }

  clear(): void {
    this.#entries.clear()
  }

  entries(): WarningEntry[] {
    return [...this.#entries.values()]
  }

  /** Adds the entries of another log, from a later part of the same export. */
  merge(entries: readonly WarningEntry[]): void {
    for (const later of entries) {
      const entry = this.#entry(later.kind, later.fieldId, later.fieldName)
      entry.count += later.count
      for (const [detail, count] of later.details) addDetail(entry, detail, count)
    }
  }

  list(): Warning[] {
    return [...this.#entries.values()].map((entry) => ({
      kind: entry.kind,
      message: printable(messageOf(entry)),
      count: entry.count,
      ...(entry.fieldId === undefined ? {} : { fieldId: entry.fieldId }),
      ...(entry.fieldName === undefined ? {} : { fieldName: entry.fieldName }),
    }))
  }
}

const UNKNOWN_FIELD_KINDS: ReadonlySet<WarningKind> = new Set(['unknown-field', 'unknown-field-kept'])

function entryKey(kind: WarningKind, fieldId?: string): string {
  return fieldId === undefined ? kind : `${kind} ${fieldId}`
}

function keptText(text: string): string {
  return text.length <= MAX_ID_CHARS ? text : `${text.slice(0, MAX_ID_CHARS).toWellFormed()}…`
}

function addDetail(entry: WarningEntry, detail: string, count: number): void {
  const kept = keptText(detail)
  const seen = entry.details.get(kept)
  if (seen !== undefined || entry.details.size < MAX_DETAILS) entry.details.set(kept, (seen ?? 0) + count)
}

function messageOf(entry: WarningEntry): string {
  const question =
    entry.fieldName === undefined ? `field ${entry.fieldId ?? ''}` : `question ${quoted(entry.fieldName)}`
  const details = detailText(entry.details)
  switch (entry.kind) {
    case 'definition-field-repeated':
      return `the definition lists field ${entry.fieldId} more than once; the first entry is used`
    case 'definition-option-repeated':
      return `${question}: the definition lists an option id more than once (${details}); the first name is used`
    case 'definition-text-left-out':
      return `the definition has ${times(entry.count, 'object or array')} where names and texts belong; left out`
    case 'duplicate-option-name':
      return `${question}: several options share a name (${details}); later ones got " (2)", " (3)" …`
    case 'unknown-data-type':
      return `${question}: unknown data type ${details}; its answers are written as text`
    case 'unknown-option':
      return `${question}: ${times(entry.count, 'answer')} with an option that is not in the definition; its id is the label (${details})`
    case 'unknown-field':
      return `${unknownField(entry)}, and ${entry.fieldId === undefined ? 'they were' : 'it was'} left out`
    case 'unknown-field-kept':
      return `${unknownField(entry)}, kept among the unknown answers`
    case 'invalid-value': {
      const what = entry.fieldId === undefined ? 'lastUpdateDate' : question
      return `${what}: ${times(entry.count, 'invalid value')} left out (${countedDetails(entry.details)})`
    }
    case 'field-repeated':
      return `${question}: answered twice alike in ${times(entry.count, 'record')}; counted once`
    case 'option-repeated':
      return `${question}: the same option twice in ${times(entry.count, 'answer')}; counted once`
    case 'null-among-values':
      return `${question}: null beside other values in ${times(entry.count, 'answer')}; the null was left out`
    case 'numeric-text':
      return `${question}: ${times(entry.count, 'number')} written as text; read as numbers`
    case 'rounded-integer':
      return `${question}: ${times(entry.count, 'whole number')} with more digits than a float64 can hold; the last ones are lost`
    case 'lone-surrogate':
      return `${times(entry.count, 'half')} of a surrogate pair (a text cut inside an emoji); written as U+FFFD`
    case 'owner-id-missing':
      return `${times(entry.count, 'record')} without ownerId; written as null`
    case 'last-update-date-missing':
      return `${times(entry.count, 'record')} without lastUpdateDate; written as null`
  }
}

const IRREGULAR: Readonly<Record<string, string>> = { half: 'halves', 'object or array': 'objects or arrays' }

function times(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${IRREGULAR[noun] ?? `${noun}s`}`
}

function detailText(details: ReadonlyMap<string, number>): string {
  const shown = [...details.keys()].slice(0, DETAILS_SHOWN).map((detail) => quoted(detail))
  const more = details.size - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}

/** Returns a text such as `ERR_VALUE 3, ERR_TOO_MANY_VALUES 1`. */
function countedDetails(details: ReadonlyMap<string, number>): string {
  return [...details].map(([detail, count]) => `${detail} ${count}`).join(', ')
}

function unknownField(entry: WarningEntry): string {
  const { fieldId, count } = entry
  if (fieldId === undefined) {
    return `more than ${MAX_UNKNOWN_FIELDS} fields are not in the definition; ${times(count, 'answer')} to further ones${nullText(entry)}`
  }
  return `field ${fieldId} is not in the definition; ${times(count, 'record')} had it${nullText(entry)}`
}

function nullText(entry: WarningEntry): string {
  const nulls = entry.details.get('null') ?? 0
  return nulls === 0 ? '' : ` (${nulls} of them null)`
}
