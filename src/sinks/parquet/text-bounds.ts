/** Finds the smallest and largest text of a column by their UTF-8 bytes. */

import type { Statistics } from './format.ts'

/** Longer bounds are truncated, since the footer of a wide table has many of them. */
const MAX_BOUND_BYTES = 64

const LAST_CODE_POINT = 0x10ffff
const FIRST_SURROGATE = 0xd800
const AFTER_SURROGATES = 0xe000

export class TextBounds {
  #min: Uint8Array | undefined
  #max: Uint8Array | undefined

  /** Widens the bounds to include two texts, which are copied if they are kept. */
  add(min: Uint8Array, max: Uint8Array): void {
    if (this.#min === undefined || Buffer.compare(min, this.#min) < 0) this.#min = min.slice()
    if (this.#max === undefined || Buffer.compare(max, this.#max) > 0) this.#max = max.slice()
  }

  statistics(): Statistics {
    if (this.#min === undefined || this.#max === undefined) return {}
    const min = beginningOf(this.#min)
    const isMinExact = min.length === this.#min.length
    if (this.#max.length <= MAX_BOUND_BYTES) return { min, isMinExact, max: this.#max, isMaxExact: true }
    const max = textAbove(beginningOf(this.#max))
    return { min, isMinExact, max, isMaxExact: max === undefined ? undefined : false }
  }
}

/** Truncates a text to the whole characters that fit into a bound. */
function beginningOf(text: Uint8Array): Uint8Array {
  if (text.length <= MAX_BOUND_BYTES) return text
  let end = MAX_BOUND_BYTES
  while (end > 0 && (text[end]! & 0xc0) === 0x80) end--
  return text.slice(0, end)
}

/** Returns a text that is greater than all texts with this beginning; undefined if there is none. */
function textAbove(beginning: Uint8Array): Uint8Array | undefined {
  const characters = [...new TextDecoder('utf-8', { ignoreBOM: true }).decode(beginning)]
  while (characters.length > 0) {
    const codePoint = characters.pop()?.codePointAt(0) ?? LAST_CODE_POINT
    if (codePoint === LAST_CODE_POINT) continue
    const next = codePoint + 1 === FIRST_SURROGATE ? AFTER_SURROGATES : codePoint + 1
    return new TextEncoder().encode(characters.join('') + String.fromCodePoint(next))
  }
  return undefined
}
