/**
 * Plans where a plain file is cut into pieces that are decoded in parallel.
 *
 * A record begins with the bytes `{"ownerId":` (with this document's white space), which cannot occur inside a JSON
 * string, where quotes are escaped. So the next record after any offset is found by searching for them. The cuts depend
 * only on the file, not on the number of threads.
 */

import { isWhitespace, OPEN_ARRAY, OPEN_OBJECT } from '../json/bytes.ts'
import type { Cuts } from './document.ts'

/** Bytes from the records' `[` on, from which the number of records is estimated; the second is for long records. */
export const SAMPLE_BYTES = 2 ** 18
export const LONG_SAMPLE_BYTES = 2 ** 24

/** Files with fewer records than this (estimated) are not cut, since a second thread would not be worthwhile. */
const MIN_RECORDS_TO_CUT = 32_768

/** Maximum JSON of a piece. Limits memory, since each thread holds a piece as Arrow data. */
const MAX_PIECE_BYTES = 192 * 2 ** 20

export interface Pieces extends Cuts {
  readonly count: number
  /** The bytes that every record begins with, up to the colon after `"ownerId"`. */
  readonly recordStart: Uint8Array
}

/**
 * Plans pieces of about `rows` records each, or fewer if those exceed the maximum JSON of a piece. The number of pieces
 * is even, so that two threads finish together.
 *
 * @param sample The document from the records' `[` on.
 * @param recordsOffset Document offset of that `[`.
 * @param minRecords Minimum number of records (estimated) for the file to be cut.
 * @returns undefined if the records do not begin with `"ownerId"`, or are too few to be cut.
 */
export function planPieces(
  sample: Uint8Array,
  recordsOffset: number,
  documentBytes: number,
  rows: number,
  minRecords: number = MIN_RECORDS_TO_CUT,
): Pieces | undefined {
  const recordStart = recordStartOf(sample)
  if (recordStart === undefined) return undefined
  const bytes = Buffer.from(sample.buffer, sample.byteOffset, sample.byteLength)
  const firstInSample = bytes.indexOf(recordStart)
  let records = 0
  let last = firstInSample
  for (let at = firstInSample; at >= 0; at = bytes.indexOf(recordStart, at + 1)) {
    records++
    last = at
  }
  if (records < 2) return undefined
  const recordBytes = (last - firstInSample) / (records - 1)
  const first = recordsOffset + firstInSample
  const estimate = (documentBytes - first) / recordBytes
  if (estimate < Math.min(minRecords, 2 * rows)) return undefined
  const pairs = Math.max(1, Math.round(estimate / rows / 2), Math.ceil((documentBytes - first) / MAX_PIECE_BYTES / 2))
  const count = 2 * pairs
  return { first, stride: Math.ceil((documentBytes - first) / count), count, recordStart }
}

/** Whether the sample is too short to show the length of a record. */
export function isTooShort(sample: Uint8Array): boolean {
  const recordStart = recordStartOf(sample)
  if (recordStart === undefined) return false
  const bytes = Buffer.from(sample.buffer, sample.byteOffset, sample.byteLength)
  return bytes.indexOf(recordStart, bytes.indexOf(recordStart) + 1) < 0
}

const OWNER_ID_KEY = Buffer.from('"ownerId"')
const COLON = Buffer.from(':')

/**
 * Returns the bytes from a record's `{` to the colon after `"ownerId"`; undefined if the first one begins otherwise.
 */
function recordStartOf(sample: Uint8Array): Uint8Array | undefined {
  const start = skipWhitespace(sample, sample[0] === OPEN_ARRAY ? 1 : 0)
  if (sample[start] !== OPEN_OBJECT) return undefined
  const key = skipWhitespace(sample, start + 1)
  if (OWNER_ID_KEY.compare(sample, key, key + OWNER_ID_KEY.length) !== 0) return undefined
  const colon = skipWhitespace(sample, key + OWNER_ID_KEY.length)
  return sample[colon] === COLON[0] ? sample.slice(start, colon + 1) : undefined
}

function skipWhitespace(bytes: Uint8Array, from: number): number {
  let p = from
  while (isWhitespace(bytes[p]!)) p++
  return p
}
