/**
 * Ids → their index, found from the bytes of the document.
 *
 * The ids of an export are GUIDs of 36 ASCII characters: they are compared eight bytes at a time, without a JavaScript
 * string. Ids of any other form are found by their text.
 */

/** Characters of a GUID: 8-4-4-4-12 hexadecimal digits. */
export const GUID_BYTES = 36

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A GUID is kept as five float64: its bytes from 0, 8, 16, 24 and 28 on (the last two overlap). */
const DOUBLES_EACH = 5

export class IdTable {
  /** The doubles of the id with index `i` begin at `i * DOUBLES_EACH`; NaN for ids of another form. */
  #doubles = new Float64Array(0)
  /** Open hash table, of a power of two in size: 1 + index, or 0 for a free slot, of which there always is one. */
  #slots = new Int32Array(8)
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
    const view = viewOf(id)
    for (let i = 0; i < DOUBLES_EACH; i++) {
      this.#doubles[index * DOUBLES_EACH + i] = view.getFloat64(Math.min(i * 8, GUID_BYTES - 8), true)
    }
    this.#insert(index, hashAt(view, 0))
    return index
  }

  /**
   * Index of the GUID whose 36 bytes begin at `p`; -1 when it is not in the table in just this spelling.
   * The bytes are compared as float64, eight at once, which for ASCII on one side is the same as comparing them bit by
   * bit: no ASCII text reads as NaN or as a zero.
   */
  find(view: DataView, p: number): number {
    const doubles = this.#doubles
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = hashAt(view, p) & mask; ; slot = (slot + 1) & mask) {
      const index = slots[slot]! - 1
      if (index < 0) return -1
      const at = index * DOUBLES_EACH
      if (
        doubles[at] === view.getFloat64(p, true) &&
        doubles[at + 1] === view.getFloat64(p + 8, true) &&
        doubles[at + 2] === view.getFloat64(p + 16, true) &&
        doubles[at + 3] === view.getFloat64(p + 24, true) &&
        doubles[at + 4] === view.getFloat64(p + 28, true)
      ) {
        return index
      }
    }
  }

  /** Index of an id by its text, a GUID also in another case (upper or lower makes no other GUID); -1 for none. */
  findText(id: string): number {
    const index = this.#indexByText.get(id)
    if (index !== undefined) return index
    return GUID.test(id) ? (this.#indexByFoldedGuid.get(id.toLowerCase()) ?? -1) : -1
  }

  #reserve(ids: number): void {
    if (ids * DOUBLES_EACH > this.#doubles.length) {
      const doubles = new Float64Array(Math.max(ids, this.size * 2, 4) * DOUBLES_EACH).fill(Number.NaN)
      doubles.set(this.#doubles)
      this.#doubles = doubles
    }
    if (ids * 2 <= this.#slots.length) return
    let size = Math.max(8, this.#slots.length)
    while (size < ids * 2) size *= 2
    this.#slots = new Int32Array(size)
    for (const [id, index] of this.#indexByText) {
      if (GUID.test(id) && index < ids - 1) this.#insert(index, hashAt(viewOf(id), 0))
    }
  }

  #insert(index: number, hash: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = index + 1
  }
}

/** Mixes the first, middle and last digits: ids made in sequence differ at either end. */
function hashAt(view: DataView, p: number): number {
  const start = Math.imul(view.getInt32(p, true) ^ Math.imul(view.getInt32(p + 4, true), 0x01000193), 0x5bd1e995)
  const end = Math.imul(view.getInt32(p + 32, true) ^ Math.imul(view.getInt32(p + 28, true), 0x01000193), 0x1b873593)
  const mixed = start ^ (end >>> 13) ^ end ^ Math.imul(view.getInt32(p + 15, true), 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}

function viewOf(id: string): DataView {
  const view = new DataView(new ArrayBuffer(GUID_BYTES))
  for (let i = 0; i < GUID_BYTES; i++) view.setUint8(i, id.charCodeAt(i))
  return view
}
