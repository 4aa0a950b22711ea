/**
 * Thrift's compact protocol, as far as Parquet's headers and footer use it.
 *
 * Integers are zigzag varints. A field header is one byte, `delta of the field id << 4 | type`, as long as ids rise by
 * less than 16; a list header is `length << 4 | type of the elements` for fewer than 15 elements.
 */

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

const LAST_SHORT_LIST = 14
const encoder = new TextEncoder()

/** Writes one struct; `finish` gives its bytes. Integers may be as large as 2^53. */
export class ThriftWriter {
  #bytes = new Uint8Array(256)
  #length = 0
  #lastFieldId = 0

  i16(fieldId: number, value: number): void {
    this.#field(fieldId, THRIFT.i16)
    this.#integer(value)
  }

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
    this.binary(fieldId, encoder.encode(value))
  }

  struct(fieldId: number, writeFields: () => void): void {
    this.#field(fieldId, THRIFT.struct)
    this.#fieldsOf(writeFields)
  }

  structs<T>(fieldId: number, elements: readonly T[], writeFields: (element: T) => void): void {
    this.#list(fieldId, THRIFT.struct, elements.length)
    for (const element of elements) this.#fieldsOf(() => writeFields(element))
  }

  i32s(fieldId: number, elements: readonly number[]): void {
    this.#list(fieldId, THRIFT.i32, elements.length)
    for (const element of elements) this.#integer(element)
  }

  strings(fieldId: number, elements: readonly string[]): void {
    this.#list(fieldId, THRIFT.binary, elements.length)
    for (const element of elements) this.#blob(encoder.encode(element))
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
    const isShort = length <= LAST_SHORT_LIST
    this.#bytes[this.#length++] = ((isShort ? length : 15) << 4) | type
    if (!isShort) this.#varint(length)
  }

  #blob(value: Uint8Array): void {
    this.#varint(value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
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
    const needed = this.#length + extra
    if (needed <= this.#bytes.length) return
    const longer = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    longer.set(this.#bytes)
    this.#bytes = longer
  }
}

export type ThriftValue = number | boolean | Uint8Array | ThriftStruct | readonly ThriftValue[]

/** A struct that was read: field id → value. */
export class ThriftStruct {
  readonly #fields = new Map<number, ThriftValue>()

  set(fieldId: number, value: ThriftValue): void {
    this.#fields.set(fieldId, value)
  }

  number(fieldId: number): number | undefined {
    const value = this.#fields.get(fieldId)
    return typeof value === 'number' ? value : undefined
  }

  bool(fieldId: number): boolean | undefined {
    const value = this.#fields.get(fieldId)
    return typeof value === 'boolean' ? value : undefined
  }

  binary(fieldId: number): Uint8Array | undefined {
    const value = this.#fields.get(fieldId)
    return value instanceof Uint8Array ? value : undefined
  }

  struct(fieldId: number): ThriftStruct | undefined {
    const value = this.#fields.get(fieldId)
    return value instanceof ThriftStruct ? value : undefined
  }

  list(fieldId: number): readonly ThriftValue[] {
    const value = this.#fields.get(fieldId)
    return Array.isArray(value) ? value : []
  }

  structs(fieldId: number): ThriftStruct[] {
    return this.list(fieldId).filter((value) => value instanceof ThriftStruct)
  }

  numbers(fieldId: number): number[] {
    return this.list(fieldId).filter((value) => typeof value === 'number')
  }
}

/** Reads structs from bytes that parquet-wasm wrote a moment ago: trusted, so that limits are not checked. */
export class ThriftReader {
  readonly #bytes: Uint8Array
  #pos: number

  constructor(bytes: Uint8Array, pos = 0) {
    this.#bytes = bytes
    this.#pos = pos
  }

  /** Offset of the first byte not read yet. */
  get pos(): number {
    return this.#pos
  }

  struct(): ThriftStruct {
    const struct = new ThriftStruct()
    let fieldId = 0
    for (;;) {
      const header = this.#byte()
      if (header === 0) return struct
      const delta = header >> 4
      fieldId = delta === 0 ? this.#integer() : fieldId + delta
      const type = header & 15
      // Only as a field is a boolean's value its type; in a list it is a byte of its own.
      struct.set(fieldId, type <= THRIFT.false ? type === THRIFT.true : this.#value(type))
    }
  }

  #value(type: number): ThriftValue {
    switch (type) {
      case THRIFT.true:
      case THRIFT.false:
        return this.#byte() === THRIFT.true
      case THRIFT.i8:
        return (this.#byte() << 24) >> 24
      case THRIFT.i16:
      case THRIFT.i32:
      case THRIFT.i64:
        return this.#integer()
      case THRIFT.double:
        return new DataView(this.#take(8).slice().buffer).getFloat64(0, true)
      case THRIFT.binary:
        return this.#take(this.#varint())
      case THRIFT.list:
      case THRIFT.set:
        return this.#list()
      case THRIFT.struct:
        return this.struct()
      default:
        throw new RangeError(`expected a Thrift type of Parquet's, found ${type} at byte ${this.#pos}`)
    }
  }

  #list(): ThriftValue[] {
    const header = this.#byte()
    const length = header >> 4 === 15 ? this.#varint() : header >> 4
    return Array.from({ length }, () => this.#value(header & 15))
  }

  #take(length: number): Uint8Array {
    if (this.#pos + length > this.#bytes.length) throw new RangeError('expected more bytes of Thrift')
    this.#pos += length
    return this.#bytes.subarray(this.#pos - length, this.#pos)
  }

  #byte(): number {
    const byte = this.#bytes[this.#pos++]
    if (byte === undefined) throw new RangeError('expected more bytes of Thrift')
    return byte
  }

  #integer(): number {
    const value = this.#varint()
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  #varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }
}
