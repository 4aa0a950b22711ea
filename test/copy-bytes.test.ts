import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyBytes } from '../src/input/copy-bytes.ts'

const memoryOf = (isShared: boolean, byteLength: number) =>
  isShared ? new SharedArrayBuffer(byteLength) : new ArrayBuffer(byteLength)

test('bytes arrive where they should, and no others change, whatever the memory and the places', () => {
  const place = fc.nat({ max: 70 })
  fc.assert(
    fc.property(fc.boolean(), fc.boolean(), place, place, place, place, (isFrom, isInto, skip, at, count, rest) => {
      const from = new Uint8Array(memoryOf(isFrom, skip + count), skip, count)
      for (let i = 0; i < count; i++) from[i] = 100 + i
      const into = new Uint8Array(memoryOf(isInto, 3 + at + count + rest), 3).fill(7)
      const expected = Array.from(into)
      for (let i = 0; i < count; i++) expected[at + i] = 100 + i
      copyBytes(from, into, at)
      expect(Array.from(into)).toEqual(expected)
    }),
  )
})
