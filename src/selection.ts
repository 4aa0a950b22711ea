/** Which questions become columns: by name, id or glob, and by what the definition says of them. */

import { distance } from 'fastest-levenshtein'
import { isMatch } from 'matcher'
import type { FieldDefinition } from './definition.ts'
import { OptionError, quoted } from './errors.ts'

export interface SelectionOptions {
  /**
   * Names, ids or globs (`Brand*`, without regard to case) of the questions to keep, in any order; all by default.
   * Columns keep the definition's order.
   */
  fields?: readonly string[] | undefined
  /** The same for questions to leave out; it wins over `fields`. */
  exclude?: readonly string[] | undefined
  /** Whether hidden questions are kept. Default: true. */
  hidden?: boolean | undefined
  /** Whether system questions (dates, status, device) are kept. Default: true. */
  system?: boolean | undefined
  /**
   * What happens to questions that are flagged as sensitive: `keep` (default), `drop`, or `hash`, which needs `hashKey`.
   */
  sensitive?: 'keep' | 'drop' | 'hash' | undefined
}

/**
 * The questions to keep.
 * @param names What each question is called in the table; accepted beside its own name and id.
 * @throws OptionError `ERR_OPTION` when a word matches nothing; the message has the nearest names.
 */
export function selectedFields(
  fields: readonly FieldDefinition[],
  names: readonly string[],
  options: SelectionOptions,
): Set<FieldDefinition> {
  const catalogue = new Catalogue(fields, names)
  const wanted = options.fields === undefined ? new Set(fields) : catalogue.all('fields', options.fields)
  for (const field of catalogue.all('exclude', options.exclude ?? [])) wanted.delete(field)
  for (const field of wanted) if (isLeftOut(field, options)) wanted.delete(field)
  return wanted
}

/** Whether a flag of the question, not its name, leaves it out. */
function isLeftOut(field: FieldDefinition, options: SelectionOptions): boolean {
  if (options.sensitive === 'drop' && field.isSensitive) return true
  if (options.hidden === false && isHidden(field)) return true
  return options.system === false && field.isSystem
}

/** Whatever is not active counts as hidden; a definition that says nothing means active. */
export function isHidden(field: FieldDefinition): boolean {
  const visibility = field.visibility.toLowerCase()
  return visibility !== '' && visibility !== 'active'
}

class Catalogue {
  /** Every word a question answers to. */
  readonly #byWord = new Map<string, Set<FieldDefinition>>()

  constructor(fields: readonly FieldDefinition[], names: readonly string[]) {
    for (const [i, field] of fields.entries()) {
      for (const word of [field.name, field.id, names[i] ?? '']) {
        const known = this.#byWord.get(word)
        if (known === undefined) this.#byWord.set(word, new Set([field]))
        else known.add(field)
      }
    }
  }

  all(option: 'fields' | 'exclude', words: readonly string[]): Set<FieldDefinition> {
    const found = new Set<FieldDefinition>()
    for (const word of words) {
      const matches = this.#byWord.get(word) ?? this.#byGlob(word)
      if (matches.size === 0) throw this.#unmatched(option, word)
      for (const field of matches) found.add(field)
    }
    return found
  }

  #byGlob(glob: string): Set<FieldDefinition> {
    const found = new Set<FieldDefinition>()
    // A leading `!` negates in the library; here it is part of a name.
    if (!glob.includes('*') || glob.startsWith('!')) return found
    for (const [word, fields] of this.#byWord) {
      if (isMatch(word, glob, { caseSensitive: false })) for (const field of fields) found.add(field)
    }
    return found
  }

  #unmatched(option: string, word: string): OptionError {
    const nearest = nearestWords(word, [...this.#byWord.keys()])
    const hint = nearest.length === 0 ? '' : `; the nearest are ${nearest.map((name) => quoted(name)).join(', ')}`
    const expected = word.includes('*') ? 'a glob that matches a question' : 'the name or id of a question'
    return new OptionError('ERR_OPTION', `${option}: expected ${expected}, found ${quoted(word)}${hint}`)
  }
}

const NEAREST_SHOWN = 3

/** The effort of a comparison grows with the product of the lengths. */
const LONGEST_COMPARED = 100

/** The words with the fewest letters to change; what stands behind a word that begins or goes on alike counts little. */
function nearestWords(word: string, words: readonly string[]): string[] {
  const wanted = compared(word)
  const most = Math.max(2, Math.ceil(wanted.length / 2))
  return words
    .filter((candidate) => candidate !== '')
    .map((candidate) => ({ candidate, changes: changesTo(wanted, compared(candidate)) }))
    .filter(({ changes }) => changes <= most)
    .sort((a, b) => a.changes - b.changes)
    .slice(0, NEAREST_SHOWN)
    .map(({ candidate }) => candidate)
}

const LONGER_WORD = 0.5

function changesTo(wanted: string, text: string): number {
  if (wanted.length > 2 && text.includes(wanted)) return LONGER_WORD
  return Math.min(distance(wanted, text), distance(wanted, text.slice(0, wanted.length)) + LONGER_WORD)
}

function compared(text: string): string {
  return text.replaceAll('*', '').toLowerCase().slice(0, LONGEST_COMPARED)
}
