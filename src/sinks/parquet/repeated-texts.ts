/** Text columns in which rows repeat the row before, as owner ids do in a table of one row an answer. */

import type { Data } from 'apache-arrow'

const SAMPLE_ROWS = 256

/** Longest text that counts as repeated. */
const MOST_BYTES = 256

/** Part of the sampled rows that must be like the row before. */
const LEAST_REPEATED = 3 / 4

/** A dictionary pays for such a column, however many texts it has. */
export function isRepeated(data: Data): boolean {
  const { length, valueOffsets } = data
  const isAlike = rowComparison(data)
  const step = Math.max(1, Math.floor(length / SAMPLE_ROWS))
  let sampled = 0
  let repeated = 0
  for (let row = 1; row < length; row += step) {
    sampled++
    const bytes = valueOffsets[row + 1] - valueOffsets[row]
    // An empty text, as behind a null, costs nothing anyway; a long one is no id.
    if (bytes > 0 && bytes <= MOST_BYTES && isAlike(row)) repeated++
  }
  return sampled > 0 && repeated >= sampled * LEAST_REPEATED
}

/** Tells whether a row has the same text as the row before. */
function rowComparison(data: Data): (row: number) => boolean {
  const valueOffsets: Int32Array = data.valueOffsets
  const bytes: Uint8Array = data.values
  const words =
    (bytes.byteOffset & 3) === 0 ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) : undefined
  return (row) => {
    const previous = valueOffsets[row - 1]!
    const start = valueOffsets[row]!
    const end = valueOffsets[row + 1]!
    if (start - previous !== end - start) return false
    if (words !== undefined && ((previous | start | end) & 3) === 0) {
      return isEqual(words, previous >> 2, start >> 2, (end - start) >> 2)
    }
    return isEqual(bytes, previous, start, end - start)
  }
}

function isEqual(values: Uint8Array | Int32Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (values[a + i] !== values[b + i]) return false
  return true
}
