/**
 * Learns how this document writes an answer: `{"id":"<GUID>","values":["<GUID>"]},`, or `values` before `id`, with any
 * white space between the tokens. With this template, learnt from one answer, the kernel compares answers with what it
 * expects many bytes at once, in compact and in pretty-printed documents alike.
 */

import { CLOSE_ARRAY, CLOSE_OBJECT, COLON, COMMA, isWhitespace, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from '../json/bytes.ts'
import { type Cursor, SENTINEL_BYTES } from '../json/cursor.ts'
import { GUID_BYTES } from '../json/id-table.ts'

const encoder = new TextEncoder()
const ID_KEY = encoder.encode('"id"')
const VALUES_KEY = encoder.encode('"values"')

/** The constant parts of an answer, each of one length. */
export interface AnswerTemplate {
  /**
   * Per field, the bytes around its id. With `id` first: from the answer's `{` up to the value of `values`; with
   * `values` first: from the end of that value to the closing quote of the id.
   */
  readonly heads: readonly Uint8Array[]
  /** Bytes from the start of a head up to the field's id. */
  readonly beforeIdBytes: number
  /** From the answer's `{` up to the value of `values`, if that member is first; otherwise empty. */
  readonly opening: Uint8Array
  /** White space between `[` and the first value. */
  readonly afterOpen: Uint8Array
  /** If `values` is last, from the end of the last value up to the next answer (compact: `]},`); otherwise empty. */
  readonly close: Uint8Array
  /** From the end of the last member up to the next answer. */
  readonly closeAnswer: Uint8Array
}

/** The template of a document whose answers are written in many ways. */
export const NO_TEMPLATE: AnswerTemplate = {
  heads: [],
  beforeIdBytes: 0,
  opening: new Uint8Array(0),
  afterOpen: new Uint8Array(0),
  close: new Uint8Array(0),
  closeAnswer: new Uint8Array(0),
}

/** Longer templates are not used, because the kernel compares literals without checking for the window's end. */
const MAX_TEMPLATE_BYTES = SENTINEL_BYTES / 2

/**
 * Learns the template from the answer at `start`, which must be followed by another one.
 * @returns undefined if the answer has another form (more members, an id that is not a GUID, not one text value).
 */
export function learnAnswerTemplate(
  cursor: Cursor,
  start: number,
  fieldIds: readonly string[],
): AnswerTemplate | undefined {
  return templateByIds(cursor.bytes, start, fieldIds) ?? templateByValues(cursor.bytes, start, fieldIds)
}

/** Learns the template of an answer with `id` before `values`. */
function templateByIds(bytes: Uint8Array, start: number, fieldIds: readonly string[]): AnswerTemplate | undefined {
  const scan = new Scan(bytes, start)
  scan.exact(OPEN_OBJECT)
  const id = scan.id()
  scan.token(COMMA)
  const values = scan.values()
  const end = scan.endOfAnswer()
  if (!scan.isMatch || end - start > MAX_TEMPLATE_BYTES) return undefined
  return {
    ...headsOf(fieldIds, bytes.subarray(start, id.start), bytes.subarray(id.end, values.start)),
    opening: new Uint8Array(0),
    afterOpen: bytes.slice(values.start + 1, values.first),
    close: bytes.slice(values.last, end),
    closeAnswer: bytes.slice(values.end, end),
  }
}

/** Learns the template of an answer with `values` before `id`. */
function templateByValues(bytes: Uint8Array, start: number, fieldIds: readonly string[]): AnswerTemplate | undefined {
  const scan = new Scan(bytes, start)
  scan.exact(OPEN_OBJECT)
  const values = scan.values()
  scan.token(COMMA)
  const id = scan.id()
  const end = scan.endOfAnswer()
  if (!scan.isMatch || end - start > MAX_TEMPLATE_BYTES) return undefined
  return {
    ...headsOf(fieldIds, bytes.subarray(values.end, id.start), bytes.subarray(id.end, id.end + 1)),
    opening: bytes.slice(start, values.start),
    afterOpen: bytes.slice(values.start + 1, values.first),
    close: new Uint8Array(0),
    closeAnswer: bytes.slice(id.end + 1, end),
  }
}

/** Fills the heads of fields whose id is not a GUID: a byte that no UTF-8 text contains. */
const NO_MATCH = 0xff

function headsOf(
  fieldIds: readonly string[],
  beforeId: Uint8Array,
  afterId: Uint8Array,
): Pick<AnswerTemplate, 'heads' | 'beforeIdBytes'> {
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

/** Follows the usual form of an answer; once something differs, `isMatch` stays false. */
class Scan {
  isMatch = true
  pos: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, pos: number) {
    this.#bytes = bytes
    this.pos = pos
  }

  /** Passes the member `id`, whose value is a GUID; returns where the GUID starts and ends. */
  id(): { start: number; end: number } {
    this.key(ID_KEY)
    this.token(COLON)
    this.token(QUOTE)
    const start = this.pos
    this.pos += GUID_BYTES
    this.exact(QUOTE)
    return { start, end: start + GUID_BYTES }
  }

  /** Passes the member `values`, an array of one text; returns where the array and the text start and end. */
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

  /** Passes the end of the answer; returns where the next answer begins. */
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

  /** Passes a byte and the white space before it. */
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

  /** Passes the rest of a text and its closing quote. */
  #restOfShortText(): void {
    const end = this.#bytes.indexOf(QUOTE, this.pos)
    if (end < 0 || end - this.pos > MAX_TEMPLATE_BYTES) this.isMatch = false
    else this.pos = end + 1
  }
}
