/** What the operating system and the engine say when they refuse something, in words. */

import { ExportError } from '../errors.ts'
import { option, worded } from '../wording.ts'

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the system allows',
  EIO: 'the disk or its connection has failed (EIO)',
  ENOENT: 'no such file or folder',
  EISDIR: 'it is a directory',
  EBUSY: 'it is in use, or mounted by itself',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links lead round in a circle',
  ENOTDIR: 'a part of the path is no folder',
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
  const advice = isWebAssembly(error)
    ? worded`where addresses are limited (ulimit -v), NODE_OPTIONS=--disable-wasm-trap-handler needs far fewer of them`
    : worded`a smaller ${option('batchSize')} or ${option('rowGroupSize')} needs less`
  return new ExportError('ERR_MEMORY', worded`there is too little memory (${error.message}); ${advice}`, {
    cause: error,
  })
}

/** The engine asks for 10 GB of addresses for each memory of WebAssembly, however small it is, to check bounds for free. */
function isWebAssembly(error: RangeError): boolean {
  const isSet = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').includes('--disable-wasm-trap-handler')
  return error.message.startsWith('WebAssembly') && !isSet
}
