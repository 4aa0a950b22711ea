/**
 * Reads JSON (RFC 8259) strictly, from a position in a window of the document.
 *
 * The bytes after the window's end are NUL, so that no loop needs a bounds check: NUL matches nothing, and a mismatch
 * at `end` asks for more input (`NEED_MORE`) instead of being a syntax error. The caller then goes back to where it
 * began and tries again with a longer window. This module does not depend on exports, columns or files.
 */

import { JsonSyntaxError, type Place, shortened } from '../errors.ts'
import { DEFAULT_LIMITS, limitError } from '../limits.ts'
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  isDigit,
  isWhitespace,
  LOWER_E,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  LOWER_U,
  MINUS,
  OPEN_ARRAY,
  OPEN_OBJECT,
  PLUS,
  POINT,
  QUOTE,
  SPACE,
  STRING_BYTES,
  StringByte,
  UPPER_E,
  ZERO,
} from './bytes.ts'
import { utf8SequenceLength } from './utf8.ts'

/** Thrown when the window ends inside a token and more input may follow. Has no stack, because it is not a failure. */
export const NEED_MORE: { readonly needMore: true } = Object.freeze({ needMore: true })

/** NUL bytes that must follow the window's end; no literal that is compared without a check for the end is longer. */
export const SENTINEL_BYTES = 1024

const FOUR_SPACES = 0x20202020

/** Decodes parts of the document, where a leading byte order mark is a character like any other. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export class Cursor {
  bytes = new Uint8Array(SENTINEL_BYTES)
  view = new DataView(this.bytes.buffer)
  /** Next byte to read. */
  pos = 0
  /** One past the window's last byte; `SENTINEL_BYTES` NULs follow. */
  end = 0
  /** Most levels of nested arrays and objects; skipping deeper input would overflow the stack, so it is refused. */
  maxNesting = DEFAULT_LIMITS.maxNesting
  /** Most bytes of a key, including its quotes. */
  maxKeyBytes = DEFAULT_LIMITS.maxKeyBytes
  /** Number of arrays and objects that `skipValue` has entered. */
  containers = 0
  /** Whether no input follows the window. */
  isLast = false
  /** Document offset of `bytes[0]`. */
  baseOffset = 0
  /** Returns where in the export the cursor is; called only to create an error. */
  place: () => Place = () => ({})
  /** Returns the number of complete records before the cursor; called only to create an error. */
  recordsRead: () => number = () => 0

  /** Returns the document offset of a position in the window. */
  offsetOf(pos: number): number {
    return this.baseOffset + pos
  }

  /** Moves past white space and returns the byte there (NUL at the window's end). */
  skipWhitespace(): number {
    const { bytes, view } = this
    let p = this.pos
    while (bytes[p]! <= SPACE && isWhitespace(bytes[p]!)) {
      p++
      while (view.getInt32(p, true) === FOUR_SPACES) p += 4
    }
    this.pos = p
    return bytes[p]!
  }

  /** Moves past one expected byte. */
  expect(byte: number): void {
    if (this.bytes[this.pos] !== byte) this.fail(`"${String.fromCharCode(byte)}"`)
    this.pos++
  }

  /** Moves past `:` and the white space around it. */
  expectColon(): void {
    if (this.skipWhitespace() !== COLON) this.fail('":"')
    this.pos++
    this.skipWhitespace()
  }

  /**
   * Moves past the `,` before the next member or element, or past the closing bracket.
   * @returns false at the closing bracket.
   */
  nextOf(close: number): boolean {
    const byte = this.skipWhitespace()
    if (byte === COMMA) {
      this.pos++
      // Also at the window's end, so that the message about what follows a comma does not depend on the window.
      if (this.skipWhitespace() === close || this.pos >= this.end) {
        this.fail(close === CLOSE_ARRAY ? 'a value after ","' : 'a key after ","')
      }
      return true
    }
    if (byte !== close) this.fail(`"," or "${String.fromCharCode(close)}"`)
    this.pos++
    return false
  }

  /** Moves past an opening bracket; if the array or object is empty, past its closing bracket, too, returning false. */
  enter(open: number, close: number): boolean {
    this.expect(open)
    if (this.skipWhitespace() !== close) return true
    this.pos++
    return false
  }

  /** Moves past any value, checking its grammar and its UTF-8. */
  skipValue(depth = 0): void {
    const byte = this.bytes[this.pos]!
    if (byte === QUOTE) this.skipString()
    else if (byte === OPEN_OBJECT) this.#skipObject(this.#deeper(depth))
    else if (byte === OPEN_ARRAY) this.#skipArray(this.#deeper(depth))
    else if (byte === LOWER_N) this.expectLiteral('null')
    else if (byte === LOWER_T) this.expectLiteral('true')
    else if (byte === LOWER_F) this.expectLiteral('false')
    else if (byte === MINUS || isDigit(byte)) this.skipNumber()
    else this.fail('a JSON value')
  }

  #deeper(depth: number): number {
    this.containers++
    if (depth < this.maxNesting) return depth + 1
    const place = { ...this.place(), byteOffset: this.offsetOf(this.pos) }
    throw limitError('maxNesting', `at most ${this.maxNesting} levels of nested arrays and objects`, 'more', place)
  }

  #skipObject(depth: number): void {
    if (!this.enter(OPEN_OBJECT, CLOSE_OBJECT)) return
    do {
      this.skipKey()
      this.skipValue(depth)
    } while (this.nextOf(CLOSE_OBJECT))
  }

  #skipArray(depth: number): void {
    if (!this.enter(OPEN_ARRAY, CLOSE_ARRAY)) return
    do this.skipValue(depth)
    while (this.nextOf(CLOSE_ARRAY))
  }

  /** Moves past a key, its colon and the white space around it. */
  skipKey(): void {
    if (this.bytes[this.pos] !== QUOTE) this.fail('a key in double quotes')
    const start = this.pos
    this.skipString()
    if (this.pos - start > this.maxKeyBytes) throw this.#longKey(start)
    this.expectColon()
  }

  /** Reads a key as a JavaScript string; moves past its colon and the white space around it. */
  readKey(): string {
    const start = this.pos
    this.skipKey()
    const next = this.pos
    this.pos = start
    const key = this.readString()
    this.pos = next
    return key
  }

  #longKey(start: number): Error {
    const place = { ...this.place(), byteOffset: this.offsetOf(start) }
    return limitError('maxKeyBytes', `keys of at most ${this.maxKeyBytes} bytes`, 'a longer one', place)
  }

  expectLiteral(literal: 'true' | 'false' | 'null'): void {
    const { bytes, pos } = this
    for (let i = 0; i < literal.length; i++) {
      if (bytes[pos + i] !== literal.charCodeAt(i)) {
        if (pos + i >= this.end) this.#failAtEnd(literal)
        this.fail('a JSON value')
      }
    }
    this.pos = pos + literal.length
  }

  /** Moves past a number: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?` */
  skipNumber(): void {
    const { bytes } = this
    let p = this.pos
    if (bytes[p] === MINUS) p++
    if (bytes[p] === ZERO) {
      p++
      if (isDigit(bytes[p]!)) this.fail('a number without leading zeros')
    } else {
      p = this.#skipDigits(p)
    }
    if (bytes[p] === POINT) p = this.#skipDigits(p + 1)
    if (bytes[p] === LOWER_E || bytes[p] === UPPER_E) {
      p++
      if (bytes[p] === PLUS || bytes[p] === MINUS) p++
      p = this.#skipDigits(p)
    }
    if (p >= this.end && !this.isLast) throw NEED_MORE
    this.pos = p
  }

  #skipDigits(from: number): number {
    const { bytes } = this
    if (!isDigit(bytes[from]!)) {
      if (from >= this.end) this.#failAtEnd('a digit')
      this.fail('a number')
    }
    let p = from + 1
    while (isDigit(bytes[p]!)) p++
    return p
  }

  /**
   * Moves past a string, checking escapes, control characters and UTF-8.
   * Starts at the opening quote.
   */
  skipString(): void {
    const { bytes } = this
    let p = this.pos + 1
    for (;;) {
      while (STRING_BYTES[bytes[p]!] === StringByte.plain) p++
      switch (STRING_BYTES[bytes[p]!]) {
        case StringByte.quote:
          this.pos = p + 1
          return
        case StringByte.backslash:
          p += this.escapeLength(p)
          break
        case StringByte.nonAscii:
          p += this.sequenceLength(p)
          break
        default:
          this.failInString(p)
      }
    }
  }

  /** Checks the escape sequence at `p` and returns its bytes: 2, or 6 for `\u`. */
  escapeLength(p: number): number {
    const { bytes } = this
    if (bytes[p + 1] !== LOWER_U) {
      if (SHORT_ESCAPES[bytes[p + 1]!] !== 0) return 2
      if (p + 1 >= this.end) this.#failAtEnd('an escape sequence')
      throw this.syntaxError(p, 'an escape sequence such as \\n or \\u00e9')
    }
    for (let i = p + 2; i < p + 6; i++) {
      if (HEX_DIGITS[bytes[i]!]! >= 0) continue
      if (i >= this.end) this.#failAtEnd('four hexadecimal digits')
      throw this.syntaxError(p, 'four hexadecimal digits after \\u')
    }
    return 6
  }

  /** Returns the code unit of the `\uXXXX` at `p`, whose digits are already checked. */
  escapedCodeUnit(p: number): number {
    const { bytes } = this
    return (
      (HEX_DIGITS[bytes[p + 2]!]! << 12) |
      (HEX_DIGITS[bytes[p + 3]!]! << 8) |
      (HEX_DIGITS[bytes[p + 4]!]! << 4) |
      HEX_DIGITS[bytes[p + 5]!]!
    )
  }

  /** Checks the UTF-8 sequence at `p` and returns its bytes, 2 to 4. */
  sequenceLength(p: number): number {
    const length = utf8SequenceLength(this.bytes, p)
    if (length > 0) return length
    if (p - length >= this.end) this.#failAtEnd('the rest of a UTF-8 sequence')
    throw new JsonSyntaxError(
      'ERR_JSON_ENCODING',
      `expected UTF-8, found the byte 0x${this.bytes[p]!.toString(16).toUpperCase()}, which does not begin a valid sequence; convert the file to UTF-8`,
      { ...this.place(), byteOffset: this.offsetOf(p) },
    )
  }

  /** Fails at a byte that is not allowed in a string: a raw control character, or the window's end. */
  failInString(p: number): never {
    if (p >= this.end) this.#failAtEnd('the end of a text')
    throw this.syntaxError(p, 'a text without raw control characters')
  }

  /** Reads a string or key as a JavaScript string, which may have unpaired surrogates. Starts at the opening quote. */
  readString(): string {
    const start = this.pos
    if (this.bytes[start] !== QUOTE) this.fail('a text in double quotes')
    this.skipString()
    const raw = decoder.decode(this.bytes.subarray(start, this.pos))
    return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
  }

  /** Returns the source text of a part of the window. */
  text(from: number, to: number): string {
    return decoder.decode(this.bytes.subarray(from, to))
  }

  /** Fails at the cursor: asks for more input at the window's end, otherwise throws a syntax error. */
  fail(expected: string): never {
    if (this.pos >= this.end) this.#failAtEnd(expected)
    throw this.syntaxError(this.pos, expected)
  }

  #failAtEnd(expected: string): never {
    if (!this.isLast) throw NEED_MORE
    const records = this.recordsRead()
    throw new JsonSyntaxError(
      'ERR_JSON_TRUNCATED',
      `unexpected end of input after ${records} complete record${records === 1 ? '' : 's'}: expected ${expected}; the document is cut off, download it again`,
      { ...this.place(), byteOffset: this.offsetOf(this.end) },
    )
  }

  syntaxError(pos: number, expected: string): JsonSyntaxError {
    return new JsonSyntaxError('ERR_JSON_SYNTAX', `expected ${expected}, found ${this.#foundAt(pos)}`, {
      ...this.place(),
      byteOffset: this.offsetOf(pos),
    })
  }

  /** Returns the word (`NaN`, `undefined`, `+1`) or the character at a position, for messages. */
  #foundAt(pos: number): string {
    const { bytes } = this
    let p = pos
    while (p - pos < MAX_SHOWN_WORD_BYTES && WORD_BYTES[bytes[p]!] === 1) p++
    if (p >= this.end && !this.isLast) throw NEED_MORE
    if (p > pos) return this.text(pos, p)
    if (bytes[pos]! >= 0x80) {
      if (pos + MAX_SEQUENCE_BYTES > this.end && !this.isLast) throw NEED_MORE
      return visible(String.fromCodePoint(this.text(pos, pos + MAX_SEQUENCE_BYTES).codePointAt(0)!))
    }
    return shortened(JSON.stringify(String.fromCharCode(bytes[pos]!)))
  }
}

/** Returns a character, or its code point if it is invisible or looks like a space. */
function visible(character: string): string {
  if (!/[\p{Z}\p{C}]/u.test(character)) return character
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}, which is invisible or looks like a space`
}

const MAX_SHOWN_WORD_BYTES = 24

/** Bytes of the longest UTF-8 sequence. */
const MAX_SEQUENCE_BYTES = 4

/** 1 for bytes of words and numbers, 0 for others. */
const WORD_BYTES = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[\w+.-]/.test(String.fromCharCode(byte)) && byte < 0x80 ? 1 : 0,
)

/** The byte that a two-character escape stands for, by its second character; 0 if there is no such escape. */
export const SHORT_ESCAPES: Uint8Array = (() => {
  const table = new Uint8Array(256)
  for (const [second, byte] of [
    [QUOTE, QUOTE],
    [BACKSLASH, BACKSLASH],
    [0x2f, 0x2f],
    [0x62, 0x08],
    [LOWER_F, 0x0c],
    [LOWER_N, 0x0a],
    [0x72, 0x0d],
    [LOWER_T, 0x09],
  ] as const) {
    table[second] = byte
  }
  return table
})()

/** Value of a hexadecimal digit; -1 for every other byte. */
const HEX_DIGITS: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16)
  return Number.isNaN(digit) ? -1 : digit
})
