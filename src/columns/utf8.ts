/** Text columns: offsets and UTF-8 bytes, copied from the document without creating JavaScript strings. */

import { type Data, makeData, Utf8 } from 'apache-arrow'
import { CLOSE_ARRAY, isDigit, LOWER_F, LOWER_N, LOWER_T, MINUS, OPEN_ARRAY, QUOTE } from '../json/bytes.ts'
import { readCompactJson } from '../json/compact.ts'
import type { Cursor } from '../json/cursor.ts'
import { readText, TextBuffer } from '../json/text.ts'
import { type ColumnBlock, copyElements } from './block.ts'
import { ANSWERED, copyInto, invalidValue, NO_OFFSETS, ScalarColumn } from './column.ts'

const UTF8 = new Utf8()

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

export class Utf8Column extends ScalarColumn {
  /** Per row up to `#rowsFilled`, the position of its first byte. */
  #offsets = NO_OFFSETS
  protected text = new TextBuffer()
  #rowsFilled = 0
  #expectedBytes = 0

  /** Reads a text, or the source text of a number, `true` or `false`. */
  appendElement(row: number, cursor: Cursor): void {
    const byte = cursor.bytes[cursor.pos]!
    this.beginRow(row)
    if (byte === QUOTE) {
      this.appendString(cursor)
    } else if (isDigit(byte) || byte === MINUS || byte === LOWER_T || byte === LOWER_F) {
      const start = cursor.pos
      cursor.skipValue()
      this.text.append(cursor.bytes, start, cursor.pos)
    } else {
      this.appendOther(cursor)
    }
    this.endRow(row)
  }

  /** Reads an array or object in place of a text; here, that is an error. */
  protected appendOther(cursor: Cursor): void {
    throw invalidValue(cursor, cursor.pos, 'a text')
  }

  appendBlock(row: number, block: ColumnBlock): void {
    this.appendValidity(row, block)
    if (this.#rowsFilled === 0 && this.text.bytes.length === 0) this.text.reserve(this.#expectedBytes)
    this.#fillOffsets(row)
    const { ends, elements } = block.gather(this.text.end)
    this.text.reserve(elements.length)
    copyElements(elements, 0, elements.length, this.text.bytes, this.text.end)
    this.text.end += elements.length
    copyElements(ends, 0, block.rows, this.#offsets, row + 1)
    this.#rowsFilled = row + block.rows
  }

  protected appendString(cursor: Cursor): void {
    let replaced = readText(cursor, this.text)
    while (replaced-- > 0) this.notes.add('lone-surrogate')
  }

  protected beginRow(row: number): void {
    this.reserveRow(row)
    if (this.#rowsFilled === 0 && this.text.bytes.length === 0) this.text.reserve(this.#expectedBytes)
    this.#fillOffsets(row)
  }

  protected endRow(row: number): void {
    this.#offsets[row + 1] = this.text.end
    this.#rowsFilled = row + 1
    this.setValid(row)
  }

  /** Returns the text of a row of the unfinished batch, for messages; undefined if it has none. */
  textOf(row: number): string | undefined {
    if (!this.isFilled(row)) return undefined
    return decoder.decode(this.text.bytes.subarray(this.#offsets[row], this.#offsets[row + 1]))
  }

  protected isFilled(row: number): boolean {
    return row < this.#rowsFilled && (this.validity[row >> 3]! & (1 << (row & 7))) !== 0
  }

  override get variableBytes(): number {
    return this.text.end
  }

  override expectElements(rows: number, filled: number): void {
    this.#expectedBytes = Math.ceil((this.text.end / filled) * rows)
    if (this.text.end > 0) this.text.reserve(this.#expectedBytes - this.text.end)
  }

  override rollback(row: number): void {
    this.setNull(row)
    if (this.capacity === 0) return
    if (this.#rowsFilled > row) this.#rowsFilled = row
    this.text.end = this.#offsets[this.#rowsFilled]!
  }

  protected take(rows: number): Data {
    this.#fillOffsets(rows)
    const valueOffsets = this.#offsets.subarray(0, rows + 1)
    const offsets = this.#offsets
    const { text } = this
    const { bytes, end } = text
    const validity = this.takeValidity(rows, () => {
      this.#offsets = offsets
      this.text = text
      text.end = 0
    })
    this.#offsets = NO_OFFSETS
    this.text = new TextBuffer()
    this.#rowsFilled = 0
    this.#expectedBytes = end
    return makeData({
      type: UTF8,
      length: rows,
      valueOffsets,
      data: bytes.subarray(0, end),
      ...validity,
    })
  }

  /** Sets the offsets of the rows before `row` that have no text, so that their range is empty. */
  #fillOffsets(row: number): void {
    if (this.#rowsFilled >= row) return
    this.#offsets.fill(this.text.end, this.#rowsFilled + 1, row + 1)
    this.#rowsFilled = row
  }

  protected resize(rows: number): void {
    this.#offsets = copyInto(this.#offsets, new Int32Array(rows + 1))
  }
}

/** The answers to fields that are not in the definition: one JSON object per row, `{"<field id>":<values>,…}`. */
export class ExtraColumn extends Utf8Column {
  /**
   * Adds an answer to the row's object, as compact JSON.
   * @param hasValues Whether the cursor stands at the answer's values; if not, `null` is written.
   */
  appendAnswer(row: number, fieldId: string, cursor: Cursor, hasValues: boolean): void {
    if (this.isFilled(row)) {
      // Overwrites the closing brace.
      this.text.end--
      this.#appendText(',')
    } else {
      this.beginRow(row)
      this.#appendText('{')
    }
    this.#appendText(`${JSON.stringify(fieldId)}:`)
    if (hasValues) readCompactJson(cursor, this.text)
    else this.#appendText('null')
    this.#appendText('}')
    this.endRow(row)
  }

  #appendText(text: string): void {
    const bytes = encoder.encode(text)
    this.text.append(bytes, 0, bytes.length)
  }
}

/** The column of an unknown data type: text as it is, everything else as compact JSON. */
export class JsonColumn extends Utf8Column {
  override appendValues(row: number, cursor: Cursor): boolean {
    const start = cursor.pos
    const hasMany = countValues(cursor) > 1
    cursor.pos = start
    if (!hasMany) return super.appendValues(row, cursor)
    this.beginRow(row)
    readCompactJson(cursor, this.text)
    this.endRow(row)
    return ANSWERED
  }

  protected override appendOther(cursor: Cursor): void {
    readCompactJson(cursor, this.text)
  }
}

/** Moves past `values` and counts those that are not null. */
function countValues(cursor: Cursor): number {
  if (cursor.bytes[cursor.pos] !== OPEN_ARRAY) {
    cursor.skipValue()
    return 1
  }
  if (!cursor.enter(OPEN_ARRAY, CLOSE_ARRAY)) return 0
  let values = 0
  do {
    if (cursor.bytes[cursor.pos] !== LOWER_N) values++
    cursor.skipValue()
  } while (cursor.nextOf(CLOSE_ARRAY))
  return values
}
