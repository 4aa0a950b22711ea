/** Options for the limits against hostile input, the same for every command that reads an export. */

import { type Command, Option } from 'commander'
import { type InputLimits, LIMIT_NAMES, type LimitName, requireLimits } from '../limits.ts'
import { byteCount, wholeNumber } from './amounts.ts'
import { flagOf } from './option-flags.ts'

const DESCRIPTIONS: Readonly<Record<LimitName, readonly [value: string, description: string]>> = {
  maxRecordBytes: ['size', 'maximum size of a record, such as 100MB or 128MiB (default: 64MiB of JSON)'],
  maxDefinitionBytes: ['size', 'maximum size of the definition (default: 64MiB of JSON)'],
  maxNesting: ['levels', 'maximum levels of nested arrays and objects (default: 512)'],
  maxKeyBytes: ['size', 'maximum size of a key of a JSON object (default: 64KiB)'],
  maxColumns: ['number', 'maximum columns of the table (default: 20000)'],
  maxOptions: ['number', 'maximum options of all questions together (default: 250000)'],
  maxGzipRatio: ['number', 'maximum decompressed bytes per byte of gzip (default: 500; small files may have any)'],
}

/** Adds the options. They are hidden in a command's help, because they are hardly ever needed. */
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
 * Returns the limits that were given among the options of a command.
 * @throws OptionError `ERR_OPTION` for an invalid limit.
 */
export function limitsOf(options: InputLimits): InputLimits {
  const given = LIMIT_NAMES.filter((name) => options[name] !== undefined)
  const limits: InputLimits = Object.fromEntries(given.map((name) => [name, options[name]]))
  requireLimits(limits)
  return limits
}
