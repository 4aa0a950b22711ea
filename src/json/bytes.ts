/** Bytes that have a meaning in JSON (RFC 8259). */

export const QUOTE = 0x22
export const BACKSLASH = 0x5c
export const COMMA = 0x2c
export const COLON = 0x3a
export const OPEN_ARRAY = 0x5b
export const CLOSE_ARRAY = 0x5d
export const OPEN_OBJECT = 0x7b
export const CLOSE_OBJECT = 0x7d
export const MINUS = 0x2d
export const PLUS = 0x2b
export const POINT = 0x2e
export const SPACE = 0x20
export const ZERO = 0x30
const NINE = 0x39
export const LOWER_E = 0x65
export const UPPER_E = 0x45
export const LOWER_F = 0x66
export const LOWER_N = 0x6e
export const LOWER_T = 0x74
export const LOWER_U = 0x75

/** Classes of bytes inside a JSON string; `plain` is ASCII that stands for itself. */
export const StringByte = { plain: 0, quote: 1, backslash: 2, control: 3, nonAscii: 4 } as const

/** The `StringByte` class of every byte. */
export const STRING_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === QUOTE) return StringByte.quote
  if (byte === BACKSLASH) return StringByte.backslash
  if (byte < SPACE) return StringByte.control
  return byte < 0x80 ? StringByte.plain : StringByte.nonAscii
})

export function isWhitespace(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09
}

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}
