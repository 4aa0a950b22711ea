/** `-` on the command line, and what is printed. */

import { OptionError, OutputError } from '../errors.ts'
import { type ExportSource, unlessAborted } from '../source.ts'
import { systemReason } from '../system-error.ts'

/** Standard input or output, where a path is expected. */
export const STANDARD_STREAM = '-'

/** @throws OptionError when it is standard input, and a person would have to type the export. */
export function sourceOf(input: string): ExportSource {
  if (input !== STANDARD_STREAM) return input
  if (process.stdin.isTTY) throw new OptionError('ERR_OPTION', 'expected an export on standard input, found a terminal')
  return process.stdin
}

let outputFailure: Error | undefined

/** Notes what keeps standard output from being written; standard error, where that would be said, may fail silently. */
export function watchStandardStreams(): void {
  process.stdout.on('error', (error) => {
    outputFailure ??= error
  })
  process.stderr.on('error', () => undefined)
}

/**
 * Waits until all that was printed has been taken.
 * @throws OutputError `ERR_OUTPUT` when it could not be written; its cause has the code `EPIPE` when nobody reads it.
 */
export async function requirePrinted(signal: AbortSignal): Promise<void> {
  const printed = new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
  await unlessAborted(printed, signal)
  if (outputFailure === undefined) return
  const problem = `cannot write to standard output: ${systemReason(outputFailure)}`
  throw new OutputError('ERR_OUTPUT', problem, { cause: outputFailure })
}
