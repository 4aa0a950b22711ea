/** Names of the library's options on the command line. */

import type { OptionMention } from '../wording.ts'

/** Options whose name on the command line is not just another spelling. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  sinceDatetime: '--since',
  untilDatetime: '--until',
  deadlineMs: '--timeout',
  fieldIds: '--fields',
}

/** Returns the name of an option on the command line: `maxRecordBytes` is `--max-record-bytes`. */
export function flagOf(name: string): string {
  return OTHER_NAMES[name] ?? `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** Options that are better given as an environment variable. */
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

/** Whether the command line can only switch an option off. */
export function isNegative(option: string): boolean {
  return option === 'hidden' || option === 'system'
}
