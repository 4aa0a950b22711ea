/** How the command line calls the options of the library. */

import type { OptionMention } from '../wording.ts'

/** Options whose names differ in more than their form. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  sinceDatetime: '--since',
  untilDatetime: '--until',
  mostBytes: '--max-bytes',
  deadlineMs: '--timeout',
  fieldIds: '--fields',
}

/** Returns the name of an option on the command line: `maxRecordBytes` is `--max-record-bytes`. */
export function flagOf(name: string): string {
  return OTHER_NAMES[name] ?? `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** Options that are better given as a variable of the environment. */
const VARIABLES: Readonly<Record<string, string>> = {
  token: 'ALIDA_TOKEN',
  clientId: 'ALIDA_CLIENT_ID',
  clientSecret: 'ALIDA_CLIENT_SECRET',
  hashKey: 'ALIDA_HASH_KEY',
}

/** Returns an option as it is typed: `--on-invalid null`, `--keep-unknown`, `--no-hidden`. */
export function flagWords({ option, value }: OptionMention): string {
  const variable = VARIABLES[option]
  if (variable !== undefined) return variable
  if (isNegative(option)) return value === 'false' ? `--no-${option}` : flagOf(option)
  return value === undefined || value === 'true' ? flagOf(option) : `${flagOf(option)} ${value}`
}

/** Whether the command line has an option to switch it off only. */
export function isNegative(option: string): boolean {
  return option === 'hidden' || option === 'system'
}
