/** Batches of any size → batches that make up a row group each: the one place that decides on row groups' sizes. */

import type { RecordBatch } from 'apache-arrow'
import { recordBatch } from '../../columns/record-batch.ts'
import { arrowByteLength } from './arrow-size.ts'

export interface RowGroupLimits {
  /** Default 128 Ki. */
  rowGroupRows?: number
  /** Bytes in Arrow's buffers, dictionaries apart. Default 64 MiB: wide tables get fewer rows a group. */
  rowGroupBytes?: number
}

const ROW_GROUP_ROWS = 128 * 1024
const ROW_GROUP_BYTES = 64 * 1024 * 1024

/** Batches, and how to say that those given so far are not looked at any more, so that their memory serves the next one. */
type Batches = (AsyncIterable<RecordBatch> | Iterable<RecordBatch>) & { recycle?(): void }

/** A batch up to so many times the limit is left whole: a row group of a few rows costs thousands of columns as much. */
const TOLERANCE = 2

/**
 * Gathers whole batches until one more would pass a limit. Only a batch that passes it alone, by far where bytes are
 * meant, is cut, at the last row that fits. Depends on the batches and the limits alone.
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
      // Not with the next batch, which takes its time to come.
      if (rows === rowGroupRows) yield complete()
    }
    if (group.length === 0) batches.recycle?.()
  }
  if (group.length > 0) yield group
}

function* cutToSize(batch: RecordBatch, mostRows: number, mostBytes: number): Generator<RecordBatch> {
  const { numRows } = batch
  if (numRows > 0 && numRows <= mostRows && batchBytes(batch, 0, numRows) <= TOLERANCE * mostBytes) {
    yield batch
    return
  }
  let start = 0
  while (start < numRows) {
    const end = lastRowThatFits(batch, start, Math.min(numRows, start + mostRows), mostBytes)
    yield start === 0 && end === numRows ? batch : recordBatch(batch.schema, batch.data.slice(start, end - start))
    start = end
  }
}

/** At least one row fits: a row cannot be cut. */
function lastRowThatFits(batch: RecordBatch, start: number, last: number, mostBytes: number): number {
  if (batchBytes(batch, start, last) <= mostBytes) return last
  let fits = start + 1
  let tooMany = last
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >>> 1
    if (batchBytes(batch, start, middle) <= mostBytes) fits = middle
    else tooMany = middle
  }
  return fits
}

function batchBytes({ data }: RecordBatch, start: number, end: number): number {
  return data.children.reduce((bytes, column) => bytes + arrowByteLength(column, start, end), 0)
}
