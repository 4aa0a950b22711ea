/** How to encode a column of texts or numbers: a sample of it tells whether a dictionary of its values pays. */

import { type Data, DataType } from 'apache-arrow'
import type { Encodings } from './format.ts'
import { DICTIONARY_BYTES, DICTIONARY_SLOT_BITS, type PageKernel } from './kernel/page-kernel.ts'
import type { ValuePage } from './value-page.ts'

/**
 * `delta`: whole numbers as differences in blocks of their own bit width; `deltaLength`: texts behind all their lengths.
 * Both are smaller than `plain`, and not slower, but older releases of Spark, Iceberg, Velox and StarRocks
 * do not read them.
 */
export type ColumnCoding = 'dictionary' | 'plain' | 'delta' | 'deltaLength'

/** Rows are looked at in stretches that lie evenly over the column. */
const STRETCHES = 32
const STRETCH_ROWS = 32

/** A dictionary must have so many values for each of its own. */
export const LEAST_REPEATS = 2

/**
 * The coding of a column, of which `parts` are the batches; it depends on a sample of the values.
 * @param page Takes the sample: it must be empty and have the coding `dictionary`, and cannot be used afterwards.
 */
export function codingOf(
  parts: readonly Data[],
  page: ValuePage,
  kernel: PageKernel,
  encodings: Encodings,
): ColumnCoding {
  const { type } = parts[0]!
  // Without values there is nothing to encode.
  if (parts.every((part) => part.nullCount === part.length)) return 'plain'
  const rowCount = parts.reduce((rows, part) => rows + part.length, 0)
  const sampledRows = appendSample(parts, rowCount, page)
  const sampled = page.levels.validCount
  beginDictionary(kernel, sampled)
  if (sampled === 0 || !page.index()) return codingWithoutDictionary(type, encodings)
  const distinct = kernel.call.dictionaryEntries()
  const indices = kernel.int32(kernel.at.indices, sampled)
  const estimated = sampledRows === rowCount ? distinct : estimatedDistinct(indices, distinct)
  const isRepeated = estimated * LEAST_REPEATS <= (sampled * rowCount) / sampledRows
  const hasRoom = (estimated / distinct) * kernel.call.dictionaryBytes() <= DICTIONARY_BYTES
  return isRepeated && hasRoom ? 'dictionary' : codingWithoutDictionary(type, encodings)
}

export function codingWithoutDictionary(type: DataType, encodings: Encodings): ColumnCoding {
  if (encodings === 'plain' || DataType.isFloat(type)) return 'plain'
  return DataType.isUtf8(type) ? 'deltaLength' : 'delta'
}

/** @param mostValues Values that will be looked up at most: for few, less memory is to be cleared. */
export function beginDictionary({ at, call }: PageKernel, mostValues: number): void {
  const bits = Math.ceil(Math.log2(2 * Math.max(1, mostValues)))
  call.beginDictionary(at.slots, Math.min(bits, DICTIONARY_SLOT_BITS), at.starts, at.dictionary, DICTIONARY_BYTES)
}

/** Returns the number of rows in the sample; all of them where there are few. */
function appendSample(parts: readonly Data[], rowCount: number, page: ValuePage): number {
  const step = Math.max(STRETCH_ROWS, Math.floor(rowCount / STRETCHES))
  let before = 0
  let next = 0
  let sampled = 0
  for (const part of parts) {
    while (next < before + part.length) {
      const start = next - before
      const end = Math.min(start + STRETCH_ROWS, page.lastThatFits(part, start))
      if (end > start) page.append(part, start, end)
      sampled += end - start
      next += step
    }
    before += part.length
  }
  return sampled
}

/** Chao's estimate: the more values were seen only once, compared with those seen twice, the more were not seen at all. */
function estimatedDistinct(indices: Int32Array, distinct: number): number {
  const occurrences = new Uint16Array(distinct)
  for (let i = 0; i < indices.length; i++) occurrences[indices[i]!]!++
  let once = 0
  let twice = 0
  for (let i = 0; i < distinct; i++) {
    if (occurrences[i] === 1) once++
    if (occurrences[i] === 2) twice++
  }
  return distinct + (once * (once - 1)) / (2 * (twice + 1))
}
