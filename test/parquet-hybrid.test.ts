import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bitWidth,
  encodeBits,
  encodeHybrid,
  fitsInOneWord,
  fitsInTwoWords,
  hybridCapacity,
  packAnyWidth,
  packInOneWord,
  packInTwoWords,
  shortestRun,
  writeRun,
} from '../src/sinks/parquet/hybrid.ts'

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

function scratch(values: readonly number[]): Int32Array {
  const array = new Int32Array(values.length + 7).fill(-1)
  array.set(values)
  return array
}

function encoded(values: readonly number[], width: number): Uint8Array {
  const out = new Uint8Array(hybridCapacity(values.length, width) + 1)
  const end = encodeHybrid(scratch(values), values.length, width, out, 1)
  expect(end).toBeLessThanOrEqual(out.length)
  return out.subarray(1, end)
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

  test('the shortest run is smaller than its bits', () => {
    for (let width = 1; width <= 32; width++) {
      const runBytes = 4 + Math.ceil(width / 8)
      expect((shortestRun(width) * width) / 8).toBeGreaterThan(runBytes)
      expect(((shortestRun(width) - 8) * width) / 8).toBeLessThanOrEqual(runBytes)
    }
  })

  test('fast packing gives the bytes of general packing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(), { minLength: 8, maxLength: 64 }), (width, raw) => {
        const values = Int32Array.from(raw.slice(0, raw.length & ~7), (value) => value % 2 ** width)
        const general = new Uint8Array((values.length / 8) * width)
        packAnyWidth(values, 0, values.length, width, general, 0)
        const fast = new Uint8Array(general.length)
        expect(fitsInOneWord(width)).toBe(!fitsInTwoWords(width))
        const pack = fitsInOneWord(width) ? packInOneWord : packInTwoWords
        pack(values, 0, values.length, width, fast, 0)
        expect(fast).toEqual(general)
      }),
    )
  })

  test('packed bits give the values of numbers of one bit', () => {
    fc.assert(
      fc.property(stretches(1), (values) => {
        const bits = new Uint8Array((values.length + 7) >> 3)
        for (const [i, value] of values.entries()) bits[i >> 3]! |= value << (i & 7)
        const out = new Uint8Array(hybridCapacity(values.length, 1))
        const end = encodeBits(bits, values.length, out, 0)
        expect(decode(out.subarray(0, end), values.length, 1)).toEqual(values)
        expect(end).toBeLessThanOrEqual(bits.length + 4)
      }),
      { numRuns: 400 },
    )
  })

  test('a run has as many bytes as its width needs', () => {
    const out = new Uint8Array(16)
    expect(out.slice(0, writeRun(0x1ffff, 1000, 17, out, 0))).toEqual(Uint8Array.of(0xd0, 0x0f, 0xff, 0xff, 0x01))
  })

  test('bit width of the largest index', () => {
    expect([0, 1, 2, 3, 4, 127, 128, 255, 256, 69_999].map(bitWidth)).toEqual([0, 1, 2, 2, 3, 7, 8, 8, 9, 17])
  })
})
