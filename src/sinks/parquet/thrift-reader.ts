/** Reads Thrift's compact protocol, which `thrift.ts` describes. */

import { THRIFT } from './thrift.ts'

type ThriftValue = number | boolean | Uint8Array | ThriftStruct | readonly ThriftValue[]

/** A struct that was read: values by field id. Each getter ignores values of another type. */
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

/** Reads structs from bytes that parquet-wasm has just written; they are trusted, so limits are not checked. */
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
      // The value of a boolean field is its type; in a list, a boolean is a byte of its own.
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
