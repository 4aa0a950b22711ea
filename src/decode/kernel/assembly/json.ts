// The tokens of JSON, read from bytes that are followed by NULs: NUL matches nothing. Positions are addresses; 0 means
// that something else was found, which the general path will read again.

export const QUOTE: u8 = 0x22
export const COMMA: u8 = 0x2c
export const MINUS: u8 = 0x2d
export const COLON: u8 = 0x3a
export const OPEN_ARRAY: u8 = 0x5b
export const BACKSLASH: u8 = 0x5c
export const CLOSE_ARRAY: u8 = 0x5d
export const OPEN_OBJECT: u8 = 0x7b
export const CLOSE_OBJECT: u8 = 0x7d

export const SPACE: u8 = 0x20

/** `null`, little-endian. */
export const NULL_WORD: u32 = 0x6c6c756e

export function skipWhitespace(p: usize): usize {
  while (true) {
    const byte = load<u8>(p)
    if (byte > SPACE || (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return p
    p++
  }
}

/** Returns the position after one byte and the white space before and after it; 0 if there is another byte. */
export function skipToken(p: usize, byte: u8): usize {
  p = skipWhitespace(p)
  return load<u8>(p) === byte ? skipWhitespace(p + 1) : 0
}

export function isDigit(byte: u8): bool {
  return byte - 0x30 <= 9
}

/**
 * Whether a literal of at most `blocks * 16` bytes is at `p`. `literal` holds 16 bytes and 16 bytes of mask in turn;
 * the masks are 0 after the literal's end.
 */
export function matchesLiteral(p: usize, literal: usize, blocks: usize): bool {
  let difference = v128.splat<u8>(0)
  for (let i: usize = 0; i < blocks; i++) {
    const at = literal + (i << 5)
    difference = v128.or(difference, v128.and(v128.xor(v128.load(p + (i << 4)), v128.load(at)), v128.load(at, 16)))
  }
  return !v128.any_true(difference)
}
