/** Compares bytes of the document with an expected ASCII text, eight or four bytes at a time. */

const DOUBLE_BYTES = 8
const WORD_BYTES = 4

/**
 * An ASCII literal.
 *
 * Eight bytes are compared as one float64. If one side is ASCII, this equals a comparison of the bits: no ASCII text
 * reads as NaN or as a zero. If the length is no multiple of eight, the last comparison overlaps the one before it.
 */
export class Literal {
  readonly byteLength: number
  readonly #doubles: Float64Array
  /** For literals of less than eight bytes: two words, and masks that keep the literal's own bytes. */
  readonly #words: Int32Array
  readonly #masks: Int32Array

  constructor(text: string) {
    const bytes = new TextEncoder().encode(text)
    const { length } = bytes
    const padded = new Uint8Array(Math.max(length, DOUBLE_BYTES))
    padded.set(bytes)
    const view = new DataView(padded.buffer)
    this.byteLength = length
    this.#doubles = new Float64Array(length < DOUBLE_BYTES ? 0 : Math.ceil(length / DOUBLE_BYTES)).map((_, i) =>
      view.getFloat64(Math.min(i * DOUBLE_BYTES, length - DOUBLE_BYTES), true),
    )
    this.#words = Int32Array.of(view.getInt32(0, true), view.getInt32(WORD_BYTES, true))
    this.#masks = Int32Array.of(maskOf(length), maskOf(length - WORD_BYTES))
  }

  /** Whether the literal is at `p`; may read up to seven bytes after it. */
  matches(view: DataView, p: number): boolean {
    const doubles = this.#doubles
    const last = doubles.length - 1
    if (last < 0) return this.#matchesShort(view, p)
    if (view.getFloat64(p + this.byteLength - DOUBLE_BYTES, true) !== doubles[last]) return false
    for (let i = 0; i < last; i++, p += DOUBLE_BYTES) if (view.getFloat64(p, true) !== doubles[i]) return false
    return true
  }

  #matchesShort(view: DataView, p: number): boolean {
    const words = this.#words
    const masks = this.#masks
    if ((view.getInt32(p, true) & masks[0]!) !== words[0]) return false
    return (view.getInt32(p + WORD_BYTES, true) & masks[1]!) === words[1]
  }
}

/** Returns a mask that keeps the first `bytes` bytes of a little-endian word. */
function maskOf(bytes: number): number {
  if (bytes <= 0) return 0
  return bytes >= WORD_BYTES ? -1 : (1 << (bytes * 8)) - 1
}
