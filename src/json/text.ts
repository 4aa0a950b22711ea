/** Copies JSON strings as UTF-8 bytes, without creating JavaScript strings. */

import { BACKSLASH, LOWER_U, STRING_BYTES, StringByte } from './bytes.ts'
import { type Cursor, SHORT_ESCAPES } from './cursor.ts'
import { encodeCodePoint } from './utf8.ts'

const REPLACEMENT_CHARACTER = 0xfffd

/** Below this many bytes, a loop copies faster than a call of `set`. */
const SHORT_RUN_BYTES = 48

/**
 * Buffers below this size grow fourfold, larger ones twofold: fewer copies, and pages not yet written take no memory.
 */
const MAX_FAST_GROWTH_BYTES = 1 << 23

const NO_BYTES = new Uint8Array(0)
const NO_VIEW = new DataView(NO_BYTES.buffer)

/** A growing buffer of UTF-8 bytes. */
export class TextBuffer {
  bytes: Uint8Array<ArrayBuffer>
  view: DataView<ArrayBuffer>
  /** Bytes in use. */
  end = 0

  constructor(capacity = 0) {
    this.bytes = capacity === 0 ? NO_BYTES : new Uint8Array(capacity)
    this.view = capacity === 0 ? NO_VIEW : new DataView(this.bytes.buffer)
  }

  /** Makes room for `extra` bytes after `end`. */
  reserve(extra: number): void {
    const needed = this.end + extra
    if (needed <= this.bytes.length) return
    const growth = this.bytes.length < MAX_FAST_GROWTH_BYTES ? 4 : 2
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * growth, 256))
    grown.set(this.bytes.subarray(0, this.end))
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }

  append(source: Uint8Array, from: number, to: number): void {
    const length = to - from
    if (this.end + length > this.bytes.length) this.reserve(length)
    const { bytes, end } = this
    if (length < SHORT_RUN_BYTES) for (let i = 0; i < length; i++) bytes[end + i] = source[from + i]!
    else bytes.set(source.subarray(from, to), end)
    this.end = end + length
  }

  appendCodePoint(codePoint: number): void {
    this.reserve(4)
    this.end += encodeCodePoint(this.bytes, this.end, codePoint)
  }
}

/**
 * Appends the string at the cursor with its escapes resolved. Starts at the opening quote.
 * @returns the number of unpaired surrogates, which JSON allows and UTF-8 does not; each is replaced by U+FFFD.
 */
export function readText(cursor: Cursor, buffer: TextBuffer): number {
  const { bytes } = cursor
  let p = cursor.pos + 1
  let replaced = 0
  for (;;) {
    p = copyPlainWords(cursor, p, buffer)
    const run = p
    while (STRING_BYTES[bytes[p]!] === StringByte.plain && p - run < WORD_BYTES) p++
    while (STRING_BYTES[bytes[p]!] === StringByte.nonAscii) p += cursor.sequenceLength(p)
    buffer.append(bytes, run, p)
    switch (STRING_BYTES[bytes[p]!]) {
      case StringByte.quote:
        cursor.pos = p + 1
        return replaced
      case StringByte.backslash: {
        const length = cursor.escapeLength(p)
        if (length === 2) buffer.appendCodePoint(SHORT_ESCAPES[bytes[p + 1]!]!)
        p = length === 2 ? p + 2 : readUnicodeEscapes(cursor, p, buffer)
        if (p < 0) {
          p = -p
          replaced++
        }
        break
      }
      case StringByte.control:
        cursor.failInString(p)
    }
  }
}

const WORD_BYTES = 4
const EACH_BYTE = 0x01010101
const HIGH_BITS = 0x80808080 | 0
const QUOTES = 0x22222222
const BACKSLASHES = 0x5c5c5c5c
const SPACES = 0x20202020

/** Bytes that `copyPlainWords` makes room for at once. */
const ROOM_BYTES = 64

/**
 * Copies words of four bytes from `p` on while they are plain: ASCII without quotes, backslashes and control
 * characters.
 * @returns the position of the first word that is not plain or has no room in the buffer.
 */
function copyPlainWords(cursor: Cursor, p: number, buffer: TextBuffer): number {
  const source = cursor.view
  if (buffer.end + ROOM_BYTES > buffer.bytes.length) buffer.reserve(ROOM_BYTES)
  const target = buffer.view
  const limit = buffer.bytes.length - WORD_BYTES
  let end = buffer.end
  while (end <= limit) {
    const word = source.getInt32(p, true)
    // Sets the high bit of each special byte, and perhaps of bytes after one; sets none if all four bytes are plain.
    const quote = word ^ QUOTES
    const backslash = word ^ BACKSLASHES
    const special =
      ((quote - EACH_BYTE) & ~quote) | ((backslash - EACH_BYTE) & ~backslash) | ((word - SPACES) & ~word) | word
    if ((special & HIGH_BITS) !== 0) break
    target.setInt32(end, word, true)
    p += WORD_BYTES
    end += WORD_BYTES
  }
  buffer.end = end
  return p
}

/**
 * Reads one `\uXXXX`, or a surrogate pair; returns the position after it, negated if an unpaired surrogate was
 * replaced.
 */
function readUnicodeEscapes(cursor: Cursor, p: number, buffer: TextBuffer): number {
  const unit = cursor.escapedCodeUnit(p)
  const isSurrogate = (unit & 0xf800) === 0xd800
  if (!isSurrogate) {
    buffer.appendCodePoint(unit)
    return p + 6
  }
  const low = unit < 0xdc00 ? lowSurrogateAt(cursor, p + 6) : 0
  if (low === 0) {
    buffer.appendCodePoint(REPLACEMENT_CHARACTER)
    return -(p + 6)
  }
  buffer.appendCodePoint(0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff))
  return p + 12
}

/** Returns the low surrogate that the escape at `p` stands for; 0 if there is none. */
function lowSurrogateAt(cursor: Cursor, p: number): number {
  if (cursor.bytes[p] !== BACKSLASH || cursor.bytes[p + 1] !== LOWER_U) return 0
  cursor.escapeLength(p)
  const unit = cursor.escapedCodeUnit(p)
  return (unit & 0xfc00) === 0xdc00 ? unit : 0
}
