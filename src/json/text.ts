/** JSON strings → UTF-8 bytes, without a JavaScript string in between. */

import { BACKSLASH, LOWER_U, STRING_BYTES, StringByte } from './bytes.ts'
import { type Cursor, SHORT_ESCAPES } from './cursor.ts'
import { encodeCodePoint } from './utf8.ts'

const REPLACEMENT_CHARACTER = 0xfffd

/** Below this many bytes a loop copies faster than the call to the engine's own copy. */
const SHORT_RUN_BYTES = 48

/** Up to here a buffer grows fourfold: fewer copies, and what is not written yet takes no memory. */
const FAST_GROWTH_BYTES = 1 << 23

const NO_BYTES = new Uint8Array(0)
const NO_VIEW = new DataView(NO_BYTES.buffer)

/** UTF-8 bytes that grow at the end. */
export class TextBuffer {
  bytes: Uint8Array<ArrayBuffer>
  view: DataView<ArrayBuffer>
  /** Bytes in use. */
  end = 0

  constructor(capacity = 0) {
    this.bytes = capacity === 0 ? NO_BYTES : new Uint8Array(capacity)
    this.view = capacity === 0 ? NO_VIEW : new DataView(this.bytes.buffer)
  }

  /** Makes room for `extra` bytes behind `end`. */
  reserve(extra: number): void {
    const needed = this.end + extra
    if (needed <= this.bytes.length) return
    const growth = this.bytes.length < FAST_GROWTH_BYTES ? 4 : 2
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
 * Appends what the string at the cursor says, escapes resolved. Starts at the opening quote.
 * @returns how many unpaired surrogates were replaced by U+FFFD (JSON may hold them, UTF-8 cannot).
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

/** Bytes that `copyPlainWords` makes room for at a time. */
const ROOM_BYTES = 64

/**
 * Copies from `p` on as long as four bytes at once are plain: ASCII without quotes, backslashes and control characters.
 * @returns the position of the first word that is not, or where the room ends.
 */
function copyPlainWords(cursor: Cursor, p: number, buffer: TextBuffer): number {
  const source = cursor.view
  if (buffer.end + ROOM_BYTES > buffer.bytes.length) buffer.reserve(ROOM_BYTES)
  const target = buffer.view
  const limit = buffer.bytes.length - WORD_BYTES
  let end = buffer.end
  while (end <= limit) {
    const word = source.getInt32(p, true)
    // A byte's high bit is set where the byte is special, or behind one that is; never where all four are plain.
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

/** Reads one `\uXXXX` or a surrogate pair of them; returns the position behind, negated when a half was replaced. */
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

/** The low surrogate that an escape at `p` writes; 0 when there is none. */
function lowSurrogateAt(cursor: Cursor, p: number): number {
  if (cursor.bytes[p] !== BACKSLASH || cursor.bytes[p + 1] !== LOWER_U) return 0
  cursor.escapeLength(p)
  const unit = cursor.escapedCodeUnit(p)
  return (unit & 0xfc00) === 0xdc00 ? unit : 0
}
