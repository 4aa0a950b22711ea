import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pageKernel } from '../src/sinks/parquet/kernel/page-kernel.ts'

const kernel = pageKernel()
const { at, bytes, call } = kernel

/** The format's description, read as plainly as can be: bit by bit. */
function decode(bytes: Uint8Array, count: number, width: number): number[] {
  const values: number[] = []
  let pos = 0
  const bit = (at: number) => (bytes[pos + (at >> 3)]! >> (at & 7)) & 1
  const number = (at: number, bits: number) => {
    let value = 0
    for (let i = 0; i < bits; i++) value += bit(at + i) * 2 ** i
    return value
  }
  while (values.length < count) {
    let header = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[pos++]!
      header += (byte & 127) * scale
      if (byte < 128) break
    }
    const length = Math.floor(header / 2)
    if (header % 2 === 0) {
      values.push(...new Array<number>(length).fill(number(0, width)))
      pos += (width + 7) >> 3
    } else {
      for (let i = 0; i < length * 8; i++) values.push(number(i * width, width))
      pos += length * width
    }
  }
  expect(pos).toBe(bytes.length)
  return values.slice(0, count)
}

/** Stretches of random and of equal numbers of `width` bits. */
const stretches = (width: number) => {
  const value = fc.nat({ max: Math.min(2 ** width, 2 ** 31) - 1 })
  const equal = fc
    .tuple(value, fc.integer({ min: 1, max: 200 }))
    .map(([v, length]) => new Array<number>(length).fill(v))
  return fc.array(fc.oneof(fc.array(value, { maxLength: 60 }), equal), { maxLength: 12 }).map((parts) => parts.flat())
}
const numbers = fc.integer({ min: 1, max: 31 }).chain((width) => fc.tuple(fc.constant(width), stretches(width)))

/** As left behind by whatever was there before. */
function fillWithRubbish() {
  bytes.fill(0xa5, at.source, at.packed)
}

function encoded(values: readonly number[], width: number): Uint8Array {
  fillWithRubbish()
  kernel.int32(at.indices, values.length).set(values)
  return bytes.slice(at.body, call.encodeIndices(at.indices, values.length, width, at.body))
}

function encodedLevels(values: readonly number[], width: number): Uint8Array {
  fillWithRubbish()
  bytes.set(values, at.definitions)
  return bytes.slice(at.body, call.encodeLevels(at.definitions, values.length, width, at.body))
}

/** At any bit of a bitmap, as a part of a batch may begin. */
function encodedBits(values: readonly number[], offset: number): Uint8Array {
  fillWithRubbish()
  for (const [i, value] of values.entries()) {
    const bit = offset + i
    const byte = at.validity + (bit >> 3)
    bytes[byte] = (bytes[byte]! & ~(1 << (bit & 7))) | (value << (bit & 7))
  }
  const half = values.length >> 1
  let ones = call.appendBits(at.validity, offset, at.definitionBits, 0, half)
  ones += call.appendBits(at.validity, offset + half, at.definitionBits, half, values.length - half)
  expect(ones).toBe(values.filter((value) => value === 1).length)
  return bytes.slice(at.body, call.encodeBits(at.definitionBits, values.length, at.body))
}

describe('run lengths and bit packing', () => {
  test('what is written can be read, at every width', () => {
    fc.assert(
      fc.property(numbers, ([width, values]) => {
        expect(decode(encoded(values, width), values.length, width)).toEqual(values)
      }),
      { numRuns: 400 },
    )
  })

  test('is never larger than bit packing alone, by more than one header', () => {
    fc.assert(
      fc.property(numbers, ([width, values]) => {
        expect(encoded(values, width).length).toBeLessThanOrEqual(((values.length + 7) >> 3) * width + 4)
      }),
      { numRuns: 400 },
    )
  })

  test('equal values cost a few bytes, however many they are', () => {
    expect(encoded(new Array<number>(100_000).fill(5), 3).length).toBe(4)
    expect(encoded([...new Array<number>(16).fill(1), ...new Array<number>(1000).fill(2)], 2).length).toBeLessThan(12)
  })

  test('levels of a byte give the bytes that wider numbers give', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }).chain((width) => fc.tuple(fc.constant(width), stretches(width))),
        ([width, values]) => {
          expect(encodedLevels(values, width)).toEqual(encoded(values, width))
        },
      ),
    )
  })

  test('packed bits give the values of numbers of one bit', () => {
    fc.assert(
      fc.property(stretches(1), fc.nat({ max: 17 }), (values, offset) => {
        const found = encodedBits(values, offset)
        expect(decode(found, values.length, 1)).toEqual(values)
        expect(found.length).toBeLessThanOrEqual(((values.length + 7) >> 3) + 4)
      }),
      { numRuns: 400 },
    )
  })

  test('a run has as many bytes as its width needs', () => {
    const end = call.writeRun(0x1ffff, 1000, 17, at.body)
    expect(bytes.slice(at.body, end)).toEqual(Uint8Array.of(0xd0, 0x0f, 0xff, 0xff, 0x01))
  })

  test('width of the largest number', () => {
    const widths = [0, 1, 2, 3, 4, 127, 128, 255, 256, 69_999].map((largest) => {
      kernel.int32(at.indices, 3).set([0, largest, 0])
      return call.largestWidth(at.indices, 3)
    })
    expect(widths).toEqual([0, 1, 2, 2, 3, 7, 8, 8, 9, 17])
  })
})
