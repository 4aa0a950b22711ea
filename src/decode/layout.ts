/**
 * How this document writes an answer: `{"id":"<GUID>","values":["<GUID>"]},`, or `values` before `id`, with whatever white
 * space its writer puts between the tokens. Learnt from one answer, it lets the kernel compare answers with what it
 * expects, many bytes at once, in compact and in pretty-printed documents alike.
 */

import { CLOSE_ARRAY, CLOSE_OBJECT, COLON, COMMA, isWhitespace, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from '../json/bytes.ts'
import { type Cursor, SENTINEL_BYTES } from '../json/cursor.ts'
import { GUID_BYTES } from '../json/id-table.ts'

const encoder = new TextEncoder()
const ID_KEY = encoder.encode('"id"')
const VALUES_KEY = encoder.encode('"values"')

/** Literals, of one length each. */
export interface AnswerLayout {
  /** Per field, what holds its id: from the answer's `{`, or from behind its `values`, up to `values` or the last quote. */
  readonly heads: readonly Uint8Array[]
  /** Bytes from the start of a head up to the field's id. */
  readonly beforeIdBytes: number
  /** From the answer's `{` up to the value of `values`, where this is the first member; else empty. */
  readonly opening: Uint8Array
  /** White space between `[` and the first value. */
  readonly afterOpen: Uint8Array
  /** Where `values` is last, from behind the last value up to the next answer: `]},` in a compact document. */
  readonly close: Uint8Array
  /** From behind the last member up to the next answer. */
  readonly closeAnswer: Uint8Array
}

/** Of a document whose answers are written in many ways. */
export const NO_LAYOUT: AnswerLayout = {
  heads: [],
  beforeIdBytes: 0,
  opening: new Uint8Array(0),
  afterOpen: new Uint8Array(0),
  close: new Uint8Array(0),
  closeAnswer: new Uint8Array(0),
}

/** Layouts longer than this are left to the general path: literals are compared without a look at the window's end. */
const LONGEST_LAYOUT = SENTINEL_BYTES / 2

/**
 * Learns the layout from the answer at `start`, which must be followed by another one.
 * @returns undefined when it is written in another way (more members, id that is no GUID, not one text value).
 */
export function learnLayout(cursor: Cursor, start: number, fieldIds: readonly string[]): AnswerLayout | undefined {
  return layoutByIds(cursor.bytes, start, fieldIds) ?? layoutByValues(cursor.bytes, start, fieldIds)
}

/** `id` before `values`. */
function layoutByIds(bytes: Uint8Array, start: number, fieldIds: readonly string[]): AnswerLayout | undefined {
  const scan = new Scan(bytes, start)
  scan.exact(OPEN_OBJECT)
  const id = scan.id()
  scan.token(COMMA)
  const values = scan.values()
  const end = scan.endOfAnswer()
  if (!scan.isMatch || end - start > LONGEST_LAYOUT) return undefined
  return {
    ...headsOf(fieldIds, bytes.subarray(start, id.start), bytes.subarray(id.end, values.start)),
    opening: new Uint8Array(0),
    afterOpen: bytes.slice(values.start + 1, values.first),
    close: bytes.slice(values.last, end),
    closeAnswer: bytes.slice(values.end, end),
  }
}

/** `values` before `id`. */
function layoutByValues(bytes: Uint8Array, start: number, fieldIds: readonly string[]): AnswerLayout | undefined {
  const scan = new Scan(bytes, start)
  scan.exact(OPEN_OBJECT)
  const values = scan.values()
  scan.token(COMMA)
  const id = scan.id()
  const end = scan.endOfAnswer()
  if (!scan.isMatch || end - start > LONGEST_LAYOUT) return undefined
  return {
    ...headsOf(fieldIds, bytes.subarray(values.end, id.start), bytes.subarray(id.end, id.end + 1)),
    opening: bytes.slice(start, values.start),
    afterOpen: bytes.slice(values.start + 1, values.first),
    close: new Uint8Array(0),
    closeAnswer: bytes.slice(id.end + 1, end),
  }
}

/** Stands for a field whose id is no plain GUID: bytes that no UTF-8 text holds. */
const NO_MATCH = 0xff

function headsOf(
  fieldIds: readonly string[],
  beforeId: Uint8Array,
  afterId: Uint8Array,
): Pick<AnswerLayout, 'heads' | 'beforeIdBytes'> {
  const heads = fieldIds.map((id) => {
    const head = new Uint8Array(beforeId.length + GUID_BYTES + afterId.length).fill(NO_MATCH)
    if (!/^[0-9A-Za-z-]{36}$/.test(id)) return head
    head.set(beforeId)
    head.set(encoder.encode(id), beforeId.length)
    head.set(afterId, beforeId.length + GUID_BYTES)
    return head
  })
  return { heads, beforeIdBytes: beforeId.length }
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

  /** A member whose value is a GUID; where its text begins and ends. */
  id(): { start: number; end: number } {
    this.key(ID_KEY)
    this.token(COLON)
    this.token(QUOTE)
    const start = this.pos
    this.pos += GUID_BYTES
    this.exact(QUOTE)
    return { start, end: start + GUID_BYTES }
  }

  /** A member whose value is an array of one text; where the array and the text begin and end. */
  values(): { start: number; first: number; last: number; end: number } {
    this.key(VALUES_KEY)
    this.token(COLON)
    this.whitespace()
    const start = this.pos
    this.exact(OPEN_ARRAY)
    this.whitespace()
    const first = this.pos
    this.exact(QUOTE)
    this.#restOfShortText()
    const last = this.pos
    this.token(CLOSE_ARRAY)
    return { start, first, last, end: this.pos }
  }

  /** Where the next answer begins. */
  endOfAnswer(): number {
    this.token(CLOSE_OBJECT)
    this.token(COMMA)
    this.whitespace()
    const end = this.pos
    this.exact(OPEN_OBJECT)
    return end
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
  #restOfShortText(): void {
    const end = this.#bytes.indexOf(QUOTE, this.pos)
    if (end < 0 || end - this.pos > LONGEST_LAYOUT) this.isMatch = false
    else this.pos = end + 1
  }
}
