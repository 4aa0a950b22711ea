/**
 * Writes FlatBuffers, as far as a schema needs them: tables, texts and vectors of tables, written from front to back.
 *
 * A table begins with the distance back to its vtable, which holds the offsets of its fields. A field that is not a
 * number holds the distance forward to what it refers to, so tables are written before what they refer to. `room`,
 * `table`, `vtable` and `text` return the position of what they write.
 */

import { withRoom } from './growing-bytes.ts'
import { writeUtf8 } from './utf8.ts'

/** The offset of each field in a table, by field number, 0 for missing ones; and the table's length in bytes. */
export interface TableShape {
  readonly fields: readonly number[]
  readonly byteCount: number
}

/** Alignment of the widest numbers, in bytes. */
const MAX_NUMBER_BYTES = 8

const OFFSET_BYTES = 4

export class FlatBuffer {
  #bytes = new Uint8Array(2 ** 16)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  /** Texts that are written once, and the positions of the fields that refer to them. */
  readonly #sharedTexts = new Map<string, number[]>()

  /** The bytes so far. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Reserves zeroed bytes. */
  room(byteCount: number, alignment = OFFSET_BYTES): number {
    const start = Math.ceil(this.#length / alignment) * alignment
    this.#reserve(start + byteCount)
    this.#length = start + byteCount
    return start
  }

  /**
   * Writes a table whose fields are 0.
   * @param vtable Several tables may share one, but polars 1.44 requires it to come after what refers to the tables.
   */
  table(shape: TableShape, vtable = this.vtable(shape)): number {
    const start = this.room(shape.byteCount, MAX_NUMBER_BYTES)
    this.#view.setInt32(start, start - vtable, true)
    return start
  }

  /** Writes a vtable. */
  vtable({ fields, byteCount }: TableShape): number {
    const start = this.room(2 * (fields.length + 2), 2)
    this.int16(start, 2 * (fields.length + 2))
    this.int16(start + 2, byteCount)
    for (const [i, offset] of fields.entries()) this.int16(start + 4 + 2 * i, offset)
    return start
  }

  /** Writes a vector of references, to be set by `refer`; returns the position of the first one. */
  vector(length: number): number {
    const start = this.room((length + 1) * OFFSET_BYTES)
    this.#view.setUint32(start, length, true)
    return start + OFFSET_BYTES
  }

  /** Writes a text after its length and before a NUL. */
  text(text: string): number {
    const start = this.room(OFFSET_BYTES)
    const from = this.#length
    this.#reserve(from + 3 * text.length + 1)
    this.#length = from + writeUtf8(text, this.#bytes, from)
    this.#view.setUint32(start, this.#length - from, true)
    this.#length++
    return start
  }

  /** Makes the field at `at` refer to `target`, which must come after it. */
  refer(at: number, target: number): void {
    this.#view.setUint32(at, target - at, true)
  }

  /** Makes the field at `at` refer to the vector whose first reference is at `first`. */
  referToVector(at: number, first: number): void {
    this.refer(at, first - OFFSET_BYTES)
  }

  /** Makes the field at `at` refer to a text that is written only once, by `writeSharedTexts`. */
  referToSharedText(at: number, text: string): void {
    const places = this.#sharedTexts.get(text)
    if (places === undefined) this.#sharedTexts.set(text, [at])
    else places.push(at)
  }

  /** Writes the shared texts, after everything that refers to them. */
  writeSharedTexts(): void {
    for (const [text, places] of this.#sharedTexts) {
      const target = this.text(text)
      for (const at of places) this.refer(at, target)
    }
  }

  int8(at: number, value: number): void {
    this.#bytes[at] = value
  }

  int16(at: number, value: number): void {
    this.#view.setInt16(at, value, true)
  }

  int32(at: number, value: number): void {
    this.#view.setInt32(at, value, true)
  }

  #reserve(byteCount: number): void {
    const bytes = withRoom(this.#bytes, this.#length, byteCount)
    if (bytes === this.#bytes) return
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}
