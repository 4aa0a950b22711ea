/**
 * Column names other than the default: ids, question texts, SQL-safe names. They do not depend on the order of
 * questions.
 */

import { createHash } from 'node:crypto'
import type { FieldDefinition, FieldGroup } from '../definition.ts'
import { folded, numberedNames, withoutMark } from './names.ts'
import { plainText } from './plain-text.ts'
import { loadSnakeCase, needsPrefix, type SnakeCase } from './snake-case.ts'

/** What a question is called: its name unchanged, its id, its text, or a short name that needs no quotes in SQL. */
export type NameMode = 'name' | 'id' | 'description' | 'snake'

export const NAME_MODES: readonly NameMode[] = ['name', 'id', 'description', 'snake']

/** A mode with what it needs to make names. */
export type Naming =
  | { readonly mode: Exclude<NameMode, 'snake'> }
  | { readonly mode: 'snake'; readonly snakeCase: SnakeCase }

export async function loadNaming(mode: NameMode): Promise<Naming> {
  return mode === 'snake' ? { mode, snakeCase: await loadSnakeCase() } : { mode }
}

/** PostgreSQL truncates names at 63 bytes; this leaves room for an option's name or a suffix. */
const MAX_SNAKE_LENGTH = 40
const MAX_SNAKE_OPTION_LENGTH = 20

/** A desired name, with a key that identifies its owner permanently: a field id, with more where needed. */
export interface NameWish {
  readonly wanted: string
  readonly key: string
}

/** Returns the desired name of a question or group. */
export function wantedName(
  owner: { readonly id: string; readonly name: string; readonly description: string },
  naming: Naming,
): string {
  const named = withoutMark(owner.name) || owner.id
  switch (naming.mode) {
    case 'name':
      return named
    case 'id':
      return owner.id === '' ? named : owner.id
    case 'description':
      return plainText(owner.description) || named
    case 'snake': {
      const snake = naming.snakeCase(named, MAX_SNAKE_LENGTH)
      return needsPrefix(snake) ? `q_${snake}`.replace(/_$/, '') : snake
    }
  }
}

/** Returns the names of `fields`, in order; unique ignoring case, also against those in `used`. */
export function questionNames(fields: readonly FieldDefinition[], naming: Naming, used: Set<string>): string[] {
  return uniqueNames(
    fields.map((field) => ({ wanted: wantedName(field, naming), key: field.id })),
    naming.mode,
    used,
  )
}

/**
 * Makes names unique and adds them to `used` (names in lower case). In mode `name` the order decides: later ones get
 * `_2`, `_3` …. In all other modes it does not: names that collide get a suffix derived from their key only.
 */
export function uniqueNames(wishes: readonly NameWish[], mode: NameMode, used: Set<string>): string[] {
  if (mode === 'name') {
    return numberedNames(
      wishes.map((wish) => wish.wanted),
      used,
    )
  }
  const classes = new Map<string, NameWish[]>()
  for (const wish of wishes) {
    const members = classes.get(folded(wish.wanted))
    if (members === undefined) classes.set(folded(wish.wanted), [wish])
    else members.push(wish)
  }
  const avoided = new Set([...used, ...classes.keys()])
  const names = new Map<NameWish, string>()
  for (const [key, members] of [...classes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isAlone = members.length === 1 && !used.has(key)
    const unique = isAlone ? members.map((wish) => wish.wanted) : suffixedNames(members, mode, avoided)
    for (const [i, member] of members.entries()) names.set(member, unique[i]!)
    for (const name of unique) avoided.add(folded(name))
  }
  for (const name of names.values()) used.add(folded(name))
  return wishes.map((wish) => names.get(wish)!)
}

const MIN_SUFFIX_LENGTH = 6
const DIGEST_CHARACTERS = 64

function suffixedNames(members: readonly NameWish[], mode: NameMode, taken: ReadonlySet<string>): string[] {
  const digests = members.map(({ key }) => createHash('sha256').update(key).digest('hex'))
  for (let length = MIN_SUFFIX_LENGTH; length <= DIGEST_CHARACTERS; length++) {
    const names = members.map(({ wanted }, i) => joinedName(wanted, digests[i]!.slice(0, length), mode))
    const distinct = new Set(names.map(folded))
    if (distinct.size === names.length && ![...distinct].some((name) => taken.has(name))) return names
  }
  throw new Error('unreachable: names that share a key')
}

function joinedName(wanted: string, suffix: string, mode: NameMode): string {
  return mode === 'description' ? `${wanted} (${suffix})` : `${wanted}_${suffix}`
}

/** Returns the name of the column that says whether one option was chosen. */
export function optionColumnName(question: string, option: { id: string; label: string }, naming: Naming): string {
  if (naming.mode === 'id') return `${question}: ${option.id}`
  if (naming.mode !== 'snake') return `${question}: ${option.label}`
  return `${question}__${naming.snakeCase(option.label, MAX_SNAKE_OPTION_LENGTH) || 'option'}`
}

/** Returns the name of a grid's row inside its group: the rest of the question's name. */
export function memberName(field: FieldDefinition, group: FieldGroup, naming: Naming): string {
  if (naming.mode !== 'name' && naming.mode !== 'snake') return wantedName(field, naming)
  const named = withoutMark(field.name) || field.id
  const prefix = `${withoutMark(group.name)}_`
  const rest = group.name !== '' && named.startsWith(prefix) ? named.slice(prefix.length).trim() : named
  return wantedName({ ...field, name: rest === '' ? named : rest }, naming)
}
