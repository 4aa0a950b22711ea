/** Texts of a footer as bytes. */

/** Longer texts are left to the engine's encoder, which takes a microsecond for each of thousands of names. */
const LONGEST_SHORT_TEXT = 64

const encoder = new TextEncoder()

/**
 * Writes a text as UTF-8 at `at` of `bytes`, which has room for it: three bytes a character are enough.
 * @returns Its length in bytes.
 */
export function writeUtf8(text: string, bytes: Uint8Array, at: number): number {
  const { length } = text
  if (length > LONGEST_SHORT_TEXT || !isAscii(text)) return encoder.encodeInto(text, bytes.subarray(at)).written
  for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i)
  return length
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false
  return true
}
