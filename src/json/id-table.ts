/**
 * Ids → their index, found from the bytes of the document.
 *
 * The ids of an export are GUIDs of 36 ASCII characters: they are compared as nine 32-bit words, without a JavaScript
 * string. Ids of any other form are found by their text.
 */

/** Characters of a GUID: 8-4-4-4-12 hexadecimal digits. */
export const GUID_BYTES = 36

/** 32-bit words of a GUID's characters. */
export const GUID_WORDS = 9

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export class IdTable {
  /** The words of the id with index `i` begin at `i * GUID_WORDS`; zeros for ids of another form. */
  words = new Int32Array(0)
  /** Open hash table, of a power of two in size: 1 + index, or 0 for a free slot. */
  slots = new Int32Array(0)
  readonly #indexByText = new Map<string, number>()
  readonly #indexByFoldedGuid = new Map<string, number>()

  constructor(ids: readonly string[] = []) {
    this.#reserve(ids.length)
    for (const id of ids) this.add(id)
  }

  get size(): number {
    return this.#indexByText.size
  }

  /** Adds an id that is not in the table yet; its index is the number of ids before it. */
  add(id: string): number {
    const index = this.#indexByText.size
    this.#indexByText.set(id, index)
    if (!GUID.test(id)) return index
    if (!this.#indexByFoldedGuid.has(id.toLowerCase())) this.#indexByFoldedGuid.set(id.toLowerCase(), index)
    this.#reserve(index + 1)
    writeWords(id, this.words, index * GUID_WORDS)
    this.#insert(index)
    return index
  }

  /** Index of the GUID whose 36 bytes begin at `p`; -1 when it is not in the table in just this spelling. */
  find(view: DataView, p: number): number {
    const { words, slots } = this
    const w0 = view.getInt32(p, true)
    const w1 = view.getInt32(p + 4, true)
    const w2 = view.getInt32(p + 8, true)
    const w3 = view.getInt32(p + 12, true)
    const w4 = view.getInt32(p + 16, true)
    const w5 = view.getInt32(p + 20, true)
    const w6 = view.getInt32(p + 24, true)
    const w7 = view.getInt32(p + 28, true)
    const w8 = view.getInt32(p + 32, true)
    const mask = slots.length - 1
    let slot = hashOfWords(w0, w1, w2, w3, w4, w5, w6, w7, w8) & mask
    for (;;) {
      const index = slots[slot]! - 1
      if (index < 0) return -1
      const at = index * GUID_WORDS
      if (
        words[at] === w0 &&
        words[at + 1] === w1 &&
        words[at + 2] === w2 &&
        words[at + 3] === w3 &&
        words[at + 4] === w4 &&
        words[at + 5] === w5 &&
        words[at + 6] === w6 &&
        words[at + 7] === w7 &&
        words[at + 8] === w8
      ) {
        return index
      }
      slot = (slot + 1) & mask
    }
  }

  /** Index of an id by its text, a GUID also in another case (upper or lower makes no other GUID); -1 for none. */
  findText(id: string): number {
    const index = this.#indexByText.get(id)
    if (index !== undefined) return index
    return GUID.test(id) ? (this.#indexByFoldedGuid.get(id.toLowerCase()) ?? -1) : -1
  }

  #reserve(ids: number): void {
    if (ids * GUID_WORDS > this.words.length) {
      const words = new Int32Array(Math.max(ids, this.size * 2, 4) * GUID_WORDS)
      words.set(this.words)
      this.words = words
    }
    if (ids * 2 <= this.slots.length) return
    let size = Math.max(8, this.slots.length)
    while (size < ids * 2) size *= 2
    const filled = this.slots.filter((slot) => slot !== 0)
    this.slots = new Int32Array(size)
    for (const slot of filled) this.#insert(slot - 1)
  }

  #insert(index: number): void {
    const { words, slots } = this
    const mask = slots.length - 1
    const at = index * GUID_WORDS
    const word = (i: number) => words[at + i]!
    let slot = hashOfWords(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7), word(8)) & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = index + 1
  }
}

/** Two chains of multiplications side by side, so that they overlap in the processor. */
function hashOfWords(
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  w4: number,
  w5: number,
  w6: number,
  w7: number,
  w8: number,
): number {
  let a = Math.imul(w0 ^ 0x5bd1e995, 0x01000193)
  let b = Math.imul(w1 ^ 0x1b873593, 0x01000193)
  a = Math.imul(a ^ w2, 0x01000193)
  b = Math.imul(b ^ w3, 0x01000193)
  a = Math.imul(a ^ w4, 0x01000193)
  b = Math.imul(b ^ w5, 0x01000193)
  a = Math.imul(a ^ w6, 0x01000193)
  b = Math.imul(b ^ w7, 0x01000193)
  a = Math.imul(a ^ w8, 0x85ebca6b)
  b = Math.imul(b, 0xc2b2ae35)
  const mixed = a ^ (b >>> 13) ^ b
  return mixed ^ (mixed >>> 15)
}

function writeWords(id: string, words: Int32Array, at: number): void {
  for (let i = 0; i < GUID_WORDS; i++) {
    const c = i * 4
    words[at + i] =
      id.charCodeAt(c) | (id.charCodeAt(c + 1) << 8) | (id.charCodeAt(c + 2) << 16) | (id.charCodeAt(c + 3) << 24)
  }
}
