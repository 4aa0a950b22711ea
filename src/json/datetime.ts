/**
 * Parses ISO 8601 date-times to instants in UTC.
 *
 * Accepted: a date alone; or a date, `T` (or `t`, or one space), `hh:mm`, optionally `:ss` and a fraction of any
 * length, and optionally a zone: `Z` (or `z`), `±hh:mm`, `±hhmm` or `±hh`. Without a zone, times are in UTC whatever
 * the machine's time zone is, because the export gives its times in UTC. Digits beyond microseconds are cut off. Days
 * and times that do not exist (30 February, 24:00, a leap second) are refused, never rolled over, and so are instants
 * outside the years 1 to 9999 in UTC: pandas and polars fail on a column that holds one.
 */

import { COLON, isDigit, MINUS, PLUS, POINT, QUOTE, SPACE, ZERO } from './bytes.ts'
import type { Cursor } from './cursor.ts'

/** An instant: whole seconds since 1970-01-01T00:00:00Z, and the microseconds after that second (0 to 999,999). */
export interface Instant {
  seconds: number
  microseconds: number
}

const UPPER_T = 0x54
const LOWER_T = 0x74
const UPPER_Z = 0x5a
const LOWER_Z = 0x7a

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
const FIRST_SECOND = -62_135_596_800
const LAST_SECOND = 253_402_300_799

const encoder = new TextEncoder()

/**
 * Reads the text at the cursor, which stands at its opening quote, into `instant`, and moves past it.
 * @returns false if the text is not a date-time.
 */
export function readDatetime(cursor: Cursor, instant: Instant): boolean {
  const start = cursor.pos
  const end = parseDatetime(cursor.bytes, start + 1, instant)
  if (end > 0 && cursor.bytes[end] === QUOTE) {
    cursor.pos = end + 1
    return true
  }
  const text = cursor.readString()
  // Same length: the text has no escapes, so the bytes above were the text itself.
  if (cursor.pos - start === text.length + 2) return false
  const bytes = encoder.encode(`${text}"`)
  return parseDatetime(bytes, 0, instant) === bytes.length - 1
}

/** Parses from `p` on; returns the position after the date-time, or -1 if there is none. */
function parseDatetime(bytes: Uint8Array, p: number, instant: Instant): number {
  const year = digits(bytes, p, 4)
  const month = digits(bytes, p + 5, 2)
  const day = digits(bytes, p + 8, 2)
  if (year < 1 || month < 1 || month > 12 || day < 1) return -1
  if (bytes[p + 4] !== MINUS || bytes[p + 7] !== MINUS || day > daysInMonth(year, month)) return -1
  instant.seconds = daysSinceEpoch(year, month, day) * 86_400
  instant.microseconds = 0
  const separator = bytes[p + 10]
  if (separator !== UPPER_T && separator !== LOWER_T && separator !== SPACE) return p + 10
  return parseTime(bytes, p + 11, instant)
}

function parseTime(bytes: Uint8Array, from: number, instant: Instant): number {
  const hour = digits(bytes, from, 2)
  const minute = digits(bytes, from + 3, 2)
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || bytes[from + 2] !== COLON) return -1
  instant.seconds += hour * 3600 + minute * 60
  let p = from + 5
  if (bytes[p] === COLON) {
    const second = digits(bytes, p + 1, 2)
    if (second < 0 || second > 59) return -1
    instant.seconds += second
    p += 3
    if (bytes[p] === POINT) p = parseFraction(bytes, p + 1, instant)
    if (p < 0) return -1
  }
  return parseZone(bytes, p, instant)
}

function parseFraction(bytes: Uint8Array, from: number, instant: Instant): number {
  let p = from
  let unit = 100_000
  while (isDigit(bytes[p]!)) {
    if (unit >= 1) instant.microseconds += (bytes[p]! - ZERO) * unit
    unit /= 10
    p++
  }
  return p === from ? -1 : p
}

function parseZone(bytes: Uint8Array, p: number, instant: Instant): number {
  const sign = bytes[p]
  if (sign === UPPER_Z || sign === LOWER_Z) return p + 1
  if (sign !== PLUS && sign !== MINUS) return p
  const hours = digits(bytes, p + 1, 2)
  if (hours < 0 || hours > 23) return -1
  let end = p + 3
  let minutes = 0
  if (bytes[end] === COLON || isDigit(bytes[end]!)) {
    if (bytes[end] === COLON) end++
    minutes = digits(bytes, end, 2)
    if (minutes < 0 || minutes > 59) return -1
    end += 2
  }
  const offset = hours * 3600 + minutes * 60
  instant.seconds += sign === PLUS ? -offset : offset
  return instant.seconds < FIRST_SECOND || instant.seconds > LAST_SECOND ? -1 : end
}

/** Returns the number that the `count` digits at `p` form, or -1 if one of them is not a digit. */
function digits(bytes: Uint8Array, p: number, count: number): number {
  let value = 0
  for (let i = p; i < p + count; i++) {
    if (!isDigit(bytes[i]!)) return -1
    value = value * 10 + bytes[i]! - ZERO
  }
  return value
}

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function daysInMonth(year: number, month: number): number {
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && isLeapYear ? 29 : DAYS_IN_MONTH[month - 1]!
}

/**
 * Returns the days since 1970-01-01 in the proleptic Gregorian calendar. Counts years from March, so that leap days
 * come last.
 */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1
  const marchMonth = month > 2 ? month - 3 : month + 9
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + dayOfYear - 719_468
}
