/** Computes the expected value of a hashed cell. */

import { createHmac } from 'node:crypto'
import type { Cell } from './answer-values.ts'

/**
 * Returns the HMAC-SHA-256 in hexadecimal digits: of texts unchanged, numbers as in JSON, times in UTC with
 * microseconds, and chosen options by their ids, sorted and separated by commas.
 */
export function expectedHash(cell: Cell, optionIds: readonly string[] | undefined, key: string): Cell {
  if (cell === null) return null
  const text = optionIds === undefined ? hashedText(cell) : optionIds.toSorted().join(',')
  return createHmac('sha256', key).update(text, 'utf8').digest('hex')
}

function hashedText(cell: Exclude<Cell, null>): string {
  return typeof cell === 'bigint' ? instantText(cell) : String(cell)
}

/** Returns an ISO 8601 text. Euclidean division: microseconds are positive before 1970 too. */
function instantText(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = new Date(Number((micros - fraction) / 1000n)).toISOString().slice(0, -5)
  return `${seconds}.${String(fraction).padStart(6, '0')}Z`
}
