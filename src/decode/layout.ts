/**
 * How this document writes an answer: `{"id":"<GUID>","values":["<GUID>"]},` with whatever white space its writer puts
 * between the tokens. Learnt from one answer, it lets the kernel compare answers with what it expects, many bytes at
 * once, in compact and in pretty-printed documents alike.
 */

import { CLOSE_ARRAY, CLOSE_OBJECT, COLON, COMMA, isWhitespace, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from '../json/bytes.ts'
import { type Cursor, SENTINEL_BYTES } from '../json/cursor.ts'
import { GUID_BYTES } from '../json/id-table.ts'

const encoder = new TextEncoder()
const ID_KEY = encoder.encode('"id"')
const VALUES_KEY = encoder.encode('"values"')

/** Literals, of one length each. */
export interface AnswerLayout {
  /** Bytes from the answer's `{` up to its field id. */
  readonly beforeIdBytes: number
  /** Per field, from the answer's `{` up to the value of `values`. */
  readonly heads: readonly Uint8Array[]
  /** White space between `[` and the first value. */
  readonly afterOpen: Uint8Array
  /** From behind the last value up to the next answer: `]},` in a compact document. */
  readonly close: Uint8Array
  /** The same from behind the `]`. */
  readonly closeAfterArray: Uint8Array
}

/** Layouts longer than this are left to the general path: literals are compared without a look at the window's end. */
const LONGEST_LAYOUT = SENTINEL_BYTES / 2

/**
 * Learns the layout from the answer at `start`, which must be followed by another one.
 * @returns undefined when it is written in another way (other key order, id that is no GUID, not one text value).
 */
export function learnLayout(cursor: Cursor, start: number, fieldIds: readonly string[]): AnswerLayout | undefined {
  const scan = new Scan(cursor.bytes, start)
  scan.exact(OPEN_OBJECT)
  scan.key(ID_KEY)
  scan.token(COLON)
  scan.token(QUOTE)
  const idStart = scan.pos
  scan.pos += GUID_BYTES
  const idEnd = scan.pos
  scan.exact(QUOTE)
  scan.token(COMMA)
  scan.key(VALUES_KEY)
  scan.token(COLON)
  scan.whitespace()
  const valuesStart = scan.pos
  scan.exact(OPEN_ARRAY)
  scan.whitespace()
  const valueStart = scan.pos
  scan.exact(QUOTE)
  scan.restOfShortText()
  const valueEnd = scan.pos
  scan.token(CLOSE_ARRAY)
  const arrayEnd = scan.pos
  scan.token(CLOSE_OBJECT)
  scan.token(COMMA)
  scan.whitespace()
  const end = scan.pos
  scan.exact(OPEN_OBJECT)
  if (!scan.isMatch || end - start > LONGEST_LAYOUT) return undefined

  const { bytes } = cursor
  const beforeId = bytes.slice(start, idStart)
  const afterId = bytes.slice(idEnd, valuesStart)
  return {
    beforeIdBytes: beforeId.length,
    heads: fieldIds.map((id) => headOf(id, beforeId, afterId)),
    afterOpen: bytes.slice(valuesStart + 1, valueStart),
    close: bytes.slice(valueEnd, end),
    closeAfterArray: bytes.slice(arrayEnd, end),
  }
}

/** Stands for a field whose id is no plain GUID: bytes that no UTF-8 text holds. */
const NO_MATCH = 0xff

function headOf(id: string, beforeId: Uint8Array, afterId: Uint8Array): Uint8Array {
  const head = new Uint8Array(beforeId.length + GUID_BYTES + afterId.length).fill(NO_MATCH)
  if (!/^[0-9A-Za-z-]{36}$/.test(id)) return head
  head.set(beforeId)
  head.set(encoder.encode(id), beforeId.length)
  head.set(afterId, beforeId.length + GUID_BYTES)
  return head
}

/** Reads along what an answer usually looks like; once something differs, `isMatch` stays false. */
class Scan {
  isMatch = true
  pos: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, pos: number) {
    this.#bytes = bytes
    this.pos = pos
  }

  exact(byte: number): void {
    if (this.#bytes[this.pos++] !== byte) this.isMatch = false
  }

  /** A byte that may have white space before it. */
  token(byte: number): void {
    this.whitespace()
    this.exact(byte)
  }

  key(bytes: Uint8Array): void {
    this.whitespace()
    for (const byte of bytes) this.exact(byte)
  }

  whitespace(): void {
    while (isWhitespace(this.#bytes[this.pos]!)) this.pos++
  }

  /** Up to the closing quote and past it. */
  restOfShortText(): void {
    const end = this.#bytes.indexOf(QUOTE, this.pos)
    if (end < 0 || end - this.pos > LONGEST_LAYOUT) this.isMatch = false
    else this.pos = end + 1
  }
}
