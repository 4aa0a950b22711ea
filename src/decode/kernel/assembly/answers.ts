// The answers of a record → cells of the block.
//
// Most answers match the template of the field that is expected next. Others are read member by member. Functions that
// read return the position after what they read, or 0 to leave the whole record to the general path.

import { nextList, setDouble, setIndex, setList, setText, setTimestamp, skip } from './block'
import { microseconds, scanDatetime } from './datetime'
import { fieldAt, fieldCount, findField } from './fields'
import { findGuid, QUOTED_GUID_BYTES } from './guids'
import { noteInexact } from './inexact'
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
  SPACE,
  skipToken,
  skipWhitespace,
} from './json'
import { Field, KIND_DICTIONARY, KIND_DOUBLE, KIND_LIST, KIND_NONE, KIND_TEXT, KIND_TIMESTAMP } from './layout'
import { skipMember } from './members'
import { isExact, isInteger, number, scanNumber } from './number'
import {
  areValuesFirst,
  endOfHead,
  hasTemplate,
  idInHead,
  matchAfterOpen,
  matchClose,
  matchCloseAnswer,
  matchesHead,
  matchOpening,
} from './template'
import { scanText, setUnescaped, skipText, textBytes, textStart, unescaped } from './text'

/** Number of the current record; records left to the general path count, too. */
let record: u32 = 0
/** Number of the current set. */
let set: u32 = 0

/** Whether the last answer was to the expected field or to the one after it. */
let isInOrder: bool = true

export function beginAnswers(): void {
  record++
}

/** Reads the answers from `p` on, up to and including the `]` after the last one. */
export function decodeAnswers(p: usize, row: i32): usize {
  const valuesFirst = areValuesFirst()
  let expected = 0
  while (true) {
    // Values that come first are skipped, and read once their field is known.
    const opened = valuesFirst ? matchOpening(p) : p
    const head = valuesFirst && opened !== 0 ? endOfValues(opened) : opened
    const index = head === 0 || !hasTemplate() ? -1 : fieldOfHead(head, expected)
    if (index < 0) {
      p = decodeAnswerInAnyOrder(p, row)
      if (p === 0) return 0
      expected = anyOrderField + 1
      p = skipWhitespace(p)
      if (load<u8>(p) === CLOSE_ARRAY) return p + 1
      if (load<u8>(p) !== COMMA) return 0
      p = skipWhitespace(p + 1)
      continue
    }
    const field = fieldAt(index)
    if (!isFirstAnswer(field)) return 0
    expected = index + 1
    p = endOfHead(head)
    const values = valuesFirst ? opened : p
    if (load<u8>(values) === OPEN_ARRAY) {
      const end = decodeValues(skipOpening(values), field, index, row)
      if (end === 0) return 0
      if (valuesFirst) {
        if (skipWhitespace(end) + 1 !== head) return 0
      } else {
        p = matchClose(end)
        if (p !== 0) continue
        p = skipWhitespace(end)
        if (load<u8>(p) !== CLOSE_ARRAY) return 0
        p++
      }
    } else {
      if (load<u32>(values) !== NULL_WORD) return 0
      if (field.kind !== KIND_NONE) skip(field)
      if (!valuesFirst) p = values + 4
    }
    const next = matchCloseAnswer(p)
    if (next !== 0) {
      p = next
      continue
    }
    p = endOfAnswer(p)
    if (p === 0) return 0
    if (load<u8>(p) === CLOSE_ARRAY) return p + 1
    if (load<u8>(p) !== COMMA) return 0
    p = skipWhitespace(p + 1)
  }
}

/** Reads from the end of a member to the end of the answer, and white space after it. */
function endOfAnswer(p: usize): usize {
  p = skipWhitespace(p)
  while (load<u8>(p) === COMMA) {
    p = skipWhitespace(p + 1)
    if (isIdKey(p) || isValuesKey(p)) return 0
    p = skipMember(p)
    if (p === 0) return 0
    p = skipWhitespace(p)
  }
  return load<u8>(p) === CLOSE_OBJECT ? skipWhitespace(p + 1) : 0
}

/** `"id"` and `"values"`, little-endian. */
const ID_KEY: u32 = 0x22646922
const VALUES_KEY: u64 = 0x227365756c617622
const ID_KEY_BYTES: usize = 4
const VALUES_KEY_BYTES: usize = 8

function isIdKey(p: usize): bool {
  return load<u32>(p) === ID_KEY
}

function isValuesKey(p: usize): bool {
  return load<u64>(p) === VALUES_KEY
}

/** The field of the answer that `decodeAnswerInAnyOrder` read. */
let anyOrderField: i32 = 0

/** Reads an answer whose members are in any order, unknown ones among them, up to and including its `}`. */
function decodeAnswerInAnyOrder(p: usize, row: i32): usize {
  if (load<u8>(p) !== OPEN_OBJECT) return 0
  let index = -1
  let values: usize = 0
  let valuesEnd: usize = 0
  do {
    p = skipWhitespace(p + 1)
    if (isIdKey(p)) {
      p = skipToken(p + ID_KEY_BYTES, COLON)
      if (p === 0 || index >= 0) return 0
      index = findField(p)
      if (index < 0) return 0
      p += QUOTED_GUID_BYTES
    } else if (isValuesKey(p)) {
      p = skipToken(p + VALUES_KEY_BYTES, COLON)
      if (p === 0 || values !== 0) return 0
      values = p
      p = valuesEnd = endOfValues(p)
    } else {
      p = skipMember(p)
    }
    if (p === 0) return 0
    p = skipWhitespace(p)
  } while (load<u8>(p) === COMMA)
  if (load<u8>(p) !== CLOSE_OBJECT || index < 0 || values === 0) return 0

  anyOrderField = index
  const field = fieldAt(index)
  if (!isFirstAnswer(field)) return 0
  if (load<u8>(values) === OPEN_ARRAY) {
    const end = decodeValues(skipWhitespace(values + 1), field, index, row)
    if (end === 0 || skipWhitespace(end) + 1 !== valuesEnd) return 0
  } else if (field.kind !== KIND_NONE) {
    skip(field)
  }
  return p + 1
}

/**
 * Returns the position after the `null` or the array at `p`; 0 for anything else, and for an array that holds arrays or
 * objects. The elements are checked when they are read.
 */
function endOfValues(p: usize): usize {
  if (load<u32>(p) === NULL_WORD) return p + 4
  if (load<u8>(p) !== OPEN_ARRAY) return 0
  p++
  while (true) {
    const byte = load<u8>(p)
    if (byte === QUOTE) {
      p = skipText(p)
      if (p === 0) return 0
    } else if (byte === CLOSE_ARRAY) {
      return p + 1
    } else if (byte < SPACE && skipWhitespace(p) === p) {
      return 0
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      return 0
    } else {
      p++
    }
  }
}

/** Returns the index of the field whose head is at `p`, most often the expected one; -1 if there is none. */
function fieldOfHead(p: usize, expected: i32): i32 {
  // Often only one question in between was not asked.
  const next = expected + 1
  if (isInOrder) {
    if (expected < fieldCount && matchesHead(p, expected)) return expected
    if (next < fieldCount && matchesHead(p, next)) return next
  }
  const index = findField(idInHead(p))
  isInOrder = index === expected || index === next
  return index >= 0 && matchesHead(p, index) ? index : -1
}

/** Whether this is the record's first answer to a field that can be read here. */
function isFirstAnswer(field: Field): bool {
  if (field.kind === KIND_NONE) return true
  if (field.kind < 0 || field.record === record) return false
  field.record = record
  return true
}

/** Skips the `[` at `p` and white space. */
function skipOpening(p: usize): usize {
  const first = matchAfterOpen(p + 1)
  return first !== 0 ? first : skipWhitespace(p + 1)
}

/** Reads the values from `p` on, after their `[`; returns the position of their `]`, or of white space before it. */
function decodeValues(p: usize, field: Field, index: i32, row: i32): usize {
  const kind = field.kind
  if (kind === KIND_DICTIONARY) {
    if (load<u8>(p) === QUOTE) return decodeOption(p, field, row)
  } else if (kind === KIND_LIST) {
    return decodeOptions(p, field, row)
  } else if (kind === KIND_NONE) {
    return skipValues(p)
  }
  if (load<u8>(p) === CLOSE_ARRAY) {
    skip(field)
    return p
  }
  if (kind === KIND_TEXT) return decodeText(p, field, row)
  if (kind === KIND_DOUBLE) return decodeNumber(p, field, index, row)
  if (kind !== KIND_TIMESTAMP || load<u8>(p) !== QUOTE) return 0
  p = scanDatetime(p)
  if (p !== 0) setTimestamp(field, row, microseconds)
  return p
}

function decodeOption(p: usize, field: Field, row: i32): usize {
  const option = findGuid(p, field.options, field.slots, field.slotBits)
  if (option < 0) return 0
  setIndex(field, row, option)
  return p + QUOTED_GUID_BYTES
}

function decodeOptions(p: usize, field: Field, row: i32): usize {
  const options = field.options
  const slots = field.slots
  const slotBits = field.slotBits
  const stamps = field.stamps
  const stamp = ++set
  let end = nextList()
  if (load<u8>(p) !== CLOSE_ARRAY) {
    while (true) {
      const option = findGuid(p, options, slots, slotBits)
      if (option < 0) return 0
      // The general path warns about an option that occurs twice in a set.
      const stampAt = stamps + ((<usize>option) << 2)
      if (load<u32>(stampAt) === stamp) return 0
      store<u32>(stampAt, stamp)
      store<i32>(end, option)
      end += 4
      p += QUOTED_GUID_BYTES
      if (load<u8>(p) !== COMMA) break
      p = skipWhitespace(p + 1)
    }
  }
  setList(field, row, end)
  return p
}

/** Reads a text, or the source text of a number. */
function decodeText(p: usize, field: Field, row: i32): usize {
  const byte = load<u8>(p)
  if (byte === QUOTE) {
    p = scanText(p)
    if (p !== 0) setText(field, row, textStart, textBytes)
    return p
  }
  if (byte !== MINUS && !isDigit(byte)) return 0
  const end = scanNumber(p)
  if (end !== 0) setText(field, row, p, end - p)
  return end
}

function decodeNumber(p: usize, field: Field, index: i32, row: i32): usize {
  const byte = load<u8>(p)
  if (byte !== MINUS && !isDigit(byte)) return 0
  const end = scanNumber(p)
  if (end === 0) return 0
  if (!isExact) {
    // The general path warns about integers that lose digits.
    if (isInteger) return 0
    noteInexact(index, row, p, end - p)
  }
  setDouble(field, row, number)
  return end
}

/** Skips texts and numbers of a field without a column. */
function skipValues(p: usize): usize {
  if (load<u8>(p) === CLOSE_ARRAY) return p
  while (true) {
    const before = unescaped
    p = load<u8>(p) === QUOTE ? scanText(p) : scanNumber(p)
    setUnescaped(before)
    if (p === 0) return 0
    const next = skipToken(p, COMMA)
    if (next === 0) return p
    p = next
  }
}
