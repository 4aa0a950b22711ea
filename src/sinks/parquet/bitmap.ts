/** Runs of bits, least significant first, as Arrow's validity bitmaps and Parquet's levels are. */

import type { Data } from 'apache-arrow'

/** Tells for each row whether it is not null. */
export function validityOf(data: Data): (row: number) => boolean {
  if (data.nullCount === 0) return () => true
  const { nullBitmap, offset } = data
  return (row) => ((nullBitmap[(offset + row) >> 3]! >> ((offset + row) & 7)) & 1) === 1
}
