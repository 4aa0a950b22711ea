// JSON numbers (RFC 8259 section 6) → float64, correctly rounded.

import { isDigit, MINUS } from './json'

const POINT: u8 = 0x2e
const ZERO: u8 = 0x30

/** Digits whose number a u64 holds. */
const MOST_DIGITS: usize = 19
/** Integers up to here, and powers of ten up to 22, are exact in a float64: one operation on them rounds correctly. */
const MOST_EXACT: u64 = 1 << 53
const MOST_EXACT_POWER: usize = 22

/** Exponents and lengths above these are left to the general path: such a number may not fit. */
const MOST_EXPONENT: i32 = 250
const LONGEST_NUMBER: usize = 64

/** What `scanNumber` read. */
export let number: f64 = 0
/** Whether `number` is right; if not, the number's text has to be read in another way. It fits a float64. */
export let isExact: bool = false
/** Whether it has neither a fraction nor an exponent. */
export let isInteger: bool = false

/** Reads the number at `p`; returns the position behind it. */
export function scanNumber(p: usize): usize {
  const start = p
  const isNegative = load<u8>(p) === MINUS
  if (isNegative) p++
  const first = p
  let mantissa: u64 = 0
  while (isDigit(load<u8>(p))) mantissa = mantissa * 10 + <u64>(load<u8>(p++) - ZERO)
  let digits = p - first
  if (digits === 0 || (load<u8>(first) === ZERO && digits > 1)) return 0
  let fractionDigits: usize = 0
  if (load<u8>(p) === POINT) {
    const firstOfFraction = ++p
    while (isDigit(load<u8>(p))) mantissa = mantissa * 10 + <u64>(load<u8>(p++) - ZERO)
    fractionDigits = p - firstOfFraction
    if (fractionDigits === 0) return 0
    digits += fractionDigits
  }
  isExact = digits <= MOST_DIGITS && mantissa <= MOST_EXACT && fractionDigits <= MOST_EXACT_POWER
  isInteger = fractionDigits === 0
  if ((load<u8>(p) | 0x20) === 0x65) {
    p = skipExponent(p + 1)
    isExact = false
    isInteger = false
  }
  if (p - start > LONGEST_NUMBER) return 0
  const magnitude = <f64>mantissa / powerOfTen(fractionDigits)
  number = isNegative ? -magnitude : magnitude
  return p
}

function skipExponent(p: usize): usize {
  const sign = load<u8>(p)
  if (sign === 0x2b || sign === MINUS) p++
  const first = p
  let exponent: i32 = 0
  while (isDigit(load<u8>(p)) && exponent <= MOST_EXPONENT) exponent = exponent * 10 + <i32>(load<u8>(p++) - ZERO)
  return p === first || exponent > MOST_EXPONENT ? 0 : p
}

/** Exact up to 22. */
function powerOfTen(exponent: usize): f64 {
  let power: f64 = 1
  if (exponent > MOST_EXACT_POWER) return power
  while (exponent > 0) {
    power *= 10
    exponent--
  }
  return power
}
