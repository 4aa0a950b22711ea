// JSON strings → UTF-8 bytes. A string without escapes is used where it is; one with escapes is decoded elsewhere.

import { BACKSLASH, QUOTE } from './json'

/** Address and number of bytes of the string that `scanText` read. */
export let textStart: usize = 0
export let textBytes: usize = 0

/** Address at which the next string with escapes is written; set by the caller. */
export let unescaped: usize = 0

export function setUnescaped(address: usize): void {
  unescaped = address
}

/** Reads the string whose opening quote is at `p`; returns the position after it, 0 if it cannot be read here. */
export function scanText(p: usize): usize {
  const start = p + 1
  const end = skipPlain(start)
  if (load<u8>(end) === QUOTE) {
    textStart = start
    textBytes = end - start
    return end + 1
  }
  return load<u8>(end) === BACKSLASH ? unescapeText(start, end) : 0
}

/** Returns the position after the string at `p`, without checking its contents; 0 if it has no end. */
export function skipText(p: usize): usize {
  p++
  while (true) {
    const bytes = v128.load(p)
    const quotes = i8x16.eq(bytes, i8x16.splat(QUOTE))
    const mask = i8x16.bitmask(
      v128.or(v128.or(quotes, i8x16.eq(bytes, i8x16.splat(BACKSLASH))), i8x16.eq(bytes, i8x16.splat(0))),
    )
    if (mask === 0) {
      p += 16
      continue
    }
    p += <usize>ctz(mask)
    const byte = load<u8>(p)
    if (byte === QUOTE) return p + 1
    if (byte !== BACKSLASH) return 0
    p += 2
  }
}

/** Skips plain characters; returns the position of a quote, a backslash, or an invalid byte (NUL at the end). */
function skipPlain(p: usize): usize {
  while (true) {
    const bytes = v128.load(p)
    // A signed comparison, so that bytes from 0x80 on are less than a space, too.
    const special = v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(QUOTE)), i8x16.eq(bytes, i8x16.splat(BACKSLASH))),
      i8x16.lt_s(bytes, i8x16.splat(0x20)),
    )
    const mask = i8x16.bitmask(special)
    if (mask === 0) {
      p += 16
      continue
    }
    p += <usize>ctz(mask)
    if (load<u8>(p) < 0x80) return p
    do {
      const length = sequenceLength(p)
      if (length === 0) return p
      p += length
    } while (load<u8>(p) >= 0x80)
  }
}

/** Returns the bytes of the UTF-8 sequence at `p` (Unicode, table 3-7), 2 to 4; 0 if it is invalid. */
function sequenceLength(p: usize): usize {
  const lead = load<u8>(p)
  const second = load<u8>(p, 1)
  if (lead < 0xc2 || lead > 0xf4 || !isContinuation(second)) return 0
  if (lead < 0xe0) return 2
  if (!isContinuation(load<u8>(p, 2))) return 0
  if (lead < 0xf0) {
    if (lead === 0xe0 && second < 0xa0) return 0
    return lead === 0xed && second > 0x9f ? 0 : 3
  }
  if (!isContinuation(load<u8>(p, 3))) return 0
  if (lead === 0xf0 && second < 0x90) return 0
  return lead === 0xf4 && second > 0x8f ? 0 : 4
}

function isContinuation(byte: u8): bool {
  return (byte & 0xc0) === 0x80
}

/** Decodes the string from `start`, whose first escape is at `p`; returns the position after it, or 0. */
function unescapeText(start: usize, p: usize): usize {
  const first = unescaped
  let target = first
  let run = start
  while (true) {
    memory.copy(target, run, p - run)
    target += p - run
    const byte = load<u8>(p)
    if (byte === QUOTE) {
      textStart = first
      textBytes = target - first
      unescaped = target
      return p + 1
    }
    if (byte !== BACKSLASH) return 0
    const second = load<u8>(p, 1)
    if (second === 0x75) {
      const codePoint = escapedCodePoint(p)
      if (codePoint < 0) return 0
      target = encodeCodePoint(target, codePoint)
      p += codePoint < 0x10000 ? 6 : 12
    } else {
      const meaning = shortEscape(second)
      if (meaning === 0) return 0
      store<u8>(target++, meaning)
      p += 2
    }
    run = p
    p = skipPlain(p)
  }
}

/** Returns the byte that a backslash and this character stand for; 0 if there is no such escape. */
function shortEscape(second: u8): u8 {
  if (second === QUOTE || second === BACKSLASH || second === 0x2f) return second
  if (second === 0x6e) return 0x0a
  if (second === 0x74) return 0x09
  if (second === 0x72) return 0x0d
  if (second === 0x62) return 0x08
  return second === 0x66 ? 0x0c : 0
}

/** Returns the code point of the `\uXXXX` or surrogate pair at `p`; negative if a digit or half a pair is missing. */
function escapedCodePoint(p: usize): i32 {
  const unit = codeUnit(p)
  if (unit < 0 || (unit & 0xf800) !== 0xd800) return unit
  if (unit >= 0xdc00 || load<u16>(p, 6) !== 0x755c) return -1
  const low = codeUnit(p + 6)
  if (low < 0 || (low & 0xfc00) !== 0xdc00) return -1
  return 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff)
}

function codeUnit(p: usize): i32 {
  return (hexDigit(p + 2) << 12) | (hexDigit(p + 3) << 8) | (hexDigit(p + 4) << 4) | hexDigit(p + 5)
}

/** Returns the value of the hexadecimal digit at `p`; -1 for any other byte. */
function hexDigit(p: usize): i32 {
  const byte = <i32>load<u8>(p)
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function encodeCodePoint(target: usize, codePoint: i32): usize {
  if (codePoint < 0x80) {
    store<u8>(target, codePoint)
    return target + 1
  }
  if (codePoint < 0x800) {
    store<u8>(target, 0xc0 | (codePoint >> 6))
    store<u8>(target, 0x80 | (codePoint & 0x3f), 1)
    return target + 2
  }
  if (codePoint < 0x10000) {
    store<u8>(target, 0xe0 | (codePoint >> 12))
    store<u8>(target, 0x80 | ((codePoint >> 6) & 0x3f), 1)
    store<u8>(target, 0x80 | (codePoint & 0x3f), 2)
    return target + 3
  }
  store<u8>(target, 0xf0 | (codePoint >> 18))
  store<u8>(target, 0x80 | ((codePoint >> 12) & 0x3f), 1)
  store<u8>(target, 0x80 | ((codePoint >> 6) & 0x3f), 2)
  store<u8>(target, 0x80 | (codePoint & 0x3f), 3)
  return target + 4
}
