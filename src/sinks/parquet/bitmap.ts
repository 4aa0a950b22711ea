/** Runs of bits, least significant first, as Arrow's validity bitmaps and Parquet's levels are. */

import type { Data } from 'apache-arrow'

/** Tells for each row whether it is not null. */
export function validityOf(data: Data): (row: number) => boolean {
  if (data.nullCount === 0) return () => true
  const { nullBitmap, offset } = data
  return (row) => ((nullBitmap[(offset + row) >> 3]! >> ((offset + row) & 7)) & 1) === 1
}

/** Appends `count` bits from any bit offset of `from` at bit `at`; what lies behind them in the last byte becomes 0. */
export function copyBits(from: Uint8Array, fromBit: number, into: Uint8Array, at: number, count: number): void {
  const end = at + count
  if (((at | fromBit) & 7) === 0) {
    into.set(from.subarray(fromBit >> 3, (fromBit + count + 7) >> 3), at >> 3)
  } else {
    let bit = fromBit
    for (let i = at; i < end; i++, bit++) {
      const value = (from[bit >> 3]! >> (bit & 7)) & 1
      if ((i & 7) === 0) into[i >> 3] = value
      else into[i >> 3]! |= value << (i & 7)
    }
  }
  clearBitsBehind(into, end)
}

/** Appends `count` ones at bit `at`; what lies behind them in the last byte becomes 0. */
export function setBits(into: Uint8Array, at: number, count: number): void {
  const end = at + count
  if (count === 0) return
  if ((at & 7) !== 0) into[at >> 3]! |= 255 << (at & 7)
  into.fill(255, (at + 7) >> 3, (end + 7) >> 3)
  clearBitsBehind(into, end)
}

/** Clears the rest of the byte that bit `end` is in, so that bits can be appended there. */
export function clearBitsBehind(bits: Uint8Array, end: number): void {
  if ((end & 7) !== 0) bits[end >> 3]! &= (1 << (end & 7)) - 1
}

/** Moves the valid ones of `indices[from..from + count)` together and returns where they end. */
export function keepValid(indices: Int32Array, from: number, validity: Uint8Array, bit: number, count: number): number {
  let kept = from
  for (let i = 0; i < count; i++) {
    indices[kept] = indices[from + i]!
    kept += (validity[(bit + i) >> 3]! >> ((bit + i) & 7)) & 1
  }
  return kept
}
