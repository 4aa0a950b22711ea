// ISO 8601 date-times → microseconds since 1970 in UTC; accepts the same forms as `src/json/datetime.ts`, but no
// escapes.

import { COLON, isDigit, MINUS, QUOTE } from './json'

const ZERO: u8 = 0x30
const POINT: u8 = 0x2e

/** The first one of the year 1 and the last one of the year 9999, in UTC. */
const FIRST_MICROSECOND: i64 = -62_135_596_800_000_000
const LAST_MICROSECOND: i64 = 253_402_300_799_999_999

/** The instant that `scanDatetime` read. */
export let microseconds: i64 = 0

/** Reads the text whose opening quote is at `p`; returns the position after it, 0 if it is not a date-time. */
export function scanDatetime(p: usize): usize {
  p++
  const year = twoDigits(p) * 100 + twoDigits(p + 2)
  const month = twoDigits(p + 5)
  const day = twoDigits(p + 8)
  if ((twoDigits(p) | twoDigits(p + 2) | month | day) < 0) return 0
  if (load<u8>(p, 4) !== MINUS || load<u8>(p, 7) !== MINUS) return 0
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return 0
  microseconds = <i64>daysSinceEpoch(year, month, day) * 86_400_000_000
  p += 10
  const separator = load<u8>(p)
  // "T", "t" or one space.
  if ((separator | 0x20) === 0x74 || separator === 0x20) {
    p = scanTime(p + 1)
    if (p === 0) return 0
  }
  return load<u8>(p) === QUOTE ? p + 1 : 0
}

function scanTime(p: usize): usize {
  const hour = twoDigits(p)
  const minute = twoDigits(p + 3)
  if (load<u8>(p, 2) !== COLON || (hour | minute) < 0 || hour > 23 || minute > 59) return 0
  let seconds = hour * 3600 + minute * 60
  p += 5
  if (load<u8>(p) === COLON) {
    const second = twoDigits(p + 1)
    if (second < 0 || second > 59) return 0
    seconds += second
    p += 3
    if (load<u8>(p) === POINT) {
      p = scanFraction(p + 1)
      if (p === 0) return 0
    }
  }
  microseconds += <i64>seconds * 1_000_000
  return scanZone(p)
}

/** Reads the digits of a fraction; those beyond microseconds are cut off. */
function scanFraction(p: usize): usize {
  const first = p
  let unit: i64 = 100_000
  while (isDigit(load<u8>(p))) {
    microseconds += <i64>(load<u8>(p) - ZERO) * unit
    unit /= 10
    p++
  }
  return p === first ? 0 : p
}

function scanZone(p: usize): usize {
  const sign = load<u8>(p)
  if ((sign | 0x20) === 0x7a) return p + 1
  if (sign !== 0x2b && sign !== MINUS) return p
  const hours = twoDigits(p + 1)
  if (hours < 0 || hours > 23) return 0
  p += 3
  let minutes: i32 = 0
  if (load<u8>(p) === COLON || isDigit(load<u8>(p))) {
    if (load<u8>(p) === COLON) p++
    minutes = twoDigits(p)
    if (minutes < 0 || minutes > 59) return 0
    p += 2
  }
  const offset = <i64>(hours * 3600 + minutes * 60) * 1_000_000
  microseconds += sign === MINUS ? offset : -offset
  return microseconds < FIRST_MICROSECOND || microseconds > LAST_MICROSECOND ? 0 : p
}

/** Returns the number that the two digits at `p` form; negative if one of them is not a digit. */
function twoDigits(p: usize): i32 {
  const tens = load<u8>(p) - ZERO
  const ones = load<u8>(p, 1) - ZERO
  return tens > 9 || ones > 9 ? i32.MIN_VALUE : <i32>tens * 10 + <i32>ones
}

function daysInMonth(year: i32, month: i32): i32 {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return 30 + ((month + (month >> 3)) & 1)
}

/** Returns the days since 1970-01-01 (proleptic Gregorian). Counts years from March, so that leap days come last. */
function daysSinceEpoch(year: i32, month: i32, day: i32): i32 {
  const marchYear = month > 2 ? year : year - 1
  const marchMonth = month > 2 ? month - 3 : month + 9
  const dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
  return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
}
