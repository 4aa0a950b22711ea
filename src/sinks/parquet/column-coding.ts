/**
 * How to encode the columns that have no dictionary yet. parquet-rs begins one for every column and gives up when it has
 * grown to a megabyte, by when ids and times have cost five times the work and come out larger.
 */

import { type Data, DataType } from 'apache-arrow'
import { isRepeated } from './repeated-texts.ts'

/**
 * `delta`: whole numbers as differences in blocks of their own bit width; `deltaLength`: texts behind all their lengths.
 * Both are smaller than `plain`, and not slower.
 */
export type ColumnCoding = 'dictionary' | 'plain' | 'delta' | 'deltaLength'

const SAMPLE_ROWS = 1024

/** Longer values are told apart by their beginning and length. */
const MOST_HASHED_BYTES = 64

/** The coding of a column, of which `parts` are the batches; it depends on a sample of the values. */
export function codingOf(parts: readonly Data[]): ColumnCoding {
  const type = parts[0]?.type
  if (type === undefined || !isSampled(type)) return 'dictionary'
  if (parts.every((part) => part.nullCount === part.length)) return 'plain'
  if (DataType.isUtf8(type) && parts.every(isRepeated)) return 'dictionary'
  const { occurrences, sampledCount, step } = sampleOf(parts)
  if (sampledCount === 0) return codingWithoutDictionary(type)
  const valueCount = sampledCount * step
  return estimatedDistinct(occurrences, step === 1) * 2 <= valueCount ? 'dictionary' : codingWithoutDictionary(type)
}

export function codingWithoutDictionary(type: DataType): ColumnCoding {
  if (DataType.isUtf8(type) || DataType.isBinary(type)) return 'deltaLength'
  return DataType.isFloat(type) ? 'plain' : 'delta'
}

interface Sample {
  /** How often each value was seen, by its hash. */
  occurrences: ReadonlyMap<number, number>
  sampledCount: number
  /** Every so manieth row was looked at. */
  step: number
}

function sampleOf(parts: readonly Data[]): Sample {
  const rowCount = parts.reduce((rows, part) => rows + part.length, 0)
  const occurrences = new Map<number, number>()
  let sampledCount = 0
  // An odd step, lest it keeps time with a pattern in the data.
  const step = Math.max(1, Math.floor(rowCount / SAMPLE_ROWS)) | 1
  for (const part of parts) {
    for (let row = 0; row < part.length; row += step) {
      if (!part.getValid(row)) continue
      const hash = valueHash(part, row)
      occurrences.set(hash, (occurrences.get(hash) ?? 0) + 1)
      sampledCount++
    }
  }
  return { occurrences, sampledCount, step }
}

function isSampled(type: DataType): boolean {
  return (
    DataType.isUtf8(type) ||
    DataType.isBinary(type) ||
    DataType.isFloat(type) ||
    DataType.isTimestamp(type) ||
    DataType.isInt(type)
  )
}

/** Chao's estimate: the more values were seen only once, compared with those seen twice, the more were not seen at all. */
function estimatedDistinct(occurrences: ReadonlyMap<number, number>, isWhole: boolean): number {
  if (isWhole) return occurrences.size
  let once = 0
  let twice = 0
  for (const count of occurrences.values()) {
    if (count === 1) once++
    if (count === 2) twice++
  }
  return occurrences.size + (once * (once - 1)) / (2 * (twice + 1))
}

function valueHash({ values, valueOffsets, stride }: Data, row: number): number {
  if (valueOffsets !== undefined) return bytesHash(values, valueOffsets[row], valueOffsets[row + 1])
  const width = stride * values.BYTES_PER_ELEMENT
  const bytes = new Uint8Array(values.buffer, values.byteOffset + row * width, width)
  return bytesHash(bytes, 0, width)
}

/** FNV-1a. */
function bytesHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 ^ (end - start)
  const last = Math.min(end, start + MOST_HASHED_BYTES)
  for (let i = start; i < last; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash
}
