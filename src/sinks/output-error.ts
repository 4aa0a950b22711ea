/** Messages for outputs that cannot be written. */

import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { isExportError, OutputError } from '../errors.ts'
import { systemReason } from '../system/system-error.ts'

/** Returns an OutputError `ERR_OUTPUT` about the path; ExportErrors are returned unchanged. */
export function unwritableError(path: string, error: unknown): unknown {
  if (isExportError(error)) return error
  return new OutputError('ERR_OUTPUT', `cannot write ${path}: ${reasonOf(path, error)}`, { cause: error })
}

function reasonOf(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' && !existsSync(dirname(path))) return `no such folder: ${dirname(path)}`
  // Some folders, such as /proc, accept no new files.
  if (code === 'ENOENT') return `no file can be made in ${dirname(path)}`
  if (code === 'ENOTDIR') return `not a folder: ${dirname(path)}`
  return systemReason(error)
}
