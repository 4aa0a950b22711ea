/**
 * Thrift's compact protocol, as far as Parquet's headers and footer use it.
 *
 * Integers are zigzag varints. A field header is one byte, `delta of the field id << 4 | type`, if the id is less than
 * 16 above the previous one; a list header is `length << 4 | type of the elements` for fewer than 15 elements.
 */

import { withRoom } from './growing-bytes.ts'
import { writeUtf8 } from './utf8.ts'

export const THRIFT = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const

const MAX_SHORT_LIST_LENGTH = 14

/** Writes one struct; `finish` returns its bytes. Integers may be as large as 2^53; undefined fields are left out. */
export class ThriftWriter {
  #bytes = new Uint8Array(256)
  #length = 0
  #lastFieldId = 0

  i32(fieldId: number, value: number | undefined): void {
    if (value === undefined) return
    this.#field(fieldId, THRIFT.i32)
    this.#integer(value)
  }

  i64(fieldId: number, value: number | undefined): void {
    if (value === undefined) return
    this.#field(fieldId, THRIFT.i64)
    this.#integer(value)
  }

  i8(fieldId: number, value: number): void {
    this.#field(fieldId, THRIFT.i8)
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  bool(fieldId: number, value: boolean | undefined): void {
    if (value !== undefined) this.#field(fieldId, value ? THRIFT.true : THRIFT.false)
  }

  binary(fieldId: number, value: Uint8Array | undefined): void {
    if (value === undefined) return
    this.#field(fieldId, THRIFT.binary)
    this.#blob(value)
  }

  string(fieldId: number, value: string): void {
    this.#field(fieldId, THRIFT.binary)
    this.#text(value)
  }

  struct(fieldId: number, writeFields: () => void): void {
    this.#field(fieldId, THRIFT.struct)
    this.#fieldsOf(writeFields)
  }

  structs<T>(fieldId: number, elements: readonly T[], writeFields: (element: T) => void): void {
    this.#list(fieldId, THRIFT.struct, elements.length)
    for (const element of elements) this.#fieldsOf(() => writeFields(element))
  }

  /** Writes a list of structs, each of which is the result of `finish`. */
  encodedStructs(fieldId: number, elements: readonly Uint8Array[]): void {
    this.#list(fieldId, THRIFT.struct, elements.length)
    for (const element of elements) this.#bytesOf(element)
  }

  i32s(fieldId: number, elements: readonly number[]): void {
    this.#list(fieldId, THRIFT.i32, elements.length)
    for (const element of elements) this.#integer(element)
  }

  strings(fieldId: number, elements: readonly string[]): void {
    this.#list(fieldId, THRIFT.binary, elements.length)
    for (const element of elements) this.#text(element)
  }

  finish(): Uint8Array {
    this.#reserve(1)
    this.#bytes[this.#length++] = 0
    return this.#bytes.slice(0, this.#length)
  }

  #fieldsOf(writeFields: () => void): void {
    const outer = this.#lastFieldId
    this.#lastFieldId = 0
    writeFields()
    this.#reserve(1)
    this.#bytes[this.#length++] = 0
    this.#lastFieldId = outer
  }

  #field(fieldId: number, type: number): void {
    const delta = fieldId - this.#lastFieldId
    this.#reserve(1)
    if (delta <= 0 || delta > 15) throw new RangeError(`expected field ids that rise by less than 16, found ${fieldId}`)
    this.#bytes[this.#length++] = (delta << 4) | type
    this.#lastFieldId = fieldId
  }

  #list(fieldId: number, type: number, length: number): void {
    this.#field(fieldId, THRIFT.list)
    this.#reserve(1)
    const isShort = length <= MAX_SHORT_LIST_LENGTH
    this.#bytes[this.#length++] = ((isShort ? length : 15) << 4) | type
    if (!isShort) this.#varint(length)
  }

  #blob(value: Uint8Array): void {
    this.#varint(value.length)
    this.#bytesOf(value)
  }

  #bytesOf(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  #text(value: string): void {
    const byteLength = Buffer.byteLength(value)
    this.#varint(byteLength)
    this.#reserve(byteLength)
    this.#length += writeUtf8(value, this.#bytes, this.#length)
  }

  #integer(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  #varint(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  #reserve(extra: number): void {
    this.#bytes = withRoom(this.#bytes, this.#length, this.#length + extra)
  }
}
