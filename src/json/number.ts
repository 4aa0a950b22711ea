/** Parses JSON numbers (RFC 8259 section 6) to float64, correctly rounded. */

import { isDigit, LOWER_E, MINUS, POINT, QUOTE, UPPER_E, ZERO } from './bytes.ts'
import type { Cursor } from './cursor.ts'

/** Powers of ten that a float64 holds exactly. */
const EXACT_POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

/** Integers of up to this many digits are exact in a float64. */
const MAX_EXACT_DIGITS = 15

const JSON_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/

/** Reads the number at the cursor; returns ±Infinity if it is too large for a float64. */
export function readNumber(cursor: Cursor): number {
  const start = cursor.pos
  const short = readShortDecimal(cursor)
  if (!Number.isNaN(short)) return short
  cursor.pos = start
  cursor.skipNumber()
  return Number(cursor.text(start, cursor.pos))
}

/** Moves past the text at the cursor; returns its value if it is exactly one JSON number, otherwise NaN. */
export function readNumericText(cursor: Cursor): number {
  const start = cursor.pos
  cursor.pos = start + 1
  const short = readShortDecimal(cursor)
  if (!Number.isNaN(short) && cursor.bytes[cursor.pos] === QUOTE) {
    cursor.pos++
    return short
  }
  cursor.pos = start
  const text = cursor.readString()
  return JSON_NUMBER.test(text) ? Number(text) : Number.NaN
}

/**
 * Whether the number or numeric text from `start` up to the cursor is written without fraction and exponent, and
 * `value`, read from it, is a different number.
 */
export function isIntegerRounded(value: number, cursor: Cursor, start: number): boolean {
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return false
  const source = cursor.text(start, cursor.pos)
  const text = cursor.bytes[start] === QUOTE ? (JSON.parse(source) as string) : source
  return /^-?[0-9]+$/.test(text) && BigInt(text) !== BigInt(value)
}

/**
 * Reads numbers of at most 15 digits without an exponent, whose mantissa and power of ten are both exact, so that one
 * division rounds correctly. Returns NaN for any other number, without moving the cursor.
 */
function readShortDecimal(cursor: Cursor): number {
  const { bytes } = cursor
  let p = cursor.pos
  const isNegative = bytes[p] === MINUS
  if (isNegative) p++
  const first = p
  let mantissa = 0
  while (isDigit(bytes[p]!)) mantissa = mantissa * 10 + bytes[p++]! - ZERO
  let digits = p - first
  if (digits === 0 || (bytes[first] === ZERO && digits > 1)) return Number.NaN
  let fractionDigits = 0
  if (bytes[p] === POINT) {
    const firstOfFraction = ++p
    while (isDigit(bytes[p]!)) mantissa = mantissa * 10 + bytes[p++]! - ZERO
    fractionDigits = p - firstOfFraction
    digits += fractionDigits
    if (fractionDigits === 0) return Number.NaN
  }
  if (digits > MAX_EXACT_DIGITS || bytes[p] === LOWER_E || bytes[p] === UPPER_E || p >= cursor.end) return Number.NaN
  cursor.pos = p
  const magnitude = fractionDigits === 0 ? mantissa : mantissa / EXACT_POWERS_OF_TEN[fractionDigits]!
  return isNegative ? -magnitude : magnitude
}
