/**
 * Chooses how to encode a column of texts or numbers; a sample shows whether a dictionary of its values is worthwhile.
 */

import { type Data, DataType } from 'apache-arrow'
import type { Encodings } from './format.ts'
import { DICTIONARY_BYTES, DICTIONARY_SLOT_BITS, type PageKernel } from './kernel/page-kernel.ts'
import type { ValuePage } from './value-page.ts'

/**
 * `delta`: integers as differences, in blocks that each have their own bit width; `deltaLength`: the lengths of all
 * texts, then the texts. Both are smaller than `plain` and not slower, but older releases of Spark, Iceberg, Velox and
 * StarRocks do not read them.
 */
export type ColumnCoding = 'dictionary' | 'plain' | 'delta' | 'deltaLength'

/** The sample consists of stretches of rows, spread evenly over the column. */
const STRETCHES = 32
const STRETCH_ROWS = 32

/** A dictionary is used if each of its entries occurs at least this many times on average. */
export const MIN_REPEATS = 2

/**
 * Returns the coding of a column, chosen by a sample of its values.
 * @param parts The column's data in each batch.
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
  const isRepeated = estimated * MIN_REPEATS <= (sampled * rowCount) / sampledRows
  const hasRoom = (estimated / distinct) * kernel.call.dictionaryBytes() <= DICTIONARY_BYTES
  return isRepeated && hasRoom ? 'dictionary' : codingWithoutDictionary(type, encodings)
}

export function codingWithoutDictionary(type: DataType, encodings: Encodings): ColumnCoding {
  if (encodings === 'plain' || DataType.isFloat(type)) return 'plain'
  return DataType.isUtf8(type) ? 'deltaLength' : 'delta'
}

/**
 * Empties the kernel's dictionary.
 * @param maxValues Maximum number of values that will be looked up; for few values, less memory is cleared.
 */
export function beginDictionary({ at, call }: PageKernel, maxValues: number): void {
  const bits = Math.ceil(Math.log2(2 * Math.max(1, maxValues)))
  call.beginDictionary(at.slots, Math.min(bits, DICTIONARY_SLOT_BITS), at.starts, at.dictionary, DICTIONARY_BYTES)
}

/** Appends the sample to the page and returns its number of rows; if there are few rows, it contains all of them. */
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

/**
 * Chao's estimate: the more values occur only once, compared with those that occur twice, the more are not in the
 * sample.
 */
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
