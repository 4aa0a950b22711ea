/** Checks of options whose types JavaScript does not check. */

import { OptionError, quoted } from './errors.ts'

/** @throws OptionError `ERR_OPTION`. */
export function requirePositive(option: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return
  throw new OptionError('ERR_OPTION', `${option}: expected a whole number above 0, found ${shown(value)}`)
}

/** @throws OptionError `ERR_OPTION`. */
export function requireWord(option: string, value: string | undefined, words: readonly string[]): void {
  if (value === undefined || words.includes(value)) return
  throw new OptionError('ERR_OPTION', `${option}: expected ${words.join(', ')}, found ${shown(value)}`)
}

function shown(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : String(value)
}
