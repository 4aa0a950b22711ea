/** `-` on the command line, and what is printed. */

import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'
import { OptionError, OutputError } from '../errors.ts'
import { type ExportSource, PipeStream, unlessAborted } from '../input/source.ts'
import type { OutputTarget } from '../sinks/output.ts'
import { systemReason } from '../system/system-error.ts'

/** Standard input or output, where a path is expected. */
export const STANDARD_STREAM = '-'

/** @throws OptionError when it is standard input, and a person would have to type the export. */
export function sourceOf(input: string): ExportSource {
  if (input !== STANDARD_STREAM) return input
  if (isatty(0)) throw new OptionError('ERR_OPTION', 'expected an export on standard input, found a terminal')
  // Not to be touched where it is a pipe, for it would begin to read it.
  return isPipe(0) ? new PipeStream(0) : process.stdin
}

/**
 * Returns where an output goes.
 * @param isText Whether a person can read it.
 * @throws OptionError when bytes that no person can read would go to a terminal.
 */
export function targetOf(output: string, isText = false): OutputTarget {
  if (output !== STANDARD_STREAM) return output
  if (isText || !isatty(1)) return process.stdout
  throw new OptionError('ERR_OPTION', 'standard output is a terminal: give a file as --output, or pipe it on')
}

function isPipe(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO()
  } catch {
    // It is closed.
    return false
  }
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
