// Records of the document → blocks of columns.
//
// Reads records that look as nearly all do: their three members in any order, answers written as the document's first
// one is, ids that the definition knows. At anything else it stops in front of that record, and the general path reads
// it. What it accepts means the same there; a test compares the two.
//
// The bytes stand in this memory, NULs behind them. All positions are addresses.

import { microseconds, scanDatetime } from './datetime'
import { addGuid, findGuid, QUOTED_GUID_BYTES } from './guids'
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  isDigit,
  MINUS,
  matchesLiteral,
  NULL_WORD,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  SPACE,
  skipToken,
  skipWhitespace,
} from './json'
import {
  FIELD_ATTEMPT,
  FIELD_BYTES,
  FIELD_CELLS,
  FIELD_CELLS_ARE,
  FIELD_COLUMN,
  FIELD_INDEX_BYTES,
  FIELD_KIND,
  FIELD_OPTIONS,
  FIELD_SLOT_BITS,
  FIELD_SLOTS,
  FIELD_STAMPS,
  FIELD_VALIDITY,
  KIND_DICTIONARY,
  KIND_DOUBLE,
  KIND_LIST,
  KIND_NONE,
  KIND_TEXT,
  KIND_TIMESTAMP,
} from './layout'
import { passMember, setMemberLimits } from './members'
import { isExact, isInteger, number, scanNumber } from './number'
import { passText, scanText, setUnescaped, textBytes, textStart, unescaped } from './text'

/** All cells are 0. */
const CLEAN: i32 = 0
/** Few are not: all of them will be made 0 for the next block. */
const FEW: i32 = 1
/** Those without a value will be made 0. */
const MANY: i32 = 2

/** A literal of the layout: where its blocks are (see `matchesLiteral`), their number, and its bytes. */
let heads: usize = 0
let headStride: usize = 0
let headBytes: usize = 0
let opening: usize = 0
let openingBlocks: usize = 0
let openingBytes: usize = 0
let afterOpen: usize = 0
let afterOpenBlocks: usize = 0
let afterOpenBytes: usize = 0
let close: usize = 0
let closeBlocks: usize = 0
let closeBytes: usize = 0
let closeAnswer: usize = 0
let closeAnswerBlocks: usize = 0
let closeAnswerBytes: usize = 0

let fieldCount: i32 = 0
let fields: usize = 0
let idAt: usize = 0
let fieldIds: usize = 0
let fieldSlots: usize = 0
let fieldSlotBits: u32 = 0
let ownerId: usize = 0
let lastUpdateDate: usize = 0

/** Bits of the block's rows, all columns one behind another. */
let validity: usize = 0
let validityBytes: usize = 0

/** i32 indices of the sets in the block, as they come. */
let listElements: usize = 0
let listEnd: usize = 0
/** Texts that stand in no window: those with escapes, written out, and those of windows that are gone. */
let keptTexts: usize = 0
/** Rows whose texts are all kept. */
let keptRows: i32 = 0

/** Per row, from the block's first on: where its skipped columns (i32) end. */
let skippedEnds: usize = 0
let skippedColumns: usize = 0
let skippedEnd: usize = 0

/** Numbers that are read elsewhere: field, row, address, length (i32 each). */
let inexactNumbers: usize = 0
let mostInexactNumbers: i32 = 0
let inexactCount: i32 = 0

/** i32: the fields that have values in the block. */
let answeredFields: usize = 0
let answeredCount: i32 = 0

/** Rows that every column has cells for. */
let blockRows: i32 = 0

/** Bytes of the block's texts, and of its indices in sets. */
let variableBytes: usize = 0

/** Whether the last answer was to the field that was expected, or to the next one. */
let areInOrder: bool = true

/** Counts records, those that are given up too. */
let attempt: u32 = 0
/** Counts answers with several options. */
let answerStamp: u32 = 0

let longestRecord: usize = 0

let isBehindRecord: bool = false
let hasGivenUp: bool = false
let rowCount: i32 = 0

export function setLayout(
  headsAt: usize,
  headLength: usize,
  openingAt: usize,
  openingLength: usize,
  afterOpenAt: usize,
  afterOpenLength: usize,
  closeAt: usize,
  closeLength: usize,
  closeAnswerAt: usize,
  closeAnswerLength: usize,
): void {
  heads = headsAt
  headBytes = headLength
  headStride = (headLength + 15) & ~15
  opening = openingAt
  openingBytes = openingLength
  openingBlocks = (openingLength + 15) >> 4
  afterOpen = afterOpenAt
  afterOpenBytes = afterOpenLength
  afterOpenBlocks = (afterOpenLength + 15) >> 4
  close = closeAt
  closeBytes = closeLength
  closeBlocks = (closeLength + 15) >> 4
  closeAnswer = closeAnswerAt
  closeAnswerBytes = closeAnswerLength
  closeAnswerBlocks = (closeAnswerLength + 15) >> 4
}

/** `fieldsAt`: descriptors of the definition's fields, then those of `ownerId` and `lastUpdateDate`. */
export function setFields(fieldsAt: usize, count: i32, idOffset: usize, ids: usize, slots: usize, slotBits: u32): void {
  fields = fieldsAt
  fieldCount = count
  ownerId = fieldsAt + <usize>count * FIELD_BYTES
  lastUpdateDate = ownerId + FIELD_BYTES
  // The opening quote.
  idAt = idOffset - 1
  fieldIds = ids
  fieldSlots = slots
  fieldSlotBits = slotBits
  for (let i = 0; i < count; i++) addGuid(i, ids, slots, slotBits)
  attempt = 0
  answerStamp = 0
}

export function addOptions(field: i32, count: i32): void {
  const at = fields + <usize>field * FIELD_BYTES
  for (let i = 0; i < count; i++) {
    addGuid(i, load<u32>(at, FIELD_OPTIONS), load<u32>(at, FIELD_SLOTS), load<u32>(at, FIELD_SLOT_BITS))
  }
}

export function setBlock(
  validityAt: usize,
  validityLength: usize,
  listElementsAt: usize,
  keptTextsAt: usize,
  skippedEndsAt: usize,
  skippedColumnsAt: usize,
  inexactNumbersAt: usize,
  mostInexact: i32,
  answeredFieldsAt: usize,
  rowCapacity: i32,
): void {
  validity = validityAt
  validityBytes = validityLength
  listElements = listElementsAt
  keptTexts = keptTextsAt
  skippedEnds = skippedEndsAt
  skippedColumns = skippedColumnsAt
  inexactNumbers = inexactNumbersAt
  mostInexactNumbers = mostInexact
  answeredFields = answeredFieldsAt
  blockRows = rowCapacity
}

/** Records that pass a limit are left to the general path. */
export function setLimits(recordBytes: usize, keyBytes: usize, depth: i32): void {
  longestRecord = recordBytes
  setMemberLimits(keyBytes, depth)
}

/** Rows that the last `decodeRecords` read. */
export function rows(): i32 {
  return rowCount
}

/** Bytes of the block's texts and of its indices in sets; of what is skipped, the indices' number. */
export function variable(): usize {
  return variableBytes
}

export function skipped(): i32 {
  return <i32>((skippedEnd - skippedColumns) >> 2)
}

/** Bytes of the texts that are kept. */
export function kept(): usize {
  return unescaped - keptTexts
}

/** Whether it stopped right behind a record; else in front of one. */
export function endsBehindRecord(): bool {
  return isBehindRecord
}

/** Whether it stopped in front of a record that it cannot read, or that is not complete. */
export function gaveUp(): bool {
  return hasGivenUp
}

export function inexact(): i32 {
  return inexactCount
}

/** Begins a block, of which `firstRow` will be the first row. */
export function beginBlock(firstRow: i32): void {
  memory.fill(validity, 0, validityBytes)
  listEnd = listElements
  skippedEnd = skippedColumns
  setUnescaped(keptTexts)
  keptRows = firstRow
  variableBytes = 0
  for (let i = 0; i < answeredCount; i++) {
    const at = fields + <usize>load<i32>(answeredFields + ((<usize>i) << 2)) * FIELD_BYTES
    if (load<i32>(at, FIELD_CELLS_ARE) !== FEW) continue
    memory.fill(load<u32>(at, FIELD_CELLS), 0, <usize>blockRows * <usize>widthOf(at, load<i32>(at, FIELD_KIND)))
    store<i32>(at, CLEAN, FIELD_CELLS_ARE)
  }
}

/**
 * Reads records from `p` on, where one begins, into rows `row` and following of the block, which has `blockRow` as its
 * first.
 *
 * @param mostRows Rows to read at most.
 * @param cutAt No record that begins here or behind is read.
 * @param lookAt No more records are read once one ends here or behind.
 * @returns the position where it stopped.
 */
export function decodeRecords(p: usize, blockRow: i32, row: i32, mostRows: i32, cutAt: usize, lookAt: usize): usize {
  const firstRow = row
  inexactCount = 0
  isBehindRecord = false
  hasGivenUp = false
  while (row - firstRow < mostRows && p < cutAt && inexactCount <= mostInexactNumbers - fieldCount) {
    const end = decodeRecord(p, row)
    if (end === 0 || end - p > longestRecord) {
      takeBack(row)
      hasGivenUp = true
      break
    }
    store<i32>(skippedEnds + ((<usize>(row - blockRow)) << 2), skipped())
    row++
    const next = skipToken(end, COMMA)
    if (next === 0 || end >= lookAt || load<u8>(next) !== OPEN_OBJECT) {
      isBehindRecord = true
      p = end
      break
    }
    p = next
  }
  rowCount = row - firstRow
  return p
}

/** Copies the texts of the rows before `end` that stand in a window, which will be gone. */
export function keepTexts(end: i32): void {
  const last = lastUpdateDate
  for (let at = fields; at < last; at += FIELD_BYTES) {
    if (load<i32>(at, FIELD_KIND) !== KIND_TEXT) continue
    const bits = <usize>load<u32>(at, FIELD_VALIDITY)
    let cell = <usize>load<u32>(at, FIELD_CELLS) + ((<usize>keptRows) << 3)
    for (let row = keptRows; row < end; row++, cell += 8) {
      if ((load<u8>(bits + (<usize>row >> 3)) & (1 << (row & 7))) === 0) continue
      const start = <usize>load<u32>(cell)
      if (start >= keptTexts && start < unescaped) continue
      const length = <usize>load<u32>(cell, 4)
      memory.copy(unescaped, start, length)
      store<u32>(cell, <u32>unescaped)
      setUnescaped(unescaped + length)
    }
  }
  keptRows = end
}

/**
 * Lists the fields that have values in the rows from `firstRow` up to `end`, and makes the cells of one width that have
 * none 0, whatever an earlier block left there.
 * @returns How many fields that are.
 */
export function finishBlock(firstRow: i32, end: i32): i32 {
  const last = lastUpdateDate + FIELD_BYTES
  let count = 0
  let field = 0
  for (let at = fields; at < last; at += FIELD_BYTES, field++) {
    const bits = <usize>load<u32>(at, FIELD_VALIDITY)
    const answered = countBits(bits, (end + 7) >> 3)
    if (answered === 0) continue
    store<i32>(answeredFields + ((<usize>count) << 2), field)
    count++
    const kind = load<i32>(at, FIELD_KIND)
    if (kind === KIND_LIST || kind === KIND_TEXT) continue
    if (load<i32>(at, FIELD_CELLS_ARE) !== CLEAN && answered < end - firstRow) {
      clearNulls(bits, load<u32>(at, FIELD_CELLS), widthOf(at, kind), firstRow, end)
    }
    store<i32>(at, answered < (end - firstRow) >> 2 ? FEW : MANY, FIELD_CELLS_ARE)
  }
  answeredCount = count
  return count
}

/** Makes the cells 0 whose bits are: most of them are set. */
function clearNulls(bits: usize, cells: usize, width: i32, firstRow: i32, end: i32): void {
  for (let from = firstRow & ~31; from < end; from += 32) {
    let nulls = ~load<u32>(bits + (<usize>from >> 3))
    if (end - from < 32) nulls &= (1 << (end - from)) - 1
    while (nulls !== 0) {
      clearCell(cells, width, <usize>from + <usize>ctz(nulls))
      nulls &= nulls - 1
    }
  }
}

function widthOf(at: usize, kind: i32): i32 {
  return kind === KIND_DICTIONARY ? load<i32>(at, FIELD_INDEX_BYTES) : 8
}

/** Bits that are set in `count` bytes; the bytes behind them are 0, up to a whole word. */
function countBits(p: usize, count: i32): i32 {
  let bits: u64 = 0
  for (let i = 0; i < count; i += 8) bits += popcnt(load<u64>(p + i))
  return <i32>bits
}

let skippedBefore: usize = 0
let listBefore: usize = 0
let unescapedBefore: usize = 0
let inexactBefore: i32 = 0
let variableBefore: usize = 0

function takeBack(row: i32): void {
  const end = lastUpdateDate + FIELD_BYTES
  for (let at = fields; at < end; at += FIELD_BYTES) takeBackValue(at, row)
  skippedEnd = skippedBefore
  listEnd = listBefore
  inexactCount = inexactBefore
  setUnescaped(unescapedBefore)
  variableBytes = variableBefore
}

/** `"ownerId` and `"fields"`, `"lastUpd` and `ateDate"`, little-endian. */
const OWNER_ID_KEY: u64 = 0x644972656e776f22
const FIELDS_KEY: u64 = 0x2273646c65696622
const LAST_UPDATE_DATE_KEY_1: u64 = 0x6470557473616c22
const LAST_UPDATE_DATE_KEY_2: u64 = 0x2265746144657461
const OWNER_ID_KEY_BYTES: usize = 9
const FIELDS_KEY_BYTES: usize = 8
const LAST_UPDATE_DATE_KEY_BYTES: usize = 16

/** Members of a record, a bit each. */
const OWNER_ID: i32 = 1
const LAST_UPDATE_DATE: i32 = 2
const FIELDS: i32 = 4
const ALL_MEMBERS: i32 = 7

/** Reads the record at `p` into a row; returns the position behind its `}`, 0 when the general path has to read it. */
function decodeRecord(p: usize, row: i32): usize {
  attempt++
  skippedBefore = skippedEnd
  listBefore = listEnd
  inexactBefore = inexactCount
  unescapedBefore = unescaped
  variableBefore = variableBytes

  if (load<u8>(p) !== OPEN_OBJECT) return 0
  let seen = 0
  do {
    p = skipWhitespace(p + 1)
    const member = memberAt(p)
    if ((seen & member) !== 0) return 0
    seen |= member
    if (member === 0) p = passMember(p)
    else if (member === OWNER_ID) p = decodeOwnerId(p + OWNER_ID_KEY_BYTES, row)
    else if (member === LAST_UPDATE_DATE) p = decodeLastUpdateDate(p + LAST_UPDATE_DATE_KEY_BYTES, row)
    else p = decodeFields(p + FIELDS_KEY_BYTES, row)
    if (p === 0) return 0
    p = skipWhitespace(p)
  } while (load<u8>(p) === COMMA)
  return load<u8>(p) === CLOSE_OBJECT && seen === ALL_MEMBERS ? p + 1 : 0
}

/** Which member's key is at `p`; 0 for another one's. */
function memberAt(p: usize): i32 {
  const key = load<u64>(p)
  if (key === OWNER_ID_KEY) return load<u8>(p, 8) === QUOTE ? OWNER_ID : 0
  if (key === LAST_UPDATE_DATE_KEY_1) return load<u64>(p, 8) === LAST_UPDATE_DATE_KEY_2 ? LAST_UPDATE_DATE : 0
  return key === FIELDS_KEY ? FIELDS : 0
}

/** This and the following functions begin behind a key, and return the position behind its value, or 0. */
function decodeOwnerId(p: usize, row: i32): usize {
  p = skipToken(p, COLON)
  if (p === 0 || load<u8>(p) !== QUOTE) return 0
  p = scanText(p)
  if (p !== 0) setText(ownerId, row)
  return p
}

function decodeLastUpdateDate(p: usize, row: i32): usize {
  p = skipToken(p, COLON)
  if (p === 0 || load<u8>(p) !== QUOTE) return 0
  p = scanDatetime(p)
  if (p !== 0) setTimestamp(lastUpdateDate, row)
  return p
}

function decodeFields(p: usize, row: i32): usize {
  p = skipToken(p, COLON)
  if (p === 0 || load<u8>(p) !== OPEN_ARRAY) return 0
  p = skipWhitespace(p + 1)
  if (load<u8>(p) === CLOSE_ARRAY) return p + 1
  return decodeAnswers(p, row)
}

/** Reads answers from `p` on, up to and past the `]` behind the last one. */
function decodeAnswers(p: usize, row: i32): usize {
  const areValuesFirst = openingBytes !== 0
  let field = 0
  while (true) {
    // Values that are first are passed over, and read once their field is known.
    let values = p + openingBytes
    let head = p
    if (areValuesFirst) head = matchesLiteral(p, opening, openingBlocks) ? endOfValues(values) : 0
    const known = head === 0 || headBytes === 0 ? -1 : fieldOfHead(head, field)
    if (known < 0) {
      p = decodeOddAnswer(p, row)
      if (p === 0) return 0
      field = oddField + 1
      p = skipWhitespace(p)
      if (load<u8>(p) === CLOSE_ARRAY) return p + 1
      if (load<u8>(p) !== COMMA) return 0
      p = skipWhitespace(p + 1)
      continue
    }
    field = known
    const at = fields + <usize>field * FIELD_BYTES
    const kind = load<i32>(at, FIELD_KIND)
    if (!isFirstAnswer(at, kind)) return 0
    p = head + headBytes
    if (!areValuesFirst) values = p
    if (load<u8>(values) === OPEN_ARRAY) {
      const end = decodeValues(skipOpening(values), at, kind, field, row)
      if (end === 0) return 0
      if (areValuesFirst) {
        if (skipWhitespace(end) + 1 !== head) return 0
      } else {
        if (matchesLiteral(end, close, closeBlocks)) {
          p = end + closeBytes
          field++
          continue
        }
        p = skipWhitespace(end)
        if (load<u8>(p) !== CLOSE_ARRAY) return 0
        p++
      }
    } else {
      if (load<u32>(values) !== NULL_WORD) return 0
      if (kind !== KIND_NONE) skip(at)
      if (!areValuesFirst) p = values + 4
    }
    field++
    if (matchesLiteral(p, closeAnswer, closeAnswerBlocks)) {
      p += closeAnswerBytes
      continue
    }
    p = endOfAnswer(p)
    if (p === 0) return 0
    if (load<u8>(p) === CLOSE_ARRAY) return p + 1
    if (load<u8>(p) !== COMMA) return 0
    p = skipWhitespace(p + 1)
  }
}

/** From behind a member to behind the answer's `}` and white space. */
function endOfAnswer(p: usize): usize {
  p = skipWhitespace(p)
  while (load<u8>(p) === COMMA) {
    p = skipWhitespace(p + 1)
    if (isIdKey(p) || isValuesKey(p)) return 0
    p = passMember(p)
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

/** The field of the last odd answer. */
let oddField: i32 = 0

/** Reads an answer whose members come in any order, others among them; returns the position behind its `}`. */
function decodeOddAnswer(p: usize, row: i32): usize {
  if (load<u8>(p) !== OPEN_OBJECT) return 0
  let field = -1
  let values: usize = 0
  let valuesEnd: usize = 0
  do {
    p = skipWhitespace(p + 1)
    if (isIdKey(p)) {
      p = skipToken(p + ID_KEY_BYTES, COLON)
      if (p === 0 || field >= 0) return 0
      field = findGuid(p, fieldIds, fieldSlots, fieldSlotBits)
      if (field < 0) return 0
      p += QUOTED_GUID_BYTES
    } else if (isValuesKey(p)) {
      p = skipToken(p + VALUES_KEY_BYTES, COLON)
      if (p === 0 || values !== 0) return 0
      values = p
      p = valuesEnd = endOfValues(p)
    } else {
      p = passMember(p)
    }
    if (p === 0) return 0
    p = skipWhitespace(p)
  } while (load<u8>(p) === COMMA)
  if (load<u8>(p) !== CLOSE_OBJECT || field < 0 || values === 0) return 0

  oddField = field
  const at = fields + <usize>field * FIELD_BYTES
  const kind = load<i32>(at, FIELD_KIND)
  if (!isFirstAnswer(at, kind)) return 0
  if (load<u8>(values) === OPEN_ARRAY) {
    const end = decodeValues(skipWhitespace(values + 1), at, kind, field, row)
    if (end === 0 || skipWhitespace(end) + 1 !== valuesEnd) return 0
  } else if (kind !== KIND_NONE) {
    skip(at)
  }
  return p + 1
}

/**
 * Behind the `null` or the array at `p`; 0 for anything else, and for an array that holds arrays or objects. What is in
 * it is checked when it is read.
 */
function endOfValues(p: usize): usize {
  if (load<u32>(p) === NULL_WORD) return p + 4
  if (load<u8>(p) !== OPEN_ARRAY) return 0
  p++
  while (true) {
    const byte = load<u8>(p)
    if (byte === QUOTE) {
      p = passText(p)
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

/** The field whose head is at `p`, most often the expected one; -1 when there is none. */
function fieldOfHead(p: usize, expected: i32): i32 {
  // Most often it is just one question that was not asked.
  const next = expected + 1
  if (areInOrder) {
    if (expected < fieldCount && matchesHead(p, expected)) return expected
    if (next < fieldCount && matchesHead(p, next)) return next
  }
  const field = findGuid(p + idAt, fieldIds, fieldSlots, fieldSlotBits)
  areInOrder = field === expected || field === next
  return field >= 0 && matchesHead(p, field) ? field : -1
}

/** Whether the record has not answered the field before, and its answers can be read here. */
function isFirstAnswer(at: usize, kind: i32): bool {
  if (kind === KIND_NONE) return true
  if (kind < 0 || load<u32>(at, FIELD_ATTEMPT) === attempt) return false
  store<u32>(at, attempt, FIELD_ATTEMPT)
  return true
}

/** Past the `[` at `p` and white space. */
function skipOpening(p: usize): usize {
  p++
  return matchesLiteral(p, afterOpen, afterOpenBlocks) ? p + afterOpenBytes : skipWhitespace(p)
}

/** Compared 16 bytes at a time, the last ones overlapping those before: no head is shorter. */
function matchesHead(p: usize, field: i32): bool {
  const head = heads + <usize>field * headStride
  const last = headBytes - 16
  let difference = v128.xor(v128.load(p + last), v128.load(head + last))
  for (let i: usize = 0; i < last; i += 16) {
    difference = v128.or(difference, v128.xor(v128.load(p + i), v128.load(head + i)))
  }
  return !v128.any_true(difference)
}

/** Reads the values from `p` on, behind their `[`; returns the position of their `]`, or of white space before it. */
function decodeValues(p: usize, at: usize, kind: i32, field: i32, row: i32): usize {
  if (kind === KIND_DICTIONARY) {
    if (load<u8>(p) === QUOTE) return decodeOption(p, at, row)
  } else if (kind === KIND_LIST) {
    return decodeOptions(p, at, row)
  } else if (kind === KIND_NONE) {
    return skipValues(p)
  }
  if (load<u8>(p) === CLOSE_ARRAY) {
    skip(at)
    return p
  }
  if (kind === KIND_TEXT) return decodeText(p, at, row)
  if (kind === KIND_DOUBLE) return decodeNumber(p, at, field, row)
  if (kind !== KIND_TIMESTAMP || load<u8>(p) !== QUOTE) return 0
  p = scanDatetime(p)
  if (p !== 0) setTimestamp(at, row)
  return p
}

function decodeOption(p: usize, at: usize, row: i32): usize {
  const index = findGuid(p, load<u32>(at, FIELD_OPTIONS), load<u32>(at, FIELD_SLOTS), load<u32>(at, FIELD_SLOT_BITS))
  if (index < 0) return 0
  const cells = <usize>load<u32>(at, FIELD_CELLS)
  if (load<i32>(at, FIELD_INDEX_BYTES) === 2) store<i16>(cells + ((<usize>row) << 1), <i16>index)
  else store<i32>(cells + ((<usize>row) << 2), index)
  setValid(at, row)
  return p + QUOTED_GUID_BYTES
}

function decodeOptions(p: usize, at: usize, row: i32): usize {
  const options = <usize>load<u32>(at, FIELD_OPTIONS)
  const slots = <usize>load<u32>(at, FIELD_SLOTS)
  const slotBits = load<u32>(at, FIELD_SLOT_BITS)
  const stamps = <usize>load<u32>(at, FIELD_STAMPS)
  const stamp = ++answerStamp
  const first = listEnd
  let end = first
  if (load<u8>(p) !== CLOSE_ARRAY) {
    while (true) {
      const index = findGuid(p, options, slots, slotBits)
      if (index < 0) return 0
      // An option twice in a set is for the general path to note.
      const stampAt = stamps + ((<usize>index) << 2)
      if (load<u32>(stampAt) === stamp) return 0
      store<u32>(stampAt, stamp)
      store<i32>(end, index)
      end += 4
      p += QUOTED_GUID_BYTES
      if (load<u8>(p) !== COMMA) break
      p = skipWhitespace(p + 1)
    }
  }
  listEnd = end
  const count = (end - first) >> 2
  setSpan(at, row, first, count)
  variableBytes += count * load<i32>(at, FIELD_INDEX_BYTES)
  return p
}

/** A text, or a number's source text. */
function decodeText(p: usize, at: usize, row: i32): usize {
  const byte = load<u8>(p)
  if (byte === QUOTE) {
    p = scanText(p)
    if (p !== 0) setText(at, row)
    return p
  }
  if (byte !== MINUS && !isDigit(byte)) return 0
  const end = scanNumber(p)
  if (end === 0) return 0
  setSpan(at, row, p, end - p)
  variableBytes += end - p
  return end
}

function decodeNumber(p: usize, at: usize, field: i32, row: i32): usize {
  const byte = load<u8>(p)
  if (byte !== MINUS && !isDigit(byte)) return 0
  const end = scanNumber(p)
  if (end === 0) return 0
  if (!isExact) {
    // Its digits may be lost, which the general path says.
    if (isInteger) return 0
    const note = inexactNumbers + ((<usize>inexactCount) << 4)
    store<i32>(note, field)
    store<i32>(note, row, 4)
    store<u32>(note, <u32>p, 8)
    store<u32>(note, <u32>(end - p), 12)
    inexactCount++
  }
  store<f64>(<usize>load<u32>(at, FIELD_CELLS) + ((<usize>row) << 3), number)
  setValid(at, row)
  return end
}

/** Texts and numbers that no column is for. */
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

function setText(at: usize, row: i32): void {
  setSpan(at, row, textStart, textBytes)
  variableBytes += textBytes
}

function setSpan(at: usize, row: i32, start: usize, length: usize): void {
  const cell = <usize>load<u32>(at, FIELD_CELLS) + ((<usize>row) << 3)
  store<u32>(cell, <u32>start)
  store<u32>(cell, <u32>length, 4)
  setValid(at, row)
}

function setTimestamp(at: usize, row: i32): void {
  store<i64>(<usize>load<u32>(at, FIELD_CELLS) + ((<usize>row) << 3), microseconds)
  setValid(at, row)
}

function setValid(at: usize, row: i32): void {
  const byte = <usize>load<u32>(at, FIELD_VALIDITY) + (<usize>row >> 3)
  store<u8>(byte, <i32>load<u8>(byte) | (1 << (row & 7)))
}

function takeBackValue(at: usize, row: i32): void {
  const byte = <usize>load<u32>(at, FIELD_VALIDITY) + (<usize>row >> 3)
  const bit = 1 << (row & 7)
  if ((load<u8>(byte) & bit) === 0) return
  store<u8>(byte, <i32>load<u8>(byte) & ~bit)
  clearCell(load<u32>(at, FIELD_CELLS), widthOf(at, load<i32>(at, FIELD_KIND)), row)
}

function clearCell(cells: usize, width: i32, row: usize): void {
  if (width === 2) store<i16>(cells + (row << 1), 0)
  else if (width === 4) store<i32>(cells + (row << 2), 0)
  else store<i64>(cells + (row << 3), 0)
}

/** Adds the field's column to the row's skipped ones, in the columns' order. */
function skip(at: usize): void {
  const column = load<i32>(at, FIELD_COLUMN)
  let p = skippedEnd
  while (p > skippedBefore && load<i32>(p - 4) > column) {
    store<i32>(p, load<i32>(p - 4))
    p -= 4
  }
  store<i32>(p, column)
  skippedEnd += 4
}

/**
 * Puts the texts of a column's rows one behind another at `bytes`, and where each ends at `ends` (i32, `base` more).
 * @returns how many bytes they are. Up to 15 bytes behind them are written, too.
 */
export function gatherTexts(field: i32, firstRow: i32, count: i32, base: i32, ends: usize, bytes: usize): usize {
  const at = fields + <usize>field * FIELD_BYTES
  let cell = <usize>load<u32>(at, FIELD_CELLS) + ((<usize>firstRow) << 3)
  const bits = <usize>load<u32>(at, FIELD_VALIDITY)
  let target = bytes
  for (let row = firstRow; row < firstRow + count; row++, cell += 8, ends += 4) {
    if ((load<u8>(bits + (<usize>row >> 3)) & (1 << (row & 7))) !== 0) {
      const start = <usize>load<u32>(cell)
      const length = <usize>load<u32>(cell, 4)
      if (length <= 64) for (let i: usize = 0; i < length; i += 16) v128.store(target + i, v128.load(start + i))
      else memory.copy(target, start, length)
      target += length
    }
    store<i32>(ends, base + <i32>(target - bytes))
  }
  return target - bytes
}

/** Puts the indices of a set column's rows one behind another at `elements`, as wide as the column has them. */
export function gatherLists(field: i32, firstRow: i32, count: i32, base: i32, ends: usize, elements: usize): i32 {
  const at = fields + <usize>field * FIELD_BYTES
  let cell = <usize>load<u32>(at, FIELD_CELLS) + ((<usize>firstRow) << 3)
  const bits = <usize>load<u32>(at, FIELD_VALIDITY)
  const isNarrow = load<i32>(at, FIELD_INDEX_BYTES) === 2
  let total: usize = 0
  for (let row = firstRow; row < firstRow + count; row++, cell += 8, ends += 4) {
    if ((load<u8>(bits + (<usize>row >> 3)) & (1 << (row & 7))) !== 0) {
      const start = <usize>load<u32>(cell)
      const length = <usize>load<u32>(cell, 4)
      for (let i: usize = 0; i < length; i++, total++) {
        const index = load<i32>(start + (i << 2))
        if (isNarrow) store<i16>(elements + (total << 1), <i16>index)
        else store<i32>(elements + (total << 2), index)
      }
    }
    store<i32>(ends, base + <i32>total)
  }
  return <i32>total
}
