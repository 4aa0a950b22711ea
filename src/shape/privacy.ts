/** Keyed hashes in place of answers and owner ids: HMAC-SHA-256 of the text, as 64 hexadecimal digits. */

import { createHmac } from 'node:crypto'
import { type Data, makeData } from 'apache-arrow'
import { optionIdsOf } from '../columns/option-ids.ts'
import { type ColumnPlan, UTF8 } from '../plan/schema.ts'
import { validityOf } from './recipe.ts'
import { dictionaryOf } from './values.ts'

const HASH_CHARACTERS = 64

/** Returns the hash of a text, or of its UTF-8 bytes. */
export function keyedHash(text: string | Uint8Array, key: string): string {
  return createHmac('sha256', key).update(text).digest('hex')
}

/**
 * Replaces every value of a column with its hash; nulls stay null. Hashes do not depend on labels or the order of
 * options. Hashed are: texts as they are; the id of a chosen option; the ids of a set in alphabetical order, joined
 * with commas; numbers as JavaScript and JSON write them; times as `2026-01-31T09:30:00.000000Z`.
 */
export function hashedData(data: Data, type: ColumnPlan['type'], key: string): Data {
  const { length } = data
  const hashOf = rowHash(data, type, key)
  const validity = validityOf(data)
  const valueOffsets = new Int32Array(length + 1)
  const bytes = Buffer.alloc((length - data.nullCount) * HASH_CHARACTERS)
  let end = 0
  for (let row = 0; row < length; row++) {
    if (validity === undefined || (validity[row >> 3]! & (1 << (row & 7))) !== 0) {
      end += bytes.write(hashOf(row), end, 'latin1')
    }
    valueOffsets[row + 1] = end
  }
  return makeData({
    type: UTF8,
    length,
    nullCount: data.nullCount,
    valueOffsets,
    data: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
    ...(validity === undefined ? {} : { nullBitmap: validity }),
  })
}

function rowHash(data: Data, type: ColumnPlan['type'], key: string): (row: number) => string {
  const { values, valueOffsets } = data
  switch (type) {
    case 'utf8':
    case 'json':
      return (row) => keyedHash(values.subarray(valueOffsets[row], valueOffsets[row + 1]), key)
    case 'dictionary': {
      const ids = optionIdsOf(dictionaryOf(data))
      const hashes: string[] = []
      return (row) => {
        const index: number = values[row]
        hashes[index] ??= keyedHash(ids[index]!, key)
        return hashes[index]
      }
    }
    case 'list': {
      const ids = optionIdsOf(dictionaryOf(data))
      const indices: ArrayLike<number> = data.children[0]!.values
      return (row) => {
        const chosen: string[] = []
        for (let i = valueOffsets[row]; i < valueOffsets[row + 1]; i++) chosen.push(ids[indices[i]!]!)
        return keyedHash(chosen.sort().join(), key)
      }
    }
    case 'double':
      return (row) => keyedHash(String(values[row]), key)
    case 'timestamp':
      return (row) => keyedHash(microsecondText(values[row]), key)
  }
}

const MICROSECONDS_IN_MILLISECOND = 1000n

/** Returns a time as ISO 8601 text with microseconds. The year has four digits, as times are within 1 to 9999. */
function microsecondText(microseconds: bigint): string {
  const rest =
    ((microseconds % MICROSECONDS_IN_MILLISECOND) + MICROSECONDS_IN_MILLISECOND) % MICROSECONDS_IN_MILLISECOND
  const milliseconds = Number((microseconds - rest) / MICROSECONDS_IN_MILLISECOND)
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`
}
