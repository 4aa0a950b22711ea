/** Rejected values on their way to the main thread, which alone knows how many records stand before them. */

import type { RejectedValue } from '../decode/rejects.ts'
import { LimitError } from '../errors.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Lines are put into bytes in portions of about this many characters. */
const PORTION_CHARACTERS = 1 << 16

/** Gathers values as lines of JSON, their records counted from where the thread began. */
export class RejectLines {
  readonly #mostBytes: number
  #portions: Uint8Array[] = []
  #bytes = 0
  #lines = ''

  /** @param mostBytes Of what is gathered at a time. */
  constructor(mostBytes = Number.POSITIVE_INFINITY) {
    this.#mostBytes = mostBytes
  }

  /** @throws LimitError when that would be more than the most bytes. */
  add(value: RejectedValue): void {
    this.#lines += `${JSON.stringify(value)}\n`
    if (this.#lines.length >= PORTION_CHARACTERS) this.#close()
  }

  /** What was gathered since the last call. */
  take(): Uint8Array<ArrayBuffer> {
    this.#close()
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

  #close(): void {
    if (this.#lines === '') return
    const portion = encoder.encode(this.#lines)
    this.#portions.push(portion)
    this.#bytes += portion.length
    this.#lines = ''
    if (this.#bytes <= this.#mostBytes) return
    throw new LimitError('ERR_LIMIT', `expected at most ${this.#mostBytes} bytes of rejected values, found more`)
  }
}

/** The values of lines that another thread has gathered, with the numbers that their records have in the document. */
export function* rejectedValues(lines: Uint8Array, recordsBefore: number): Generator<RejectedValue> {
  let start = 0
  for (let end = lines.indexOf(NEWLINE); end >= 0; end = lines.indexOf(NEWLINE, start)) {
    const value = JSON.parse(decoder.decode(lines.subarray(start, end))) as RejectedValue
    yield { ...value, record: value.record + recordsBefore }
    start = end + 1
  }
}

const NEWLINE = 0x0a
