/** Encodes the texts of a footer. */

/**
 * Longer texts are left to the engine's encoder, which takes a microsecond per call: too much for thousands of names.
 */
const MAX_SHORT_TEXT_LENGTH = 64

const encoder = new TextEncoder()

/**
 * Writes a text as UTF-8 at offset `at` of `bytes`, which must have room for it: three bytes per UTF-16 unit are
 * enough.
 * @returns Its length in bytes.
 */
export function writeUtf8(text: string, bytes: Uint8Array, at: number): number {
  const { length } = text
  if (length > MAX_SHORT_TEXT_LENGTH || !isAscii(text)) return encoder.encodeInto(text, bytes.subarray(at)).written
  for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i)
  return length
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false
  return true
}
