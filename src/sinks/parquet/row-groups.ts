/** Groups batches of any size into row groups: the only place that decides on the size of row groups. */

import type { RecordBatch } from 'apache-arrow'
import { recordBatch } from '../../columns/record-batch.ts'
import { arrowByteLength } from './arrow-size.ts'

export interface RowGroupLimits {
  /** Maximum rows of a row group. Default: 131,072. */
  rowGroupRows?: number
  /**
   * Maximum bytes in Arrow's buffers without dictionaries. Default: 64 MiB, so wide tables get fewer rows per row
   * group.
   */
  rowGroupBytes?: number
}

const ROW_GROUP_ROWS = 128 * 1024
const ROW_GROUP_BYTES = 64 * 1024 * 1024

/**
 * Batches; `recycle` releases those yielded so far, which must not be read any more, so that their buffers are reused.
 */
type Batches = (AsyncIterable<RecordBatch> | Iterable<RecordBatch>) & { recycle?(): void }

/**
 * A batch is cut only if it has more bytes than this many times the limit: small row groups are costly for wide tables.
 */
const TOLERANCE = 2

/**
 * Collects whole batches until one more would exceed a limit, and yields them as a row group. Only a batch that exceeds
 * a limit by itself (for bytes, more than twice) is cut, at the last row that fits. Depends only on the batches and
 * limits.
 */
export async function* rowGroupsOf(
  batches: Batches,
  { rowGroupRows = ROW_GROUP_ROWS, rowGroupBytes = ROW_GROUP_BYTES }: RowGroupLimits = {},
): AsyncGenerator<RecordBatch[]> {
  let group: RecordBatch[] = []
  let rows = 0
  let bytes = 0
  const complete = () => {
    const whole = group
    group = []
    rows = bytes = 0
    return whole
  }
  batches.recycle?.()
  for await (const batch of batches) {
    for (const piece of cutToSize(batch, rowGroupRows, rowGroupBytes)) {
      const pieceBytes = batchBytes(piece, 0, piece.numRows)
      const isTooMuch = rows + piece.numRows > rowGroupRows || bytes + pieceBytes > rowGroupBytes
      if (group.length > 0 && isTooMuch) yield complete()
      group.push(piece)
      rows += piece.numRows
      bytes += pieceBytes
      // Yielded now rather than with the next batch, which may take long to arrive.
      if (rows === rowGroupRows) yield complete()
    }
    if (group.length === 0) batches.recycle?.()
  }
  if (group.length > 0) yield group
}

function* cutToSize(batch: RecordBatch, maxRows: number, maxBytes: number): Generator<RecordBatch> {
  const { numRows } = batch
  if (numRows > 0 && numRows <= maxRows && batchBytes(batch, 0, numRows) <= TOLERANCE * maxBytes) {
    yield batch
    return
  }
  let start = 0
  while (start < numRows) {
    const end = lastRowThatFits(batch, start, Math.min(numRows, start + maxRows), maxBytes)
    yield start === 0 && end === numRows ? batch : recordBatch(batch.schema, batch.data.slice(start, end - start))
    start = end
  }
}

/** Returns the end (exclusive) of the rows from `start` on that fit; at least one row, since a row cannot be cut. */
function lastRowThatFits(batch: RecordBatch, start: number, last: number, maxBytes: number): number {
  if (batchBytes(batch, start, last) <= maxBytes) return last
  let fits = start + 1
  let tooMany = last
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >>> 1
    if (batchBytes(batch, start, middle) <= maxBytes) fits = middle
    else tooMany = middle
  }
  return fits
}

function batchBytes({ data }: RecordBatch, start: number, end: number): number {
  return data.children.reduce((bytes, column) => bytes + arrowByteLength(column, start, end), 0)
}
