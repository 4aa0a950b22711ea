/** UTF-8 as defined by the Unicode standard (table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF. */

/**
 * Returns the length in bytes of the multi-byte sequence at `p`: 2 to 4. For an invalid sequence, returns minus the
 * number of its leading bytes that are valid (0 to -3), so that the caller can distinguish a sequence that is cut off
 * by the end of the bytes from a wrong one.
 */
export function utf8SequenceLength(bytes: Uint8Array, p: number): number {
  const lead = bytes[p]!
  if (lead < 0xc2 || lead > 0xf4) return 0
  if (lead < 0xe0) return isContinuation(bytes[p + 1]!) ? 2 : -1
  const second = bytes[p + 1]!
  if (second < minSecond(lead) || second > maxSecond(lead)) return -1
  if (!isContinuation(bytes[p + 2]!)) return -2
  if (lead < 0xf0) return 3
  return isContinuation(bytes[p + 3]!) ? 4 : -3
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}

function minSecond(lead: number): number {
  if (lead === 0xe0) return 0xa0
  return lead === 0xf0 ? 0x90 : 0x80
}

function maxSecond(lead: number): number {
  if (lead === 0xed) return 0x9f
  return lead === 0xf4 ? 0x8f : 0xbf
}

/** Writes a code point as UTF-8 at `at`; returns the number of bytes written. */
export function encodeCodePoint(target: Uint8Array, at: number, codePoint: number): number {
  if (codePoint < 0x80) {
    target[at] = codePoint
    return 1
  }
  if (codePoint < 0x800) {
    target[at] = 0xc0 | (codePoint >> 6)
    target[at + 1] = 0x80 | (codePoint & 0x3f)
    return 2
  }
  if (codePoint < 0x10000) {
    target[at] = 0xe0 | (codePoint >> 12)
    target[at + 1] = 0x80 | ((codePoint >> 6) & 0x3f)
    target[at + 2] = 0x80 | (codePoint & 0x3f)
    return 3
  }
  target[at] = 0xf0 | (codePoint >> 18)
  target[at + 1] = 0x80 | ((codePoint >> 12) & 0x3f)
  target[at + 2] = 0x80 | ((codePoint >> 6) & 0x3f)
  target[at + 3] = 0x80 | (codePoint & 0x3f)
  return 4
}
