/** `-` on the command line. */

import { OptionError } from '../errors.ts'
import type { ExportSource } from '../source.ts'

/** Standard input or output, where a path is expected. */
export const STANDARD_STREAM = '-'

/** @throws OptionError when it is standard input, and a person would have to type the export. */
export function sourceOf(input: string): ExportSource {
  if (input !== STANDARD_STREAM) return input
  if (process.stdin.isTTY) throw new OptionError('ERR_OPTION', 'expected an export on standard input, found a terminal')
  return process.stdin
}
