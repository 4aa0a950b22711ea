// Records of the document → rows of the block. Entry point of the kernel, called by `../records-kernel.ts`.
//
// Reads records that are written as nearly all are: with all three members, in any order, and ids of the definition. It
// stops before any other record, which the general path reads. Both paths give the same result; tests compare them.
//
// The bytes of the document are in this memory, followed by NULs. All positions are addresses.

import { beginAnswers, decodeAnswers } from './answers'
import { beginRecord, endRecord, rollBackRecord, setText, setTimestamp } from './block'
import { microseconds, scanDatetime } from './datetime'
import { fieldCount, lastUpdateDate, ownerId } from './fields'
import { beginInexact, clearInexact, hasRoomForInexact, rollBackInexact } from './inexact'
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  skipToken,
  skipWhitespace,
} from './json'
import { setMemberLimits, skipMember } from './members'
import { scanText, textBytes, textStart } from './text'

export {
  beginBlock,
  finishBlock,
  gatherLists,
  gatherTexts,
  keepTexts,
  kept,
  setBlock,
  skipped,
  variable,
} from './block'
export { addOptions, setFields } from './fields'
export { inexact, setInexact } from './inexact'
export { setTemplate } from './template'

let maxRecordBytes: usize = 0

let stopsAfterRecord: bool = false
let hasGivenUp: bool = false
let rowCount: i32 = 0

/** Records that exceed a limit are left to the general path. */
export function setLimits(recordBytes: usize, keyBytes: usize, depth: i32): void {
  maxRecordBytes = recordBytes
  setMemberLimits(keyBytes, depth)
}

/** Rows that the last `decodeRecords` read. */
export function rows(): i32 {
  return rowCount
}

/** Whether it stopped right after a record; otherwise it stopped before one. */
export function endsAfterRecord(): bool {
  return stopsAfterRecord
}

/** Whether it stopped before a record that it cannot read, or that is not complete. */
export function gaveUp(): bool {
  return hasGivenUp
}

/**
 * Reads records from `p` on, where one begins, into rows `row` and following of the block, whose first row is
 * `blockRow`.
 *
 * @param maxRows Most rows to read.
 * @param cutAt No record that begins here or later is read.
 * @param lookAt Reading stops once a record ends here or later.
 * @returns the position where it stopped.
 */
export function decodeRecords(p: usize, blockRow: i32, row: i32, maxRows: i32, cutAt: usize, lookAt: usize): usize {
  const firstRow = row
  clearInexact()
  stopsAfterRecord = false
  hasGivenUp = false
  while (row - firstRow < maxRows && p < cutAt && hasRoomForInexact(fieldCount)) {
    const end = decodeRecord(p, row)
    if (end === 0 || end - p > maxRecordBytes) {
      rollBackRecord(row)
      rollBackInexact()
      hasGivenUp = true
      break
    }
    endRecord(row - blockRow)
    row++
    const next = skipToken(end, COMMA)
    if (next === 0 || end >= lookAt || load<u8>(next) !== OPEN_OBJECT) {
      stopsAfterRecord = true
      p = end
      break
    }
    p = next
  }
  rowCount = row - firstRow
  return p
}

/** `"ownerId` and `"fields"`, `"lastUpd` and `ateDate"`, little-endian. */
const OWNER_ID_KEY: u64 = 0x644972656e776f22
const FIELDS_KEY: u64 = 0x2273646c65696622
const LAST_UPDATE_DATE_KEY_1: u64 = 0x6470557473616c22
const LAST_UPDATE_DATE_KEY_2: u64 = 0x2265746144657461
const OWNER_ID_KEY_BYTES: usize = 9
const FIELDS_KEY_BYTES: usize = 8
const LAST_UPDATE_DATE_KEY_BYTES: usize = 16

/** Members of a record, one bit each. */
const OWNER_ID: i32 = 1
const LAST_UPDATE_DATE: i32 = 2
const FIELDS: i32 = 4
const ALL_MEMBERS: i32 = 7

/** Reads the record at `p` into a row; returns the position after its `}`, 0 if the general path has to read it. */
function decodeRecord(p: usize, row: i32): usize {
  beginRecord()
  beginInexact()
  beginAnswers()
  if (load<u8>(p) !== OPEN_OBJECT) return 0
  let seen = 0
  do {
    p = skipWhitespace(p + 1)
    const member = memberAt(p)
    if ((seen & member) !== 0) return 0
    seen |= member
    if (member === 0) p = skipMember(p)
    else if (member === OWNER_ID) p = decodeOwnerId(p + OWNER_ID_KEY_BYTES, row)
    else if (member === LAST_UPDATE_DATE) p = decodeLastUpdateDate(p + LAST_UPDATE_DATE_KEY_BYTES, row)
    else p = decodeFields(p + FIELDS_KEY_BYTES, row)
    if (p === 0) return 0
    p = skipWhitespace(p)
  } while (load<u8>(p) === COMMA)
  return load<u8>(p) === CLOSE_OBJECT && seen === ALL_MEMBERS ? p + 1 : 0
}

/** Returns the member whose key is at `p`; 0 for any other key. */
function memberAt(p: usize): i32 {
  const key = load<u64>(p)
  if (key === OWNER_ID_KEY) return load<u8>(p, 8) === QUOTE ? OWNER_ID : 0
  if (key === LAST_UPDATE_DATE_KEY_1) return load<u64>(p, 8) === LAST_UPDATE_DATE_KEY_2 ? LAST_UPDATE_DATE : 0
  return key === FIELDS_KEY ? FIELDS : 0
}

/** This and the following functions start after a key, and return the position after its value, or 0. */
function decodeOwnerId(p: usize, row: i32): usize {
  p = skipToken(p, COLON)
  if (p === 0 || load<u8>(p) !== QUOTE) return 0
  p = scanText(p)
  if (p !== 0) setText(ownerId(), row, textStart, textBytes)
  return p
}

function decodeLastUpdateDate(p: usize, row: i32): usize {
  p = skipToken(p, COLON)
  if (p === 0 || load<u8>(p) !== QUOTE) return 0
  p = scanDatetime(p)
  if (p !== 0) setTimestamp(lastUpdateDate(), row, microseconds)
  return p
}

function decodeFields(p: usize, row: i32): usize {
  p = skipToken(p, COLON)
  if (p === 0 || load<u8>(p) !== OPEN_ARRAY) return 0
  p = skipWhitespace(p + 1)
  if (load<u8>(p) === CLOSE_ARRAY) return p + 1
  return decodeAnswers(p, row)
}
