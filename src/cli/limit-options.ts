/** Options of the caps against hostile input, the same for every command that reads an export. */

import { type Command, Option } from 'commander'
import { type InputLimits, LIMIT_NAMES, type LimitName, requireLimits } from '../limits.ts'
import { byteCount, wholeNumber } from './amounts.ts'
import { flagOf } from './option-flags.ts'

const DESCRIPTIONS: Readonly<Record<LimitName, readonly [value: string, description: string]>> = {
  maxRecordBytes: ['size', 'longest record, such as 100MB or 128MiB (default: 64MiB of JSON)'],
  maxDefinitionBytes: ['size', 'longest definition (default: 64MiB of JSON)'],
  maxNesting: ['levels', 'arrays and objects inside one another (default: 512)'],
  maxKeyBytes: ['size', 'longest key of a JSON object (default: 64KiB)'],
  maxColumns: ['number', 'columns of the table (default: 20000)'],
  maxOptions: ['number', 'options of all questions together (default: 250000)'],
  maxGzipRatio: ['number', 'bytes that each byte of gzip may become (default: 500; small files may have any)'],
}

/** Adds the options without listing them in the help of a command, where nearly nobody needs them. */
export function addLimitOptions(command: Command, isListed = false): Command {
  command.optionsGroup('Limits against hostile input:')
  for (const name of LIMIT_NAMES) {
    const [value, description] = DESCRIPTIONS[name]
    const option = new Option(`${flagOf(name)} <${value}>`, description)
    command.addOption(option.argParser(value === 'size' ? byteCount : wholeNumber).hideHelp(!isListed))
  }
  return command
}

/**
 * The limits among the options of a command; those that were given.
 * @throws OptionError `ERR_OPTION` for a limit that cannot be.
 */
export function limitsOf(options: InputLimits): InputLimits {
  const given = LIMIT_NAMES.filter((name) => options[name] !== undefined)
  const limits: InputLimits = Object.fromEntries(given.map((name) => [name, options[name]]))
  requireLimits(limits)
  return limits
}
