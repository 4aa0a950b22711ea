/** Recognizes input that is not UTF-8 JSON by its first bytes, so that messages can name its format. */

import { JsonSyntaxError, quoted } from '../errors.ts'
import { OPEN_OBJECT } from '../json/bytes.ts'

/** Bytes that `foreignFormatError` needs, unless the whole input is shorter. */
export const MAX_MAGIC_BYTES = 6

export const BYTE_ORDER_MARK_BYTES = 3

const MAGIC: readonly (readonly [string, string])[] = [
  ['PK\u0003\u0004', 'a ZIP archive; unpack it (an Excel file is one, too)'],
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

/** Offset of the format's name in a tar archive. */
const TAR_MAGIC_AT = 257

/** Returns an error that names the format, or undefined if the input may be JSON. */
export function foreignFormatError(bytes: Uint8Array): JsonSyntaxError | undefined {
  const utf16 = utf16Kind(bytes)
  if (utf16 !== undefined) {
    const problem = `expected UTF-8, found ${utf16}; convert the file to UTF-8`
    return new JsonSyntaxError('ERR_JSON_ENCODING', problem, { byteOffset: 0 })
  }
  const start = String.fromCharCode(...bytes.subarray(0, MAX_MAGIC_BYTES))
  for (const [magic, format] of MAGIC) if (start.startsWith(magic)) return notJsonError(format)
  const later = String.fromCharCode(...bytes.subarray(TAR_MAGIC_AT, TAR_MAGIC_AT + 5))
  if (later === 'ustar' && bytes[0] !== OPEN_OBJECT) return notJsonError('a tar archive; unpack it')
  return undefined
}

/** Whether the input begins with the byte order mark EF BB BF, which JSON should not have but often does. */
export function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

export function markupError(): JsonSyntaxError {
  return notJsonError('an HTML or XML page, such as a login or error page')
}

/** Bytes of a line that must be there (or the whole line, or the whole input) before `textLine` can tell. */
const MAX_LINE_BYTES = 200

/**
 * Returns the first line of a text that is no JSON, such as that of a CSV file: it begins with a word, or goes on after a
 * string or a number. Undefined where it may be JSON.
 * @param bytes The input from its first character on.
 */
export function textLine(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.subarray(0, MAX_LINE_BYTES)).toString('utf8')
  const [line = ''] = text.split(/[\r\n]/, 1)
  if (/^(?!(?:true|false|null)\b)[a-z_]\w*/i.test(line)) return line
  return /^(?:"[^"]*"|-?[\d.]+)[ ]*[,;\t]/.test(line) ? line : undefined
}

/** Whether all of the first line that `textLine` looks at is there. */
export function hasTextLine(bytes: Uint8Array): boolean {
  return bytes.length >= MAX_LINE_BYTES || bytes.includes(LINE_FEED)
}

const LINE_FEED = 0x0a

export function textLineError(line: string): JsonSyntaxError {
  const kind = /[,;\t]/.test(line) ? ' (a CSV file?)' : ''
  return notJsonError(`text that begins with ${quoted(line)}${kind}`)
}

export function emptyInputError(): JsonSyntaxError {
  return notJsonError('nothing: the input is empty')
}

function notJsonError(found: string): JsonSyntaxError {
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
