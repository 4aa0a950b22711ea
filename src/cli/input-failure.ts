/** Adds the input's name to failures: with several files in a script, a place in one of them is not enough. */

import { type ExportError, INPUT_ERROR_CODES, isExportError } from '../errors.ts'
import { STANDARD_STREAM } from './standard-stream.ts'

export class InputFailure extends Error {
  readonly input: string
  override readonly cause: ExportError

  constructor(input: string, cause: ExportError) {
    super(cause.message, { cause })
    this.input = input
    this.cause = cause
  }
}

/**
 * Runs `use`, which reads an input.
 * @param input Path of the input, `-`, or another name for it.
 * @throws InputFailure for errors of the input; anything else that `use` throws.
 */
export async function aboutInput<T>(input: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    if (!isExportError(error, ...INPUT_ERROR_CODES)) throw error
    throw new InputFailure(input === STANDARD_STREAM ? 'standard input' : input, error)
  }
}
