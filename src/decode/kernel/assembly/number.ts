// JSON numbers (RFC 8259 section 6) → float64, correctly rounded.

import { isDigit, MINUS } from './json'

const POINT: u8 = 0x2e
const ZERO: u8 = 0x30

/** Digits that a u64 always has room for. */
const MAX_DIGITS: usize = 19
/** Integers and powers of ten up to these are exact in a float64, so that one operation on them rounds correctly. */
const MAX_EXACT_INTEGER: u64 = 1 << 53
const MAX_EXACT_POWER: usize = 22

/** Larger exponents and longer numbers are left to the general path, because the number may not fit a float64. */
const MAX_EXPONENT: i32 = 250
const MAX_NUMBER_BYTES: usize = 64

/** The number that `scanNumber` read. */
export let number: f64 = 0
/** Whether `number` is correctly rounded. If not, its text must be parsed again; the result fits a float64. */
export let isExact: bool = false
/** Whether the number has neither a fraction nor an exponent. */
export let isInteger: bool = false

/** Reads the number at `p`; returns the position after it, 0 if it cannot be read here. */
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
  isExact = digits <= MAX_DIGITS && mantissa <= MAX_EXACT_INTEGER && fractionDigits <= MAX_EXACT_POWER
  isInteger = fractionDigits === 0
  if ((load<u8>(p) | 0x20) === 0x65) {
    p = skipExponent(p + 1)
    isExact = false
    isInteger = false
  }
  if (p - start > MAX_NUMBER_BYTES) return 0
  const magnitude = <f64>mantissa / powerOfTen(fractionDigits)
  number = isNegative ? -magnitude : magnitude
  return p
}

function skipExponent(p: usize): usize {
  const sign = load<u8>(p)
  if (sign === 0x2b || sign === MINUS) p++
  const first = p
  let exponent: i32 = 0
  while (isDigit(load<u8>(p)) && exponent <= MAX_EXPONENT) exponent = exponent * 10 + <i32>(load<u8>(p++) - ZERO)
  return p === first || exponent > MAX_EXPONENT ? 0 : p
}

/** Returns a power of ten, exact up to `MAX_EXACT_POWER`; 1 above that. */
function powerOfTen(exponent: usize): f64 {
  let power: f64 = 1
  if (exponent > MAX_EXACT_POWER) return power
  while (exponent > 0) {
    power *= 10
    exponent--
  }
  return power
}
