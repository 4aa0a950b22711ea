/** Words for problems with the path of an export. */

import { SourceError, shortened } from '../errors.ts'
import { systemReason } from './system-error.ts'

/** Maximum characters of a path in a message. */
const MAX_PATH_CHARS = 500

/** Returns the error for a path that cannot be opened, examined or read. */
export function unreadableSourceError(input: string, error: unknown): SourceError {
  const code = (error as NodeJS.ErrnoException).code
  // The "path" is JSON, which may contain people's answers.
  if (/^\ufeff?\s*[{[]/.test(input) && (code === 'ENOENT' || code === 'ENAMETOOLONG')) {
    const advice = 'hand in its bytes, as in Buffer.from(text)'
    return new SourceError('ERR_SOURCE', `expected the path of an export, found what looks like its JSON; ${advice}`)
  }
  const path = shortened(input, MAX_PATH_CHARS)
  const address = /^([a-z][a-z0-9+.-]+:)\/\/(?:[^/?#]*@)?([^?#]*)/i.exec(input)
  if (code === 'ENOENT' && address !== null) {
    const found = shortened(`${address[1]}//${address[2]}`)
    const advice = /^file:/i.test(input) ? 'give its path, or a URL object' : 'get the file first'
    return new SourceError('ERR_SOURCE', `expected the path of an export, found an address: ${found}; ${advice}`)
  }
  if (code === 'ENOENT') return new SourceError('ERR_SOURCE', `no such file: ${path}`)
  if (code === 'EISDIR') return new SourceError('ERR_SOURCE', `expected a file, found a directory: ${path}`)
  if (code === 'EACCES') return new SourceError('ERR_SOURCE', `no permission to read ${path}`)
  return new SourceError('ERR_SOURCE', `cannot read ${path}: ${systemReason(error)}`, { cause: error })
}
