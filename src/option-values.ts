/**
 * Validates options at run time, for callers in JavaScript: an option that is misread or ignored could write what was
 * to be left out.
 */

import { OptionError, quoted } from './errors.ts'
import { nearestHint } from './nearest-words.ts'
import { option, worded } from './wording.ts'

/** The names of all options of an interface; the compiler rejects a missing or an additional name. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>

/**
 * Refuses unknown options, because a misspelt one would be ignored, and options that are inherited, because copying
 * drops them. An unknown option whose value is undefined does no harm.
 * @throws OptionError `ERR_OPTION`, with the most similar names.
 */
export function requireKnownOptions<Options extends object>(options: Options, names: OptionNames<Options>): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    // Not shown, since it may be a token.
    throw new OptionError('ERR_OPTION', `options: expected an object, found ${kindOf(options)}`)
  }
  const prototype: unknown = Object.getPrototypeOf(options)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new OptionError('ERR_OPTION', 'options: expected a plain object, found one that inherits from another')
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const unknown = given.map(([name]) => name).find((name) => !Object.hasOwn(names, name))
  if (unknown === undefined) return
  throw new OptionError('ERR_OPTION', `unknown option ${quoted(unknown)}${nearestHint(unknown, Object.keys(names))}`)
}

/** @throws OptionError `ERR_OPTION`. */
export function requirePositive(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return
  throw wrongValueError(name, 'a whole number above 0', value)
}

/** @throws OptionError `ERR_OPTION`. */
export function requireWord(name: string, value: string | undefined, words: readonly string[]): void {
  if (value === undefined || words.includes(value)) return
  throw wrongValueError(name, words.join(', '), value)
}

/** @throws OptionError `ERR_OPTION`. */
export function requireBoolean(name: string, value: boolean | undefined): void {
  if (value === undefined || typeof value === 'boolean') return
  if (typeof value !== 'string') throw wrongValueError(name, 'true or false', value)
  // Not shown, since it may be a key that was meant for another option.
  throw new OptionError('ERR_OPTION', worded`${option(name)}: expected true or false, found a text`)
}

/**
 * Refuses a secret that is no text, without showing it.
 * @throws OptionError `ERR_OPTION`.
 */
export function requireSecret(name: string, value: string | undefined): void {
  if (value === undefined || typeof value === 'string') return
  throw new OptionError('ERR_OPTION', worded`${option(name)}: expected a text, found ${kindOf(value)}`)
}

/**
 * Refuses a single text, too: it would be read letter by letter.
 * @throws OptionError `ERR_OPTION`.
 */
export function requireTexts(name: string, value: readonly string[] | undefined): void {
  if (value === undefined) return
  if (!Array.isArray(value)) throw wrongValueError(name, 'an array of texts', value)
  for (const text of value as unknown[])
    if (typeof text !== 'string') throw wrongValueError(name, 'an array of texts', text)
}

/** @throws OptionError `ERR_OPTION`. */
export function requireFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw wrongValueError(name, 'a function', value)
}

/** @throws OptionError `ERR_OPTION`. */
export function requireSignal(value: AbortSignal | undefined): void {
  if (value !== undefined && !(value instanceof AbortSignal)) throw wrongValueError('signal', 'an AbortSignal', value)
}

/** Returns the error for an option, or a parameter, with an invalid value. */
export function wrongValueError(name: string, expected: string, value: unknown): OptionError {
  return new OptionError('ERR_OPTION', worded`${option(name)}: expected ${expected}, found ${shown(value)}`)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  return typeof value === 'object' || typeof value === 'function' ? kindOf(value) : String(value)
}
