/** Texts of dictionaries. arrow-js' own getter takes a byte order mark away from the front of each. */

import type { Vector } from 'apache-arrow'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** A label of a dictionary of utf8, which must have one at this index. */
export function labelText(labels: Vector, index: number): string {
  let row = index
  for (const { values, valueOffsets, length } of labels.data) {
    if (row < length) return decoder.decode(values.subarray(valueOffsets[row], valueOffsets[row + 1]))
    row -= length
  }
  throw new RangeError(`expected an index below ${labels.length}, found ${index}`)
}
