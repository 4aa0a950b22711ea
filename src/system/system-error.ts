/** Words for errors of the operating system and the JavaScript engine. */

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

/** Returns why a system call failed; Node's own message for codes without words here. */
export function systemReason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return REASONS[code] ?? message
}

/** Whether an error comes from a system call. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

/** Returns an ExportError `ERR_MEMORY` if the engine could not get memory; any other error unchanged. */
export function explainMemory(error: unknown): unknown {
  if (!(error instanceof RangeError) || !/memory|allocat/i.test(error.message)) return error
  const advice = isWebAssembly(error)
    ? worded`where addresses are limited (ulimit -v), NODE_OPTIONS=--disable-wasm-trap-handler needs far fewer of them`
    : worded`a smaller ${option('batchSize')} or ${option('rowGroupSize')} needs less`
  return new ExportError('ERR_MEMORY', worded`there is too little memory (${error.message}); ${advice}`, {
    cause: error,
  })
}

/**
 * Whether the memory was for WebAssembly. The engine reserves 10 GB of address space for each such memory, however
 * small, to avoid bounds checks.
 */
function isWebAssembly(error: RangeError): boolean {
  const isSet = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').includes('--disable-wasm-trap-handler')
  return error.message.startsWith('WebAssembly') && !isSet
}
