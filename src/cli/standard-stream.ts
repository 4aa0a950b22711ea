/** Handles `-` on the command line, and printed output. */

import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'
import { OptionError, OutputError } from '../errors.ts'
import { type ExportSource, PipeStream } from '../input/source.ts'
import type { OutputTarget } from '../sinks/output.ts'
import { unlessAborted } from '../system/abort.ts'
import { systemReason } from '../system/system-error.ts'

/** Means standard input or output instead of a path. */
export const STANDARD_STREAM = '-'

/**
 * Returns the source of an input.
 * @throws OptionError when it is standard input and that is a terminal.
 */
export function sourceOf(input: string): ExportSource {
  if (input !== STANDARD_STREAM) return input
  if (isatty(0)) throw new OptionError('ERR_OPTION', 'expected an export on standard input, found a terminal')
  // Accessing `process.stdin` would begin to read a pipe.
  return isPipe(0) ? new PipeStream(0) : process.stdin
}

/**
 * Returns the target of an output.
 * @param isText Whether people can read it.
 * @throws OptionError when binary output would go to a terminal.
 */
export function targetOf(output: string, isText = false): OutputTarget {
  if (output !== STANDARD_STREAM) return output
  if (isText || !isatty(1)) return process.stdout
  throw new OptionError('ERR_OPTION', 'standard output is a terminal: give a file as --output, or pipe it on')
}

/**
 * Refuses standard input and output for a comparison, which reads both the export and the output again.
 * @throws OptionError `ERR_OPTION`.
 */
export function requireFiles(input: string, output: string): void {
  if (input !== STANDARD_STREAM && output !== STANDARD_STREAM) return
  throw new OptionError('ERR_OPTION', 'verify reads files: expected two paths, found -')
}

function isPipe(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO()
  } catch {
    // Standard input is closed.
    return false
  }
}

let outputFailure: Error | undefined

/** Records errors of standard output. Errors of standard error are ignored, because they could not be reported. */
export function watchStandardStreams(): void {
  process.stdout.on('error', (error) => {
    outputFailure ??= error
  })
  process.stderr.on('error', () => undefined)
}

/**
 * Waits until all printed output has been read.
 * @throws OutputError `ERR_OUTPUT` when it could not be written; its cause has the code `EPIPE` when the reader has
 * closed it.
 */
export async function requirePrinted(signal: AbortSignal): Promise<void> {
  const printed = new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
  await unlessAborted(printed, signal)
  if (outputFailure === undefined) return
  const problem = `cannot write to standard output: ${systemReason(outputFailure)}`
  throw new OutputError('ERR_OUTPUT', problem, { cause: outputFailure })
}
