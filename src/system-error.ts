/** What the operating system and the engine say when they refuse something, in words. */

import { ExportError } from './errors.ts'

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the system allows',
  EIO: 'the disk or its connection has failed (EIO)',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
}

/** Why a system call failed; Node's own message for what has no words here. */
export function systemReason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return REASONS[code] ?? message
}

/** Whether an error comes from a system call, and not from this program. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

/** An ExportError `ERR_MEMORY` for memory that the engine could not get; any other error stays as it is. */
export function explainMemory(error: unknown): unknown {
  if (!(error instanceof RangeError) || !/memory|allocat/i.test(error.message)) return error
  const problem = `there is too little memory (${error.message}); a smaller batch size or row group size needs less`
  return new ExportError('ERR_MEMORY', problem, { cause: error })
}
