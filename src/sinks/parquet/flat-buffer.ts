/**
 * FlatBuffers, as far as a schema needs them: tables, texts and vectors of tables, written from front to back.
 *
 * A table begins with the distance back to its vtable, which says where its fields are; a field that is no number holds
 * the distance forward to what it means, so that tables are written before what they refer to.
 */

import { withRoom } from './growing-bytes.ts'
import { writeUtf8 } from './utf8.ts'

/** Where each field of a table is, by its number, 0 for those that it has not; and the bytes of the table. */
export interface TableShape {
  readonly fields: readonly number[]
  readonly byteCount: number
}

/** Alignment of the widest numbers. */
const LONGEST_NUMBER = 8

const OFFSET_BYTES = 4

export class FlatBuffer {
  #bytes = new Uint8Array(2 ** 16)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  /** Texts that several places refer to, and those places. */
  readonly #sharedTexts = new Map<string, number[]>()

  /** The bytes so far. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Bytes of no meaning yet, all of them 0; their position. */
  room(byteCount: number, alignment = OFFSET_BYTES): number {
    const start = Math.ceil(this.#length / alignment) * alignment
    this.#reserve(start + byteCount)
    this.#length = start + byteCount
    return start
  }

  /**
   * A table whose fields are 0; its position.
   * @param vtable Several tables may share one, but polars 1.44 wants it behind what refers to the tables.
   */
  table(shape: TableShape, vtable = this.vtable(shape)): number {
    const start = this.room(shape.byteCount, LONGEST_NUMBER)
    this.#view.setInt32(start, start - vtable, true)
    return start
  }

  /** The position of what says where a table's fields are. */
  vtable({ fields, byteCount }: TableShape): number {
    const start = this.room(2 * (fields.length + 2), 2)
    this.int16(start, 2 * (fields.length + 2))
    this.int16(start + 2, byteCount)
    for (const [i, offset] of fields.entries()) this.int16(start + 4 + 2 * i, offset)
    return start
  }

  /** A vector of so many references, to be filled by `refer`; the position of the first one. */
  vector(length: number): number {
    const start = this.room((length + 1) * OFFSET_BYTES)
    this.#view.setUint32(start, length, true)
    return start + OFFSET_BYTES
  }

  /** A text, behind its length and in front of a NUL; its position. */
  text(text: string): number {
    const start = this.room(OFFSET_BYTES)
    const from = this.#length
    this.#reserve(from + 3 * text.length + 1)
    this.#length = from + writeUtf8(text, this.#bytes, from)
    this.#view.setUint32(start, this.#length - from, true)
    this.#length++
    return start
  }

  /** Makes the bytes at `at` mean what is at `target`, behind them. */
  refer(at: number, target: number): void {
    this.#view.setUint32(at, target - at, true)
  }

  /** The same, to a vector, whose position is that of its first reference. */
  referToVector(at: number, first: number): void {
    this.refer(at, first - OFFSET_BYTES)
  }

  /** Makes the bytes at `at` mean a text that is written but once, by `writeSharedTexts`. */
  referToSharedText(at: number, text: string): void {
    const places = this.#sharedTexts.get(text)
    if (places === undefined) this.#sharedTexts.set(text, [at])
    else places.push(at)
  }

  /** Writes them behind all that refers to them. */
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
