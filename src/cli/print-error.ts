/** How a failure is told: one line, or one JSON object. */

import { ExportError, isExportError, printable } from '../errors.ts'
import { InputFailure } from './input-failure.ts'
import { flagWords } from './option-flags.ts'

/** Prints an error on standard error, with options as they are typed. */
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

/** Messages about a path have it already. */
function withInput(message: string, input: string | undefined): string {
  const name = printable(input ?? '')
  return name === '' || message.includes(name) ? message : `${name}: ${message}`
}
