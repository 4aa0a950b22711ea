/** Decides what columns and dictionary labels are called; nothing else does. */

import type { OptionDefinition } from '../definition.ts'

/** Columns that every table has; their names are reserved before any question's. */
export const SYSTEM_COLUMNS = { ownerId: 'ownerId', lastUpdateDate: 'lastUpdateDate', skipped: 'skipped' } as const

/** Columns that some options add. They give way to questions of the same name, which an option must not rename. */
export const OPTIONAL_COLUMNS = { invalid: 'invalid', extra: '_extra' } as const

/**
 * Makes names unique ignoring case, as DuckDB and Spark do: the first keeps its name, later ones get `_2`, `_3` …,
 * skipping every name in `wanted`. Avoids those in `used` (lower case) and adds the new ones to it.
 */
export function numberedNames(wanted: readonly string[], used: Set<string>): string[] {
  const avoided = new Set([...used, ...wanted.map(folded)])
  const nextSuffix = new Map<string, number>()
  return wanted.map((name) => {
    const key = folded(name)
    if (!used.has(key)) {
      used.add(key)
      return name
    }
    let suffix = nextSuffix.get(key) ?? 2
    while (avoided.has(folded(`${name}_${suffix}`))) suffix++
    nextSuffix.set(key, suffix + 1)
    const unique = `${name}_${suffix}`
    used.add(folded(unique))
    avoided.add(folded(unique))
    return unique
  })
}

/**
 * Returns the dictionary labels of a question's options, in order: the option's name; later ones of the same name get `
 * (2)`, ` (3)` …, because pandas requires unique categories.
 */
export function optionLabels(options: readonly OptionDefinition[]): string[] {
  const names = options.map((option) => option.name)
  const used = new Set<string>()
  const avoided = new Set(names)
  const nextSuffix = new Map<string, number>()
  return names.map((name) => {
    if (!used.has(name)) {
      used.add(name)
      return name
    }
    return uniqueLabel(name, used, avoided, nextSuffix)
  })
}

/** Returns the label of an option that is not in the definition: its id, made unique among `used`. */
export function unknownOptionLabel(optionId: string, used: Set<string>): string {
  if (!used.has(optionId)) {
    used.add(optionId)
    return optionId
  }
  return uniqueLabel(optionId, used, used, new Map())
}

function uniqueLabel(name: string, used: Set<string>, avoided: Set<string>, nextSuffix: Map<string, number>): string {
  let suffix = nextSuffix.get(name) ?? 2
  while (avoided.has(`${name} (${suffix})`)) suffix++
  nextSuffix.set(name, suffix + 1)
  const unique = `${name} (${suffix})`
  used.add(unique)
  avoided.add(unique)
  return unique
}

/**
 * Removes the byte order mark that names pasted from a file may begin with: it is invisible, cannot be typed, and is
 * dropped by readers in JavaScript.
 */
export function withoutMark(name: string): string {
  return name.replace(/^\ufeff+/, '')
}

/** Returns a name in the form for comparison: DuckDB and Spark ignore case. */
export function folded(name: string): string {
  return name.toLowerCase()
}
