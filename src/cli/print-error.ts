/** Prints a failure as one line, or as one JSON object. */

import { ExportError, isExportError, printable } from '../errors.ts'
import { InputFailure } from './input-failure.ts'
import { flagWords } from './option-flags.ts'

/** Prints an error to standard error, with options in the form in which they are typed. */
export function printError(failure: unknown, asJson: boolean): void {
  const { error, input } =
    failure instanceof InputFailure
      ? { error: failure.cause, input: failure.input }
      : { error: failure, input: undefined }
  const message = withInput(messageOf(error), input)
  if (!asJson) {
    process.stderr.write(`alida-arrow: ${message}\n`)
    return
  }
  const facts = isExportError(error) ? error.toJSON() : {}
  process.stderr.write(`${JSON.stringify({ error: { ...facts, message, input } })}\n`)
}

function messageOf(error: unknown): string {
  if (error instanceof ExportError) return error.messageIn(flagWords)
  return error instanceof Error ? error.message : String(error)
}

/** Prefixes a message with its input, unless it already contains it. */
function withInput(message: string, input: string | undefined): string {
  const name = printable(input ?? '')
  return name === '' || message.includes(name) ? message : `${name}: ${message}`
}
