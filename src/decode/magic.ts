/** What the first bytes give away when the input is no UTF-8 JSON, so that the message can name it. */

import { JsonSyntaxError } from '../errors.ts'
import { OPEN_OBJECT } from '../json/bytes.ts'

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
  ['\u0004\u0022\u004d\u0018', 'lz4 data; decompress it'],
  ['\u0078\u0001', 'zlib data; decompress it'],
  ['\u0078\u009c', 'zlib data; decompress it'],
  ['\u0078\u00da', 'zlib data; decompress it'],
  ['7z\u00bc\u00af', 'a 7z archive; unpack it'],
  ['\u00d0\u00cf\u0011\u00e0', 'an Excel workbook or another Office file'],
  ['$FL2', 'an SPSS file'],
  ['%PDF', 'a PDF file'],
]

/** Where a tar archive says what it is. */
const TAR_MAGIC_AT = 257

/** An error that names the format, or undefined when the input may be JSON. */
export function foreignFormat(bytes: Uint8Array): JsonSyntaxError | undefined {
  const utf16 = utf16Kind(bytes)
  if (utf16 !== undefined) {
    const problem = `expected UTF-8, found ${utf16}; convert the file to UTF-8`
    return new JsonSyntaxError('ERR_JSON_ENCODING', problem, { byteOffset: 0 })
  }
  const start = String.fromCharCode(...bytes.subarray(0, LONGEST_MAGIC_BYTES))
  for (const [magic, format] of MAGIC) if (start.startsWith(magic)) return notJson(format)
  const later = String.fromCharCode(...bytes.subarray(TAR_MAGIC_AT, TAR_MAGIC_AT + 5))
  if (later === 'ustar' && bytes[0] !== OPEN_OBJECT) return notJson('a tar archive; unpack it')
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
  const [first, second, third, fourth] = bytes
  if (first === 0xff && second === 0xfe && third === 0 && fourth === 0) return 'UTF-32 (little endian)'
  if (first === 0 && second === 0 && third === 0xfe && fourth === 0xff) return 'UTF-32 (big endian)'
  if (first === 0 && second === 0 && third === 0 && fourth !== 0) return 'UTF-32 (big endian)'
  if (first === 0xff && second === 0xfe) return 'UTF-16 (little endian)'
  if (first === 0xfe && second === 0xff) return 'UTF-16 (big endian)'
  if (first === 0 && second !== 0) return 'UTF-16 or UTF-32 (big endian)'
  return first !== 0 && second === 0 ? 'UTF-16 or UTF-32 (little endian)' : undefined
}
