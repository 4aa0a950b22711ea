/** Exit codes of the CLI. */

import { type ErrorCode, isExportError } from '../errors.ts'
import { InputFailure } from './input-failure.ts'

export const ExitCode = {
  ok: 0,
  /** The export or the output cannot be used. */
  data: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The API failed. */
  api: 3,
  interrupted: 130,
  terminated: 143,
  /** The reader of standard output closed it; like SIGPIPE. */
  closedPipe: 141,
} as const

export function exitCodeOf(failure: unknown): number {
  const error = failure instanceof InputFailure ? failure.cause : failure
  if (!isExportError(error)) return ExitCode.data
  const code: ErrorCode = error.code
  if (code === 'ERR_OPTION') return ExitCode.usage
  return code.startsWith('ERR_API_') ? ExitCode.api : ExitCode.data
}

/** Whether an error only means that the reader of our output has closed it. */
export function isClosedPipe(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EPIPE') return true
  }
  return false
}
