/** A run of bytes that is expected again and again, compared four bytes at a time. */

/** Words that may be read past a literal's own bytes. */
const WORD_BYTES = 4

/** Literals of one length, laid out one behind another. */
export class LiteralTable {
  readonly byteLength: number
  readonly #words: Int32Array
  readonly #wordsEach: number
  /** Keeps the bytes of a literal's last, incomplete word. */
  readonly #lastMask: number

  /** All literals must be of the same length. */
  constructor(literals: readonly Uint8Array[]) {
    this.byteLength = literals[0]?.length ?? 0
    const restBytes = this.byteLength % WORD_BYTES
    this.#lastMask = restBytes === 0 ? -1 : (1 << (restBytes * 8)) - 1
    this.#wordsEach = Math.ceil(this.byteLength / WORD_BYTES)
    const padded = new Uint8Array(this.#wordsEach * WORD_BYTES * literals.length)
    for (const [i, literal] of literals.entries()) padded.set(literal, i * this.#wordsEach * WORD_BYTES)
    const view = new DataView(padded.buffer)
    this.#words = Int32Array.from({ length: padded.length / WORD_BYTES }, (_, i) => view.getInt32(i * WORD_BYTES, true))
  }

  /** Whether literal `index` stands at `p`; reads up to three bytes past it. */
  matches(view: DataView, p: number, index: number): boolean {
    const words = this.#words
    const first = index * this.#wordsEach
    const last = first + this.#wordsEach - 1
    if (last < first) return true
    for (let i = first; i < last; i++, p += WORD_BYTES) if (view.getInt32(p, true) !== words[i]) return false
    return (view.getInt32(p, true) & this.#lastMask) === words[last]
  }
}
