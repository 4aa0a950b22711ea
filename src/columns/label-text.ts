/** Reads texts of dictionaries. arrow-js' own getter removes a byte order mark from the start of each. */

import type { Vector } from 'apache-arrow'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Returns the label at an index of a utf8 dictionary.
 * @throws RangeError if the dictionary has no such index.
 */
export function labelText(labels: Vector, index: number): string {
  let row = index
  for (const { values, valueOffsets, length } of labels.data) {
    if (row < length) return decoder.decode(values.subarray(valueOffsets[row], valueOffsets[row + 1]))
    row -= length
  }
  throw new RangeError(`expected an index below ${labels.length}, found ${index}`)
}
