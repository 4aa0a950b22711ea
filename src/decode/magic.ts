/** What the first bytes give away when the input is no UTF-8 JSON, so that the message can name it. */

import { JsonSyntaxError } from '../errors.ts'

/** Bytes that must be there (or the whole input) before `foreignFormat` can tell. */
export const LONGEST_MAGIC_BYTES = 6

export const BYTE_ORDER_MARK_BYTES = 3

const MAGIC: readonly (readonly [string, string])[] = [
  ['PK\u0003\u0004', 'a ZIP archive; unpack it'],
  ['PAR1', 'a Parquet file'],
  ['ARROW1', 'an Arrow file'],
  ['BZh', 'bzip2 data; decompress it'],
  ['\u00fd7zXZ\u0000', 'xz data; decompress it'],
  ['\u0028\u00b5\u002f\u00fd', 'zstd data; decompress it'],
]

/** An error that names the format, or undefined when the input may be JSON. */
export function foreignFormat(bytes: Uint8Array): JsonSyntaxError | undefined {
  const utf16 = utf16Kind(bytes)
  if (utf16 !== undefined) {
    const problem = `expected UTF-8, found ${utf16}; convert the file to UTF-8`
    return new JsonSyntaxError('ERR_JSON_ENCODING', problem, { byteOffset: 0 })
  }
  const start = String.fromCharCode(...bytes.subarray(0, LONGEST_MAGIC_BYTES))
  for (const [magic, format] of MAGIC) if (start.startsWith(magic)) return notJson(format)
  return undefined
}

/** Whether the byte order mark EF BB BF stands first, which JSON should not begin with but often does. */
export function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

export function markupInsteadOfJson(): JsonSyntaxError {
  return notJson('an HTML or XML page, such as a login or error page')
}

export function emptyInput(): JsonSyntaxError {
  return notJson('nothing: the input is empty')
}

function notJson(found: string): JsonSyntaxError {
  return new JsonSyntaxError('ERR_NOT_JSON', `expected the JSON of an export, found ${found}`, { byteOffset: 0 })
}

function utf16Kind(bytes: Uint8Array): string | undefined {
  if (bytes.length < 2) return undefined
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return 'UTF-16 (little endian)'
  if (first === 0xfe && second === 0xff) return 'UTF-16 (big endian)'
  if (first === 0 && second !== 0) return 'UTF-16 or UTF-32 (big endian)'
  return first !== 0 && second === 0 ? 'UTF-16 or UTF-32 (little endian)' : undefined
}
