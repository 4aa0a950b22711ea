/**
 * The labels of a dictionary column over one row group: its dictionary page, and the smallest and largest label in use.
 */

import type { Data, Utf8, Vector } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import type { Statistics } from './format.ts'

/** Bounds are left out if one of them is longer: it is not worth its space in the footer. */
const MAX_BOUND_BYTES = 256

export interface LabelList {
  count: number
  bytes: Uint8Array
  /** `count + 1` byte offsets into `bytes`. */
  offsets: Int32Array
}

/**
 * Returns the longest of a column's dictionaries, of which each batch has one.
 * @throws ExportError `ERR_PARQUET` if another dictionary is not its beginning: indices would then mean other labels.
 */
export function longestLabels(dictionaries: Iterable<Vector<Utf8>>, column: string): LabelList {
  let longest: LabelList = { count: 0, bytes: new Uint8Array(0), offsets: new Int32Array(1) }
  let previous: Vector<Utf8> | undefined
  for (const dictionary of dictionaries) {
    if (dictionary === previous) continue
    previous = dictionary
    const labels = labelsOf(dictionary, column)
    const [shorter, longer] = labels.count > longest.count ? [longest, labels] : [labels, longest]
    checkBeginning(shorter, longer, column)
    longest = longer
  }
  return longest
}

function labelsOf(dictionary: Vector<Utf8>, column: string): LabelList {
  if (dictionary.nullCount > 0) {
    throw new ExportError('ERR_PARQUET', `expected labels, found a null in the dictionary of column ${quoted(column)}`)
  }
  const chunks: readonly Data<Utf8>[] = dictionary.data
  const only = chunks[0]
  if (chunks.length === 1 && only !== undefined && only.length > 0 && only.valueOffsets[0] === 0) {
    return { count: only.length, bytes: only.values, offsets: only.valueOffsets }
  }
  return joinLabels(chunks)
}

/** Copies the chunks into one; a dictionary that has grown by deltas has several. */
function joinLabels(chunks: readonly Data<Utf8>[]): LabelList {
  const count = chunks.reduce((labels, chunk) => labels + chunk.length, 0)
  const offsets = new Int32Array(count + 1)
  const parts: Uint8Array[] = []
  let label = 0
  let byteOffset = 0
  for (const { length, valueOffsets, values } of chunks) {
    if (length === 0) continue
    const first = valueOffsets[0]!
    for (let i = 1; i <= length; i++) offsets[label + i] = byteOffset + valueOffsets[i]! - first
    parts.push(values.subarray(first, valueOffsets[length]))
    label += length
    byteOffset = offsets[label]!
  }
  return { count, bytes: Buffer.concat(parts), offsets }
}

function checkBeginning(shorter: LabelList, longer: LabelList, column: string): void {
  const bytes = Buffer.from(shorter.bytes.buffer, shorter.bytes.byteOffset, shorter.offsets[shorter.count])
  if (bytes.compare(longer.bytes, 0, bytes.length) === 0) {
    let i = 0
    while (i <= shorter.count && shorter.offsets[i] === longer.offsets[i]) i++
    if (i > shorter.count) return
  }
  throw new ExportError(
    'ERR_PARQUET',
    `expected labels to be added at the end of a dictionary only, found others in column ${quoted(column)}`,
  )
}

/** Returns the body of the dictionary page: for each label its length in four bytes, then its UTF-8. */
export function dictionaryPageBody(labels: LabelList): Uint8Array {
  const { count, bytes, offsets } = labels
  const body = new Uint8Array(4 * count + offsets[count]!)
  let pos = 0
  for (let i = 0; i < count; i++) {
    const start = offsets[i]!
    const length = offsets[i + 1]! - start
    body[pos] = length
    body[pos + 1] = length >>> 8
    body[pos + 2] = length >>> 16
    body[pos + 3] = length >>> 24
    pos += 4
    if (length > 32) body.set(bytes.subarray(start, start + length), pos)
    else for (let k = 0; k < length; k++) body[pos + k] = bytes[start + k]!
    pos += length
  }
  return body
}

/** Returns the number of labels in use (`inUse[i]` = 1), and the smallest and largest of them by their UTF-8 bytes. */
export function labelStatistics(labels: LabelList, inUse: Uint8Array): Statistics {
  let distinctCount = 0
  let min: Uint8Array | undefined
  let max: Uint8Array | undefined
  for (let i = 0; i < labels.count; i++) {
    if (inUse[i] === 0) continue
    distinctCount++
    const label = labels.bytes.subarray(labels.offsets[i], labels.offsets[i + 1])
    if (min === undefined || Buffer.compare(label, min) < 0) min = label
    if (max === undefined || Buffer.compare(label, max) > 0) max = label
  }
  if (min === undefined || max === undefined) return { distinctCount }
  if (Math.max(min.length, max.length) > MAX_BOUND_BYTES) return { distinctCount }
  // Copies, since a view would keep the whole dictionary alive and take it along to another thread.
  return { distinctCount, min: min.slice(), max: max.slice(), isMinExact: true, isMaxExact: true }
}

/** Returns the labels as strings. */
export function labelTexts({ count, bytes, offsets }: LabelList): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: count }, (_, i) => buffer.toString('utf8', offsets[i], offsets[i + 1]))
}
