import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyBytes } from '../src/copy-bytes.ts'

const memoryOf = (isShared: boolean, byteLength: number) =>
  isShared ? new SharedArrayBuffer(byteLength) : new ArrayBuffer(byteLength)

test('bytes arrive where they should, and no others change, whatever the memory and the places', () => {
  const place = fc.nat({ max: 70 })
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.boolean(),
      place,
      place,
      place,
      place,
      (fromShared, intoShared, skip, at, count, rest) => {
        const from = new Uint8Array(memoryOf(fromShared, skip + count), skip, count).map((_, i) => 100 + i)
        const into = new Uint8Array(memoryOf(intoShared, 3 + at + count + rest), 3).fill(7)
        const expected = Uint8Array.from(into)
        expected.set(from, at)
        copyBytes(from, into, at)
        expect(into).toEqual(Object.assign(into.slice(), expected))
        expect(Buffer.compare(Buffer.from(into), Buffer.from(expected))).toBe(0)
      },
    ),
  )
})
