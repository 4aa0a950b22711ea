/** Passes rejected values to the main thread, which alone knows how many records come before them. */

import type { RejectedValue } from '../decode/rejects.ts'
import { LimitError } from '../errors.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Lines are encoded in portions of about this many characters. */
const PORTION_CHARACTERS = 1 << 16

/** Collects values as JSON lines, with record numbers that count from where the thread began. */
export class RejectLines {
  readonly #maxBytes: number
  #portions: Uint8Array[] = []
  #bytes = 0
  #lines = ''

  /** @param maxBytes Limit of what is collected between two calls of `take`. Default: none. */
  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes
  }

  /** @throws LimitError `ERR_LIMIT` if there are more than `maxBytes`. */
  add(value: RejectedValue): void {
    this.#lines += `${JSON.stringify(value)}\n`
    if (this.#lines.length >= PORTION_CHARACTERS) this.#finishPortion()
  }

  /** Returns what was collected since the last call. */
  take(): Uint8Array<ArrayBuffer> {
    this.#finishPortion()
    const bytes = new Uint8Array(this.#bytes)
    let at = 0
    for (const portion of this.#portions) {
      bytes.set(portion, at)
      at += portion.length
    }
    this.clear()
    return bytes
  }

  clear(): void {
    this.#portions = []
    this.#bytes = 0
    this.#lines = ''
  }

  #finishPortion(): void {
    if (this.#lines === '') return
    const portion = encoder.encode(this.#lines)
    this.#portions.push(portion)
    this.#bytes += portion.length
    this.#lines = ''
    if (this.#bytes <= this.#maxBytes) return
    throw new LimitError('ERR_LIMIT', `expected at most ${this.#maxBytes} bytes of rejected values, found more`)
  }
}

/** Yields the values of lines from another thread, with the record numbers that they have in the document. */
export function* rejectedValues(lines: Uint8Array, recordsBefore: number): Generator<RejectedValue> {
  let start = 0
  for (let end = lines.indexOf(NEWLINE); end >= 0; end = lines.indexOf(NEWLINE, start)) {
    const value = JSON.parse(decoder.decode(lines.subarray(start, end))) as RejectedValue
    yield { ...value, record: value.record + recordsBefore }
    start = end + 1
  }
}

const NEWLINE = 0x0a
