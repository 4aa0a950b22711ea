// The block: rows of all columns, filled record by record; the TypeScript side appends them to the columns all at once.

import { columnCount, fieldAt } from './fields'
import { Field, KIND_DICTIONARY, KIND_LIST, KIND_TEXT } from './layout'
import { setUnescaped, unescaped } from './text'

/** Values of `Field.dirtyCells`. All cells are 0. */
const CELLS_CLEAN: i32 = 0
/** Few cells are not 0; `beginBlock` clears them all. */
const CELLS_FEW: i32 = 1
/** Many cells are not 0; `finishBlock` clears those of rows without a value. */
const CELLS_MANY: i32 = 2

/** Rows that every column has cells for. */
let capacity: i32 = 0

/** Validity bits of the rows, all columns in sequence. */
let validity: usize = 0
let validityBytes: usize = 0

/** i32 indices of the sets in the block, in the order of the document. */
let listElements: usize = 0
let listEnd: usize = 0

/** Texts that are not in a window: those with escapes, decoded, and those whose window was overwritten. */
let keptTexts: usize = 0
/** No row before this one has a text in a window. */
let keptRows: i32 = 0

/** Per row, from the block's first on, where its skipped columns end; the columns themselves (i32 each). */
let skippedEnds: usize = 0
let skippedColumns: usize = 0
let skippedEnd: usize = 0

/** i32: the fields that have values in the block. */
let answeredFields: usize = 0
let answeredCount: i32 = 0

/** Bytes of the block's texts and of its indices in sets, as the columns will hold them. */
let variableBytes: usize = 0

/** The ends above at the start of the current record, which may be rolled back. */
let skippedBefore: usize = 0
let listBefore: usize = 0
let unescapedBefore: usize = 0
let variableBefore: usize = 0

export function setBlock(
  rowCapacity: i32,
  validityAt: usize,
  validityLength: usize,
  listElementsAt: usize,
  keptTextsAt: usize,
  skippedEndsAt: usize,
  skippedColumnsAt: usize,
  answeredFieldsAt: usize,
): void {
  capacity = rowCapacity
  validity = validityAt
  validityBytes = validityLength
  listElements = listElementsAt
  keptTexts = keptTextsAt
  skippedEnds = skippedEndsAt
  skippedColumns = skippedColumnsAt
  answeredFields = answeredFieldsAt
}

/** Bytes of the block's texts and of its indices in sets. */
export function variable(): usize {
  return variableBytes
}

/** Number of skipped columns, over all rows. */
export function skipped(): i32 {
  return <i32>((skippedEnd - skippedColumns) >> 2)
}

/** Bytes of the texts that are not in a window. */
export function kept(): usize {
  return unescaped - keptTexts
}

/** Begins a block whose first row is `firstRow`. */
export function beginBlock(firstRow: i32): void {
  memory.fill(validity, 0, validityBytes)
  listEnd = listElements
  skippedEnd = skippedColumns
  setUnescaped(keptTexts)
  keptRows = firstRow
  variableBytes = 0
  for (let i = 0; i < answeredCount; i++) {
    const field = fieldAt(load<i32>(answeredFields + ((<usize>i) << 2)))
    if (field.dirtyCells !== CELLS_FEW) continue
    memory.fill(field.cells, 0, <usize>capacity * <usize>cellWidth(field))
    field.dirtyCells = CELLS_CLEAN
  }
}

/** Remembers the end of the block, so that `rollBackRecord` can restore it. */
export function beginRecord(): void {
  skippedBefore = skippedEnd
  listBefore = listEnd
  unescapedBefore = unescaped
  variableBefore = variableBytes
}

/** Completes the record's row. `row`: counted from the block's first row. */
export function endRecord(row: i32): void {
  store<i32>(skippedEnds + ((<usize>row) << 2), skipped())
}

/** Removes what was written of the current record. */
export function rollBackRecord(row: i32): void {
  const columns = columnCount()
  for (let i = 0; i < columns; i++) rollBackValue(fieldAt(i), row)
  skippedEnd = skippedBefore
  listEnd = listBefore
  setUnescaped(unescapedBefore)
  variableBytes = variableBefore
}

/** Adds the field's column to those that the record skipped, in the columns' order. */
export function skip(field: Field): void {
  const column = field.column
  let p = skippedEnd
  while (p > skippedBefore && load<i32>(p - 4) > column) {
    store<i32>(p, load<i32>(p - 4))
    p -= 4
  }
  store<i32>(p, column)
  skippedEnd += 4
}

export function setIndex(field: Field, row: i32, index: i32): void {
  if (field.indexBytes === 2) store<i16>(field.cells + ((<usize>row) << 1), <i16>index)
  else store<i32>(field.cells + ((<usize>row) << 2), index)
  setValid(field, row)
}

export function setDouble(field: Field, row: i32, value: f64): void {
  store<f64>(field.cells + ((<usize>row) << 3), value)
  setValid(field, row)
}

export function setTimestamp(field: Field, row: i32, microseconds: i64): void {
  store<i64>(field.cells + ((<usize>row) << 3), microseconds)
  setValid(field, row)
}

/** Sets the text of a row, which is not copied. */
export function setText(field: Field, row: i32, start: usize, byteLength: usize): void {
  setSpan(field, row, start, byteLength)
  variableBytes += byteLength
}

/** Returns the address for the elements of the next set. */
export function nextList(): usize {
  return listEnd
}

/** Sets the set of a row: the elements from `nextList` up to `end`. */
export function setList(field: Field, row: i32, end: usize): void {
  const count = (end - listEnd) >> 2
  setSpan(field, row, listEnd, count)
  listEnd = end
  variableBytes += count * field.indexBytes
}

function setSpan(field: Field, row: i32, start: usize, length: usize): void {
  const cell = field.cells + ((<usize>row) << 3)
  store<u32>(cell, <u32>start)
  store<u32>(cell, <u32>length, 4)
  setValid(field, row)
}

function setValid(field: Field, row: i32): void {
  const byte = field.validity + (<usize>row >> 3)
  store<u8>(byte, <i32>load<u8>(byte) | (1 << (row & 7)))
}

function isValid(bits: usize, row: i32): bool {
  return (load<u8>(bits + (<usize>row >> 3)) & (1 << (row & 7))) !== 0
}

function rollBackValue(field: Field, row: i32): void {
  if (!isValid(field.validity, row)) return
  const byte = field.validity + (<usize>row >> 3)
  store<u8>(byte, <i32>load<u8>(byte) & ~(1 << (row & 7)))
  clearCell(field.cells, cellWidth(field), row)
}

/** Copies the texts of the rows before `end` that are in the window, which is about to be overwritten. */
export function keepTexts(end: i32): void {
  const texts = columnCount() - 1
  for (let i = 0; i < texts; i++) {
    const field = fieldAt(i)
    if (field.kind !== KIND_TEXT) continue
    const bits = field.validity
    let cell = field.cells + ((<usize>keptRows) << 3)
    for (let row = keptRows; row < end; row++, cell += 8) {
      if (!isValid(bits, row)) continue
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
 * Lists the fields that have values in the rows from `firstRow` up to `end`, and clears the fixed-width cells of rows
 * without a value, which may hold values of an earlier block.
 * @returns the number of these fields.
 */
export function finishBlock(firstRow: i32, end: i32): i32 {
  const columns = columnCount()
  let count = 0
  for (let i = 0; i < columns; i++) {
    const field = fieldAt(i)
    const bits = field.validity
    const answered = countBits(bits, (end + 7) >> 3)
    if (answered === 0) continue
    store<i32>(answeredFields + ((<usize>count) << 2), i)
    count++
    if (field.kind === KIND_LIST || field.kind === KIND_TEXT) continue
    if (field.dirtyCells !== CELLS_CLEAN && answered < end - firstRow) {
      clearNulls(bits, field.cells, cellWidth(field), firstRow, end)
    }
    field.dirtyCells = answered < (end - firstRow) >> 2 ? CELLS_FEW : CELLS_MANY
  }
  answeredCount = count
  return count
}

/** Clears the cells of rows without a value, which are few. */
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

function clearCell(cells: usize, width: i32, row: usize): void {
  if (width === 2) store<i16>(cells + (row << 1), 0)
  else if (width === 4) store<i32>(cells + (row << 2), 0)
  else store<i64>(cells + (row << 3), 0)
}

/** Returns the bytes of a row's cell. */
function cellWidth(field: Field): i32 {
  return field.kind === KIND_DICTIONARY ? field.indexBytes : 8
}

/** Counts the bits that are set in `count` bytes; those up to the next multiple of 8 bytes must be 0. */
function countBits(p: usize, count: i32): i32 {
  let bits: u64 = 0
  for (let i = 0; i < count; i += 8) bits += popcnt(load<u64>(p + i))
  return <i32>bits
}

/**
 * Writes the texts of a field's rows in sequence to `bytes`, and where each ends, plus `base`, to `ends` (i32).
 * @returns the number of bytes. Up to 15 bytes after them are overwritten, too.
 */
export function gatherTexts(index: i32, firstRow: i32, count: i32, base: i32, ends: usize, bytes: usize): usize {
  const field = fieldAt(index)
  let cell = field.cells + ((<usize>firstRow) << 3)
  const bits = field.validity
  let target = bytes
  for (let row = firstRow; row < firstRow + count; row++, cell += 8, ends += 4) {
    if (isValid(bits, row)) {
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

/** Does the same for the indices of a set column, in its width; returns their number. */
export function gatherLists(index: i32, firstRow: i32, count: i32, base: i32, ends: usize, elements: usize): i32 {
  const field = fieldAt(index)
  let cell = field.cells + ((<usize>firstRow) << 3)
  const bits = field.validity
  const isNarrow = field.indexBytes === 2
  let total: usize = 0
  for (let row = firstRow; row < firstRow + count; row++, cell += 8, ends += 4) {
    if (isValid(bits, row)) {
      const start = <usize>load<u32>(cell)
      const length = <usize>load<u32>(cell, 4)
      for (let i: usize = 0; i < length; i++, total++) {
        const element = load<i32>(start + (i << 2))
        if (isNarrow) store<i16>(elements + (total << 1), <i16>element)
        else store<i32>(elements + (total << 2), element)
      }
    }
    store<i32>(ends, base + <i32>total)
  }
  return <i32>total
}
