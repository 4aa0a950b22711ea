/**
 * Finds the index of an id from the bytes of the document.
 *
 * The ids of an export are GUIDs of 36 ASCII characters, which are compared eight bytes at a time, without creating a
 * JavaScript string. Ids of any other form are found by their text.
 */

/** Characters of a GUID: 8-4-4-4-12 hexadecimal digits. */
export const GUID_BYTES = 36

/** Matches a GUID. */
export const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Bytes of a GUID and the quotes around it. */
export const QUOTED_GUID_BYTES = GUID_BYTES + 2

/** A quoted GUID is stored as five float64: its bytes from 0, 8, 16, 24 and 30 on (the last two overlap). */
const DOUBLES_EACH = 5

/** Spreads hashes over the slots (Fibonacci hashing). */
const MULTIPLIER = 0x9e3779b1

export class IdTable {
  /** The doubles of the id with index `i` begin at `i * DOUBLES_EACH`; NaN for ids that are not GUIDs. */
  #doubles = new Float64Array(0)
  /** Open hash table whose size is a power of two: 1 + index, or 0 for a free slot. At least one slot is free. */
  #slots = new Int32Array(8)
  /** Number of low bits of a hash that are not part of its slot number. */
  #shift = 29
  readonly #indexByText = new Map<string, number>()
  readonly #indexByFoldedGuid = new Map<string, number>()

  constructor(ids: readonly string[] = []) {
    for (const id of ids) this.#keep(id)
    this.#layOut()
  }

  get size(): number {
    return this.#indexByText.size
  }

  /** Adds an id that is not in the table yet; returns its index, the number of ids before it. */
  add(id: string): number {
    const index = this.#keep(id)
    if (this.size * 2 > this.#slots.length) this.#layOut()
    else if (GUID.test(id)) this.#insert(index, hashAt(viewOf(id), 0))
    return index
  }

  /**
   * Returns the index of the GUID whose opening quote is at `p`, or -1 if it is not in the table in exactly this
   * spelling. The bytes are compared as float64, eight at a time. If one side is ASCII, this equals a comparison of the
   * bits: no ASCII text reads as NaN or as a zero.
   */
  find(view: DataView, p: number): number {
    const doubles = this.#doubles
    const slots = this.#slots
    let slot = Math.imul(hashAt(view, p), MULTIPLIER) >>> this.#shift
    for (;;) {
      const index = slots[slot]! - 1
      if (index < 0) return -1
      const at = index * DOUBLES_EACH
      if (
        doubles[at] === view.getFloat64(p, true) &&
        doubles[at + 1] === view.getFloat64(p + 8, true) &&
        doubles[at + 2] === view.getFloat64(p + 16, true) &&
        doubles[at + 3] === view.getFloat64(p + 24, true) &&
        doubles[at + 4] === view.getFloat64(p + 30, true)
      ) {
        return index
      }
      slot = slot + 1 === slots.length ? 0 : slot + 1
    }
  }

  /**
   * Returns the index of an id by its text, or -1. A GUID is also found in another case, because case does not matter
   * in GUIDs.
   */
  findText(id: string): number {
    const index = this.#indexByText.get(id)
    if (index !== undefined) return index
    return GUID.test(id) ? (this.#indexByFoldedGuid.get(id.toLowerCase()) ?? -1) : -1
  }

  #keep(id: string): number {
    const index = this.#indexByText.size
    this.#indexByText.set(id, index)
    if ((index + 1) * DOUBLES_EACH > this.#doubles.length) {
      const doubles = new Float64Array(Math.max(index * 2, 4) * DOUBLES_EACH).fill(Number.NaN)
      doubles.set(this.#doubles)
      this.#doubles = doubles
    }
    if (!GUID.test(id)) return index
    if (!this.#indexByFoldedGuid.has(id.toLowerCase())) this.#indexByFoldedGuid.set(id.toLowerCase(), index)
    const view = viewOf(id)
    for (let i = 0; i < DOUBLES_EACH; i++) {
      const at = Math.min(i * 8, QUOTED_GUID_BYTES - 8)
      this.#doubles[index * DOUBLES_EACH + i] = view.getFloat64(at, true)
    }
    return index
  }

  /** Rebuilds the hash table with room for at least twice as many ids. */
  #layOut(): void {
    const guids = [...this.#indexByText].filter(([id]) => GUID.test(id))
    let size = 8
    while (size < guids.length * 4) size *= 2
    this.#shift = Math.clz32(size - 1)
    this.#slots = new Int32Array(size)
    for (const [id, index] of guids) this.#insert(index, hashAt(viewOf(id), 0))
  }

  /** Puts an index into the first free slot from that of its hash on. */
  #insert(index: number, hash: number): void {
    const slots = this.#slots
    let slot = Math.imul(hash, MULTIPLIER) >>> this.#shift
    while (slots[slot] !== 0) slot = slot + 1 === slots.length ? 0 : slot + 1
    slots[slot] = index + 1
  }
}

/** Mixes the first, middle and last digits of a quoted GUID: sequential ids may differ at either end only. */
function hashAt(view: DataView, p: number): number {
  const start = view.getInt32(p + 1, true) ^ Math.imul(view.getInt32(p + 5, true), 0x01000193)
  const end = view.getInt32(p + 33, true) ^ Math.imul(view.getInt32(p + 29, true), 0x5bd1e995)
  const mixed = Math.imul(start ^ (end >>> 15), 0x1b873593) ^ end ^ view.getInt32(p + 16, true)
  return mixed ^ (mixed >>> 16)
}

/** Returns the bytes of a quoted GUID. */
function viewOf(id: string): DataView {
  const view = new DataView(new ArrayBuffer(QUOTED_GUID_BYTES))
  const quoted = `"${id}"`
  for (let i = 0; i < QUOTED_GUID_BYTES; i++) view.setUint8(i, quoted.charCodeAt(i))
  return view
}
