/** Checks of options whose types JavaScript does not check: what is misread or ignored may write what was to be left out. */

import { OptionError, quoted } from './errors.ts'
import { nearestHint } from './nearest-words.ts'

/** The names of all options of an interface; the compiler refuses a list that lacks one, or has one too many. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>

/**
 * Refuses options that are not known: a misspelt one would be ignored.
 * @throws OptionError `ERR_OPTION`, with the names that are most like it.
 */
export function requireKnownOptions<Options extends object>(options: Options, names: OptionNames<Options>): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw wrong('options', 'an object', options)
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name))
  if (unknown === undefined) return
  throw new OptionError('ERR_OPTION', `unknown option ${quoted(unknown)}${nearestHint(unknown, Object.keys(names))}`)
}

/** @throws OptionError `ERR_OPTION`. */
export function requirePositive(option: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return
  throw wrong(option, 'a whole number above 0', value)
}

/** @throws OptionError `ERR_OPTION`. */
export function requireWord(option: string, value: string | undefined, words: readonly string[]): void {
  if (value === undefined || words.includes(value)) return
  throw wrong(option, words.join(', '), value)
}

/** @throws OptionError `ERR_OPTION`. */
export function requireBoolean(option: string, value: boolean | undefined): void {
  if (value !== undefined && typeof value !== 'boolean') throw wrong(option, 'true or false', value)
}

/** @throws OptionError `ERR_OPTION`. */
export function requireText(option: string, value: string | undefined): void {
  if (value !== undefined && typeof value !== 'string') throw wrong(option, 'a text', value)
}

/**
 * A text alone is refused, too: it would be taken letter by letter.
 * @throws OptionError `ERR_OPTION`.
 */
export function requireTexts(option: string, value: readonly string[] | undefined): void {
  if (value === undefined) return
  if (!Array.isArray(value)) throw wrong(option, 'an array of texts', value)
  for (const text of value as unknown[]) if (typeof text !== 'string') throw wrong(option, 'an array of texts', text)
}

/** @throws OptionError `ERR_OPTION`. */
export function requireFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw wrong(option, 'a function', value)
}

/** @throws OptionError `ERR_OPTION`. */
export function requireSignal(value: AbortSignal | undefined): void {
  if (value !== undefined && !(value instanceof AbortSignal)) throw wrong('signal', 'an AbortSignal', value)
}

/** The error for an option, or a parameter, with a value that it does not take. */
export function wrong(option: string, expected: string, value: unknown): OptionError {
  return new OptionError('ERR_OPTION', `${option}: expected ${expected}, found ${shown(value)}`)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}
