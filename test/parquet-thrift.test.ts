import { describe, expect, test } from 'vitest'
import { ThriftWriter } from '../src/sinks/parquet/thrift.ts'
import { ThriftReader } from '../src/sinks/parquet/thrift-reader.ts'

describe('Thrift compact protocol', () => {
  test('reads back what it writes', () => {
    const writer = new ThriftWriter()
    writer.i32(1, -5)
    writer.i64(3, 2 ** 52 + 1)
    writer.bool(4, true)
    writer.bool(5, false)
    writer.string(6, 'grün')
    writer.i32s(
      7,
      Array.from({ length: 300 }, (_, i) => i - 150),
    )
    writer.structs(8, [1, 2], (value) => writer.struct(1, () => writer.i32(2, value)))
    writer.i32(9, undefined)
    writer.i8(15, 64)
    const bytes = writer.finish()
    const reader = new ThriftReader(bytes)
    const struct = reader.struct()
    expect(reader.pos).toBe(bytes.length)
    expect([1, 3, 9, 15].map((id) => struct.number(id))).toEqual([-5, 2 ** 52 + 1, undefined, 64])
    expect([4, 5, 6].map((id) => struct.bool(id))).toEqual([true, false, undefined])
    expect(Buffer.from(struct.binary(6) ?? []).toString()).toBe('grün')
    expect(struct.numbers(7)).toEqual(Array.from({ length: 300 }, (_, i) => i - 150))
    expect(struct.structs(8).map((member) => member.struct(1)?.number(2))).toEqual([1, 2])
  })

  test('is the bytes that the protocol asks for', () => {
    const writer = new ThriftWriter()
    writer.i32(1, 1)
    writer.struct(3, () => writer.bool(1, true))
    writer.strings(4, ['a'])
    expect(writer.finish()).toEqual(Uint8Array.of(0x15, 2, 0x2c, 0x11, 0, 0x19, 0x18, 1, 0x61, 0))
  })

  test('an end that comes too early is an error', () => {
    expect(() => new ThriftReader(Uint8Array.of(0x18, 9, 1)).struct()).toThrow(RangeError)
    expect(() => new ThriftReader(Uint8Array.of(0x15)).struct()).toThrow(RangeError)
  })
})
