/** Selects the questions that become columns: by name, id or glob, and by their flags in the definition. */

import { isMatch } from 'matcher'
import type { FieldDefinition } from '../definition.ts'
import { OptionError, quoted } from '../errors.ts'
import { nearestHint } from '../nearest-words.ts'
import { option, worded } from '../wording.ts'

export interface SelectionOptions {
  /**
   * Names, ids or globs (`Brand*`, ignoring case) of the questions to keep, in any order. Default: all. Columns keep
   * the definition's order.
   */
  fields?: readonly string[] | undefined
  /** The same for questions to leave out; takes precedence over `fields`. */
  exclude?: readonly string[] | undefined
  /** Whether hidden questions are kept. Default: true. */
  hidden?: boolean | undefined
  /** Whether system questions (dates, status, device) are kept. Default: true. */
  system?: boolean | undefined
  /** What to do with questions flagged as sensitive: `keep` (default), `drop`, or `hash`, which needs `hashKey`. */
  sensitive?: 'keep' | 'drop' | 'hash' | undefined
}

/**
 * Returns the questions to keep.
 * @param names What each question is called in the table; accepted as well as its own name and id.
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

/** Whether a question is left out by its flags, not by its name. */
function isLeftOut(field: FieldDefinition, options: SelectionOptions): boolean {
  if (options.sensitive === 'drop' && field.isSensitive) return true
  if (options.hidden === false && isHidden(field)) return true
  return options.system === false && field.isSystem
}

/** Whether a question is hidden: any visibility but active. Missing means active. */
function isHidden(field: Pick<FieldDefinition, 'visibility'>): boolean {
  const visibility = field.visibility.toLowerCase()
  return visibility !== '' && visibility !== 'active'
}

/** Returns the flags of a question in words; a visibility other than active comes last. */
export function questionFlags(
  question: Pick<FieldDefinition, 'isRequired' | 'isSystem' | 'isSensitive' | 'visibility'> & { isHashed?: boolean },
): string[] {
  const flags: string[] = []
  if (question.isRequired) flags.push('required')
  if (question.isSystem) flags.push('system')
  if (question.isSensitive) flags.push('sensitive')
  if (question.isHashed === true) flags.push('hashed')
  if (isHidden(question)) flags.push(question.visibility)
  return flags
}

class Catalogue {
  /** Questions by every word that names them. */
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

  all(name: 'fields' | 'exclude', words: readonly string[]): Set<FieldDefinition> {
    const found = new Set<FieldDefinition>()
    for (const word of words) {
      const matches = this.#byWord.get(word) ?? this.#byGlob(word)
      if (matches.size === 0) throw this.#unmatched(name, word)
      for (const field of matches) found.add(field)
    }
    return found
  }

  #byGlob(glob: string): Set<FieldDefinition> {
    const found = new Set<FieldDefinition>()
    // A leading `!` negates in the glob library; here it is part of a name.
    if (!glob.includes('*') || glob.startsWith('!')) return found
    for (const [word, fields] of this.#byWord) {
      if (isMatch(word, glob, { caseSensitive: false })) for (const field of fields) found.add(field)
    }
    return found
  }

  #unmatched(name: 'fields' | 'exclude', word: string): OptionError {
    const hint = nearestHint(word, [...this.#byWord.keys()])
    const expected = word.includes('*') ? 'a glob that matches a question' : 'the name or id of a question'
    return new OptionError('ERR_OPTION', worded`${option(name)}: expected ${expected}, found ${quoted(word)}${hint}`)
  }
}
