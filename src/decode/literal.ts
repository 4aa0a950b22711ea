/** A run of ASCII bytes that is expected again and again, compared eight or four bytes at a time. */

const DOUBLE_BYTES = 8
const WORD_BYTES = 4

/**
 * ASCII literals of one length, laid out one behind another.
 *
 * Eight bytes are compared as one float64. With ASCII on one side that is the same as comparing them bit by bit: no
 * ASCII text reads as NaN or as a zero. What is left behind the last whole eight is compared by the last eight bytes,
 * which overlap.
 */
export class LiteralTable {
  readonly byteLength: number
  readonly #doubles: Float64Array
  readonly #doublesEach: number
  /** Only literals of less than eight bytes: two words, and masks that keep the literal's own bytes. */
  readonly #words: Int32Array
  readonly #masks: Int32Array

  /** All literals must be of the same length. */
  constructor(literals: readonly Uint8Array[]) {
    this.byteLength = literals[0]?.length ?? 0
    this.#doublesEach = this.byteLength < DOUBLE_BYTES ? 0 : Math.ceil(this.byteLength / DOUBLE_BYTES)
    this.#doubles = new Float64Array(this.#doublesEach * literals.length)
    this.#words = new Int32Array(2 * literals.length)
    this.#masks = Int32Array.of(maskOf(this.byteLength), maskOf(this.byteLength - WORD_BYTES))
    for (const [i, literal] of literals.entries()) this.#set(i, literal)
  }

  #set(index: number, literal: Uint8Array): void {
    const padded = new Uint8Array(Math.max(literal.length, DOUBLE_BYTES))
    padded.set(literal)
    const view = new DataView(padded.buffer)
    for (let i = 0; i < this.#doublesEach; i++) {
      const at = Math.min(i * DOUBLE_BYTES, this.byteLength - DOUBLE_BYTES)
      this.#doubles[index * this.#doublesEach + i] = view.getFloat64(at, true)
    }
    for (let i = 0; i < 2; i++) this.#words[index * 2 + i] = view.getInt32(i * WORD_BYTES, true)
  }

  /** Whether literal `index` stands at `p`; may read up to seven bytes past it. */
  matches(view: DataView, p: number, index: number): boolean {
    const each = this.#doublesEach
    if (each === 0) return this.#matchesShort(view, p, index)
    const doubles = this.#doubles
    const first = index * each
    const last = first + each - 1
    if (view.getFloat64(p + this.byteLength - DOUBLE_BYTES, true) !== doubles[last]) return false
    for (let i = first; i < last; i++, p += DOUBLE_BYTES) if (view.getFloat64(p, true) !== doubles[i]) return false
    return true
  }

  #matchesShort(view: DataView, p: number, index: number): boolean {
    const words = this.#words
    const masks = this.#masks
    if ((view.getInt32(p, true) & masks[0]!) !== words[index * 2]) return false
    return (view.getInt32(p + WORD_BYTES, true) & masks[1]!) === words[index * 2 + 1]
  }
}

/** Keeps the first `bytes` bytes of a little-endian word. */
function maskOf(bytes: number): number {
  if (bytes <= 0) return 0
  return bytes >= WORD_BYTES ? -1 : (1 << (bytes * 8)) - 1
}
