/** Computes the bytes of rows in Arrow's buffers, without what else those buffers hold. */

import { type Data, DataType } from 'apache-arrow'

/** Returns the bytes of `rows[start..end)` of a column; dictionaries are not counted. */
export function arrowByteLength(data: Data, start: number, end: number): number {
  const rows = end - start
  const validityBytes = data.nullBitmap === undefined || data.nullBitmap.length === 0 ? 0 : (rows + 7) >> 3
  return validityBytes + contentBytes(data, start, end)
}

function contentBytes(data: Data, start: number, end: number): number {
  const { type, children, values, valueOffsets } = data
  const rows = end - start
  if (DataType.isDictionary(type)) return rows * (type.indices.bitWidth >> 3)
  if (DataType.isStruct(type)) return children.reduce((bytes, child) => bytes + arrowByteLength(child, start, end), 0)
  if (valueOffsets !== undefined) {
    if (rows === 0) return 0
    // 64-bit offsets are bigints.
    const from = Number(valueOffsets[start])
    const to = Number(valueOffsets[end])
    const content = children.length > 0 ? arrowByteLength(children[0]!, from, to) : to - from
    return rows * valueOffsets.BYTES_PER_ELEMENT + content
  }
  if (DataType.isBool(type)) return (rows + 7) >> 3
  return values === undefined ? 0 : rows * data.stride * values.BYTES_PER_ELEMENT
}
