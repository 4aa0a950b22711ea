import fc from 'fast-check'
import { snappyUncompress } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { describe, expect, test } from 'vitest'
import { Random } from '../fixtures/random.ts'
import { compressPages } from '../src/sinks/parquet/compression.ts'
import { pageKernel } from '../src/sinks/parquet/kernel/page-kernel.ts'

const { at, bytes, call } = pageKernel()

const RUBBISH = 0xa5

/** The length in front, as the format wants it, and what the kernel makes of the rest. */
function compressed(input: Uint8Array): Uint8Array {
  bytes.fill(RUBBISH, at.values, at.slots)
  bytes.set(input, at.values)
  const preamble: number[] = []
  for (let rest = input.length; ; rest >>>= 7) {
    preamble.push(rest < 128 ? rest : (rest & 127) | 128)
    if (rest < 128) break
  }
  const end = call.compressSnappy(at.values, input.length, at.hashes, at.packed)
  expect(end - at.packed).toBeLessThanOrEqual(input.length + input.length / 6 + 32)
  return Uint8Array.from([...preamble, ...bytes.subarray(at.packed, end)])
}

function expectRoundTrip(input: Uint8Array): number {
  const output = compressed(input)
  const ours = new Uint8Array(input.length)
  snappyUncompress(output, ours)
  expect(Buffer.compare(ours, input)).toBe(0)
  expect(Buffer.compare(compressors.SNAPPY!(output, input.length), input)).toBe(0)
  return output.length
}

/** Stretches of noise, of one byte, and of what stood somewhere before. */
function patchwork(seed: number, length: number, noise: number): Uint8Array {
  const random = new Random(seed)
  const out = new Uint8Array(length)
  let pos = 0
  while (pos < length) {
    const stretch = Math.min(length - pos, 1 + random.below(random.unit() < 0.1 ? 5000 : 90))
    if (pos === 0 || random.unit() < noise) {
      for (let i = 0; i < stretch; i++) out[pos + i] = random.below(256)
    } else if (random.unit() < 0.3) {
      out.fill(random.below(256), pos, pos + stretch)
    } else {
      const from = random.below(pos)
      for (let i = 0; i < stretch; i++) out[pos + i] = out[from + i]!
    }
    pos += stretch
  }
  return out
}

describe('snappy', () => {
  test('any bytes come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (input) => void expectRoundTrip(input)),
      { numRuns: 300 },
    )
  })

  test('what repeats itself comes back, over several blocks too', () => {
    const lengths = fc.oneof(
      fc.nat({ max: 2000 }),
      fc.nat({ max: 200_000 }),
      fc.constantFrom(65_535, 65_536, 65_537, 131_072),
    )
    fc.assert(
      fc.property(fc.nat(), lengths, fc.constantFrom(0, 0.1, 0.5, 1), (seed, length, noise) => {
        expectRoundTrip(patchwork(seed, length, noise))
      }),
      { numRuns: 150 },
    )
  })

  test('every length of a literal and of a copy comes back', () => {
    for (let length = 1; length < 200; length++) {
      const noise = patchwork(length, length, 1)
      const zeros = new Uint8Array(length)
      expectRoundTrip(Buffer.concat([noise, Buffer.from('abcdefgh'), zeros, noise, Buffer.from('abcdefgh'), zeros]))
    }
    for (const distance of [1, 3, 2040, 2047, 2048, 2049, 60_000]) {
      expectRoundTrip(Buffer.concat([Buffer.from('some text'), patchwork(7, distance, 1), Buffer.from('some text')]))
    }
  })

  test('a page costs about what the reference implementation makes of it', () => {
    const text = Buffer.from(
      Array.from({ length: 9000 }, (_, i) => `the staff was friendly (${(i * 7919) % 1000}), would come again`).join(),
    )
    for (const page of [text, patchwork(3, 400_000, 0.3), new Uint8Array(100_000)]) {
      const [reference] = compressPages([page], 'snappy')
      expect(expectRoundTrip(page)).toBeLessThan(reference!.length * 1.05)
    }
    expect(expectRoundTrip(patchwork(5, 300_000, 1))).toBeLessThan(300_100)
  })
})
