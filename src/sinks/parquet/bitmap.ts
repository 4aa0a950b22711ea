/** Reads Arrow's validity bitmaps, whose bits are in order from the least significant one. */

import type { Data } from 'apache-arrow'

/** Returns a function that tests whether a row is not null. */
export function validityOf(data: Data): (row: number) => boolean {
  if (data.nullCount === 0) return () => true
  const { nullBitmap, offset } = data
  return (row) => ((nullBitmap[(offset + row) >> 3]! >> ((offset + row) & 7)) & 1) === 1
}
