/** What was odd but could be read: one entry per kind and question, with a count. All wording of warnings is here. */

import { printable, quoted } from './errors.ts'

export type WarningKind =
  | 'definition-field-repeated'
  | 'definition-option-repeated'
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
  | 'lone-surrogate'
  | 'owner-id-missing'
  | 'last-update-date-missing'

export interface Warning {
  readonly kind: WarningKind
  readonly message: string
  /** How many times it was seen: answers, options or records, as the message says. */
  readonly count: number
  readonly fieldId?: string
  readonly fieldName?: string
}

/** A warning before it is worded: plain data, so that threads can hand it to each other. */
export interface WarningEntry {
  kind: WarningKind
  fieldId: string | undefined
  fieldName: string | undefined
  count: number
  details: Map<string, number>
}

/** Details (ids, labels) kept per warning; a message shows a few, and hostile input must not fill the memory. */
const MOST_DETAILS = 1000

const DETAILS_SHOWN = 3

export class WarningLog {
  readonly #entries = new Map<string, WarningEntry>()

  /** Counts one sighting; `detail` is what the message may list (an option id, a data type). */
  add(kind: WarningKind, field?: { id: string; name?: string }, detail?: string): void {
    const key = `${kind} ${field?.id ?? ''}`
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = { kind, fieldId: field?.id, fieldName: field?.name, count: 0, details: new Map() }
      this.#entries.set(key, entry)
    }
    entry.count++
    if (detail !== undefined) addDetail(entry, detail, 1)
  }

  /** How often each detail of one kind was seen, whatever the question. */
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

  /** Adds what another log has seen later in the same export. */
  merge(entries: readonly WarningEntry[]): void {
    for (const later of entries) {
      const key = `${later.kind} ${later.fieldId ?? ''}`
      const entry = this.#entries.get(key)
      if (entry === undefined) {
        this.#entries.set(key, { ...later, details: new Map(later.details) })
        continue
      }
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

function addDetail(entry: WarningEntry, detail: string, count: number): void {
  const seen = entry.details.get(detail)
  if (seen !== undefined || entry.details.size < MOST_DETAILS) entry.details.set(detail, (seen ?? 0) + count)
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
    case 'duplicate-option-name':
      return `${question}: several options share a name (${details}); later ones got " (2)", " (3)" …`
    case 'unknown-data-type':
      return `${question}: unknown data type ${details}; its answers are written as text`
    case 'unknown-option':
      return `${question}: ${times(entry.count, 'answer')} with an option that is not in the definition; its id is the label (${details})`
    case 'unknown-field':
      return `field ${entry.fieldId} is not in the definition; ${times(entry.count, 'record')} had it${nullText(entry)}, and it was left out`
    case 'unknown-field-kept':
      return `field ${entry.fieldId} is not in the definition; ${times(entry.count, 'record')} had it${nullText(entry)}, kept among the unknown answers`
    case 'invalid-value': {
      const what = entry.fieldId === undefined ? 'lastUpdateDate' : question
      return `${what}: ${times(entry.count, 'invalid answer')} left out (${countedDetails(entry.details)})`
    }
    case 'field-repeated':
      return `${question}: answered twice alike in ${times(entry.count, 'record')}; counted once`
    case 'option-repeated':
      return `${question}: the same option twice in ${times(entry.count, 'answer')}; counted once`
    case 'null-among-values':
      return `${question}: null beside other values in ${times(entry.count, 'answer')}; the null was left out`
    case 'numeric-text':
      return `${question}: ${times(entry.count, 'number')} written as text; read as numbers`
    case 'lone-surrogate':
      return `${times(entry.count, 'half')} of a surrogate pair (a text cut inside an emoji); written as U+FFFD`
    case 'owner-id-missing':
      return `${times(entry.count, 'record')} without ownerId; written as null`
    case 'last-update-date-missing':
      return `${times(entry.count, 'record')} without lastUpdateDate; written as null`
  }
}

const IRREGULAR: Readonly<Record<string, string>> = { half: 'halves' }

function times(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${IRREGULAR[noun] ?? `${noun}s`}`
}

function detailText(details: ReadonlyMap<string, number>): string {
  const shown = [...details.keys()].slice(0, DETAILS_SHOWN).map((detail) => quoted(detail))
  const more = details.size - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}

/** `ERR_VALUE 3, ERR_TOO_MANY_VALUES 1` */
function countedDetails(details: ReadonlyMap<string, number>): string {
  return [...details].map(([detail, count]) => `${detail} ${count}`).join(', ')
}

function nullText(entry: WarningEntry): string {
  const nulls = entry.details.get('null') ?? 0
  return nulls === 0 ? '' : ` (${nulls} of them null)`
}
