// Members that the API does not have → nothing. What is passed over is checked as the general path would check it.

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

/** Arrays and objects inside one another that are passed over here, whatever the limit is. */
const MOST_DEPTH: i32 = 8

/** `true` and `fals`, little-endian. */
const TRUE_WORD: u32 = 0x65757274
const FALSE_WORD: u32 = 0x736c6166
const LETTER_E: u8 = 0x65

let longestKey: usize = 0
let mostDepth: i32 = 0

/** Longer keys, quotes included, and values that are nested deeper are left to the general path. */
export function setMemberLimits(keyBytes: usize, depth: i32): void {
  longestKey = keyBytes
  mostDepth = min(depth, MOST_DEPTH)
}

/** Behind the member at `p`, whose key is none that the caller knows; 0 leaves it to the general path. */
export function passMember(p: usize): usize {
  const before = unescaped
  p = passKey(p)
  if (p !== 0) p = passValue(p, mostDepth)
  setUnescaped(before)
  return p
}

/** A key with escapes may be a known one. */
function passKey(p: usize): usize {
  if (load<u8>(p) !== QUOTE) return 0
  const end = scanText(p)
  return end === 0 || textStart !== p + 1 || end - p > longestKey ? 0 : skipToken(end, COLON)
}

function passValue(p: usize, depth: i32): usize {
  const byte = load<u8>(p)
  if (byte === QUOTE) return scanText(p)
  if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) return depth === 0 ? 0 : passContainer(p, byte, depth - 1)
  if (byte === MINUS || isDigit(byte)) return scanNumber(p)
  const word = load<u32>(p)
  if (word === NULL_WORD || word === TRUE_WORD) return p + 4
  return word === FALSE_WORD && load<u8>(p, 4) === LETTER_E ? p + 5 : 0
}

function passContainer(p: usize, open: u8, depth: i32): usize {
  const isObject = open === OPEN_OBJECT
  const close = isObject ? CLOSE_OBJECT : CLOSE_ARRAY
  p = skipWhitespace(p + 1)
  if (load<u8>(p) === close) return p + 1
  while (true) {
    if (isObject) {
      p = passKey(p)
      if (p === 0) return 0
    }
    p = passValue(p, depth)
    if (p === 0) return 0
    p = skipWhitespace(p)
    if (load<u8>(p) !== COMMA) return load<u8>(p) === close ? p + 1 : 0
    p = skipWhitespace(p + 1)
  }
}
