// Skips members that are not part of the API, checking them as the general path does.

import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  isDigit,
  MINUS,
  NULL_WORD,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  skipToken,
  skipWhitespace,
} from './json'
import { scanNumber } from './number'
import { scanText, setUnescaped, textStart, unescaped } from './text'

/** Most levels of nested arrays and objects that are skipped here, even if the limit is higher. */
const MAX_DEPTH: i32 = 8

/** `true` and `fals`, little-endian. */
const TRUE_WORD: u32 = 0x65757274
const FALSE_WORD: u32 = 0x736c6166
const LETTER_E: u8 = 0x65

let maxKeyBytes: usize = 0
let maxDepth: i32 = 0

/** Sets limits. Longer keys (including quotes) and values that are nested deeper are left to the general path. */
export function setMemberLimits(keyBytes: usize, depth: i32): void {
  maxKeyBytes = keyBytes
  maxDepth = min(depth, MAX_DEPTH)
}

/** Skips the member at `p`, whose key the caller does not know; returns 0 to leave the record to the general path. */
export function skipMember(p: usize): usize {
  const before = unescaped
  p = skipKey(p)
  if (p !== 0) p = skipValue(p, maxDepth)
  setUnescaped(before)
  return p
}

/** Skips a key and its colon. A key with escapes is left to the general path, because it may be a known one. */
function skipKey(p: usize): usize {
  if (load<u8>(p) !== QUOTE) return 0
  const end = scanText(p)
  return end === 0 || textStart !== p + 1 || end - p > maxKeyBytes ? 0 : skipToken(end, COLON)
}

function skipValue(p: usize, depth: i32): usize {
  const byte = load<u8>(p)
  if (byte === QUOTE) return scanText(p)
  if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) return depth === 0 ? 0 : skipContainer(p, byte, depth - 1)
  if (byte === MINUS || isDigit(byte)) return scanNumber(p)
  const word = load<u32>(p)
  if (word === NULL_WORD || word === TRUE_WORD) return p + 4
  return word === FALSE_WORD && load<u8>(p, 4) === LETTER_E ? p + 5 : 0
}

function skipContainer(p: usize, open: u8, depth: i32): usize {
  const isObject = open === OPEN_OBJECT
  const close = isObject ? CLOSE_OBJECT : CLOSE_ARRAY
  p = skipWhitespace(p + 1)
  if (load<u8>(p) === close) return p + 1
  while (true) {
    if (isObject) {
      p = skipKey(p)
      if (p === 0) return 0
    }
    p = skipValue(p, depth)
    if (p === 0) return 0
    p = skipWhitespace(p)
    if (load<u8>(p) !== COMMA) return load<u8>(p) === close ? p + 1 : 0
    p = skipWhitespace(p + 1)
  }
}
