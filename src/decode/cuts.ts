/**
 * Where a plain file is cut into pieces that are decoded side by side.
 *
 * A record begins with the bytes `{"ownerId":` (with this document's white space), and these cannot stand inside a
 * JSON string, whose quotes would be escaped. So the next record behind any offset is found by searching for them.
 * The cuts depend on the file alone, not on how many threads there are.
 */

import { isWhitespace, OPEN_ARRAY, OPEN_OBJECT } from '../json/bytes.ts'
import type { Cuts } from './document.ts'

/** Bytes from the records' `[` on that the size of all records is estimated from; the second where records are long. */
export const SAMPLE_BYTES = 2 ** 18
export const LONG_SAMPLE_BYTES = 2 ** 24

/** Files with fewer records than this (estimated) are not cut: a second thread would not be worth it. */
const FEWEST_RECORDS_TO_CUT = 32_768

/** A piece of more JSON than this is cut again, for the memory's sake: each thread holds one as Arrow. */
const MOST_PIECE_BYTES = 192 * 2 ** 20

export interface Pieces extends Cuts {
  readonly count: number
  /** What every record begins with, up to the colon behind `"ownerId"`. */
  readonly recordStart: Uint8Array
}

/**
 * Plans pieces of about `rows` records each, fewer where those would be much JSON; an even number of them, so that two
 * threads finish together.
 *
 * @param sample The document from the records' `[` on.
 * @param recordsOffset Document offset of that `[`.
 * @returns undefined when the records do not begin with `"ownerId"`, or are too few to be worth it.
 */
export function planPieces(
  sample: Uint8Array,
  recordsOffset: number,
  documentBytes: number,
  rows: number,
  fewestRecords: number = FEWEST_RECORDS_TO_CUT,
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
  if (estimate < Math.min(fewestRecords, 2 * rows)) return undefined
  const pairs = Math.max(1, Math.round(estimate / rows / 2), Math.ceil((documentBytes - first) / MOST_PIECE_BYTES / 2))
  const count = 2 * pairs
  return { first, stride: Math.ceil((documentBytes - first) / count), count, recordStart }
}

/** Whether the sample does not show how long a record is. */
export function isTooShort(sample: Uint8Array): boolean {
  const recordStart = recordStartOf(sample)
  if (recordStart === undefined) return false
  const bytes = Buffer.from(sample.buffer, sample.byteOffset, sample.byteLength)
  return bytes.indexOf(recordStart, bytes.indexOf(recordStart) + 1) < 0
}

const OWNER_ID_KEY = Buffer.from('"ownerId"')
const COLON = Buffer.from(':')

/** The bytes from a record's `{` to the colon behind `"ownerId"`, when the first record begins so. */
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
