/** Adds the input's name to failures: with several files in a script, a place in one of them is not enough. */

import { type ErrorCode, type ExportError, isExportError } from '../errors.ts'
import { STANDARD_STREAM } from './standard-stream.ts'

/** Codes of errors in the input itself. */
const INPUT_CODES: readonly ErrorCode[] = [
  'ERR_JSON_SYNTAX',
  'ERR_JSON_TRUNCATED',
  'ERR_JSON_ENCODING',
  'ERR_NOT_JSON',
  'ERR_NOT_AN_EXPORT',
  'ERR_DEFINITION',
  'ERR_RECORD',
  'ERR_VALUE',
  'ERR_TOO_MANY_VALUES',
  'ERR_FIELD_REPEATED',
  'ERR_DICTIONARY_FULL',
  'ERR_LIMIT',
  'ERR_SOURCE',
  'ERR_SOURCE_CHANGED',
  'ERR_GZIP',
]

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
    if (!isExportError(error, ...INPUT_CODES)) throw error
    throw new InputFailure(input === STANDARD_STREAM ? 'standard input' : input, error)
  }
}
