/** Columns of several dictionary values per row: a multiple choice, or the names of the questions that were skipped. */

import { type Data, type DataType, type List, makeData } from 'apache-arrow'
import { CLOSE_ARRAY, LOWER_N, OPEN_ARRAY } from '../json/bytes.ts'
import type { Cursor } from '../json/cursor.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import { type ColumnBlock, copyElements, type Gathered } from './block.ts'
import { ANSWERED, Column, copyInto, NO_OFFSETS, type Notes, SKIPPED } from './column.ts'
import { type Indices, Labels } from './labels.ts'

/** Sets of up to this many options are searched for a repeated one; larger ones keep a mark per option. */
const MAX_SEARCHED_OPTIONS = 16

const NO_MARKS = new Int32Array(0)

export class ListColumn extends Column {
  readonly labels: Labels
  readonly #type: DataType
  readonly #itemType: DataType
  /** Per row up to `#rowsFilled`, the index of its first element. */
  #offsets = NO_OFFSETS
  #rowsFilled = 0
  #indices: Indices
  /** Elements in use. */
  #end = 0
  #expectedElements = 64
  /** Per option, 1 + the position of its last element; used for large sets only. */
  #marks = NO_MARKS

  constructor(plan: ColumnPlan, type: DataType, notes: Notes) {
    super(plan, notes)
    this.labels = new Labels(plan, notes)
    this.#type = type
    this.#itemType = (type as List).children[0]!.type
    this.#indices = this.labels.newIndices(0)
  }

  appendValues(row: number, cursor: Cursor): boolean {
    if (cursor.bytes[cursor.pos] === LOWER_N) {
      cursor.expectLiteral('null')
      return SKIPPED
    }
    this.beginRow(row)
    let nulls = 0
    let repeated = 0
    if (cursor.bytes[cursor.pos] !== OPEN_ARRAY) {
      this.#appendElement(cursor)
    } else if (cursor.enter(OPEN_ARRAY, CLOSE_ARRAY)) {
      do {
        if (cursor.bytes[cursor.pos] === LOWER_N) {
          cursor.expectLiteral('null')
          nulls++
        } else if (!this.#appendElement(cursor)) {
          repeated++
        }
      } while (cursor.nextOf(CLOSE_ARRAY))
    }
    if (nulls > 0 && this.#end === this.#offsets[row]) return SKIPPED
    if (nulls > 0) this.notes.add('null-among-values')
    if (repeated > 0) this.notes.add('option-repeated')
    this.endRow(row)
    return ANSWERED
  }

  override get variableBytes(): number {
    return this.#end * this.elementBytes
  }

  get elementBytes(): number {
    return this.#indices.BYTES_PER_ELEMENT
  }

  beginRow(row: number): void {
    if (row >= this.capacity) this.reserveRow(row)
    if (this.#rowsFilled < row) this.#fillOffsets(row)
    this.#rowsFilled = row
    this.#end = this.#offsets[row]!
  }

  /** Appends an element, which must not be in the row yet. */
  append(index: number): void {
    if (this.#end === this.#indices.length) this.#growIndices()
    this.#indices[this.#end++] = index
  }

  /** Appends an element; returns false if the row already has it. */
  appendOnce(index: number): boolean {
    if (this.#isRepeated(index, this.#offsets[this.#rowsFilled]!)) return false
    this.append(index)
    return true
  }

  #appendElement(cursor: Cursor): boolean {
    const index = this.labels.readIndex(cursor, this.#rowsFilled)
    const isNew = this.appendOnce(index)
    if (isNew) this.labels.noteIfUnknown(index)
    return isNew
  }

  endRow(row: number): void {
    this.#offsets[row + 1] = this.#end
    this.#rowsFilled = row + 1
    this.validity[row >> 3]! |= 1 << (row & 7)
  }

  appendBlock(row: number, block: ColumnBlock): void {
    this.appendValidity(row, block)
    this.#fillOffsets(row)
    const { ends, elements } = block.gather(this.#offsets[row]!)
    this.#appendElements(elements, elements.length)
    copyElements(ends, 0, block.rows, this.#offsets, row + 1)
    this.#rowsFilled = row + block.rows
  }

  /** Appends rows that all have a list, which may be empty. `ends[i]` is one past the last of row i's `elements`. */
  appendLists(row: number, rows: number, ends: Int32Array, elements: Gathered['elements']): void {
    this.reserveRow(row + rows - 1)
    this.#fillOffsets(row)
    const offsets = this.#offsets
    const base = offsets[row]!
    for (let i = 0; i < rows; i++) offsets[row + i + 1] = base + ends[i]!
    this.setAllValid(row, row + rows)
    this.#appendElements(elements, ends[rows - 1]!)
    this.#rowsFilled = row + rows
  }

  #appendElements(elements: Gathered['elements'], count: number): void {
    while (this.#end + count > this.#indices.length) this.#growIndices()
    copyElements(elements, 0, count, this.#indices, this.#end)
    this.#end += count
  }

  #isRepeated(index: number, from: number): boolean {
    if (this.#end - from > MAX_SEARCHED_OPTIONS) return this.#isMarked(index, from)
    const indices = this.#indices
    for (let i = from; i < this.#end; i++) if (indices[i] === index) return true
    return false
  }

  #isMarked(index: number, from: number): boolean {
    if (this.#end === from + MAX_SEARCHED_OPTIONS + 1) {
      for (let i = from; i < this.#end; i++) this.#mark(this.#indices[i]!, i)
    }
    const mark = this.#marks[index] ?? 0
    const isRepeated = mark > from && mark <= this.#end && this.#indices[mark - 1] === index
    if (!isRepeated) this.#mark(index, this.#end)
    return isRepeated
  }

  #mark(index: number, position: number): void {
    if (index >= this.#marks.length) {
      this.#marks = copyInto(
        this.#marks,
        new Int32Array(Math.max(index + 1, this.#marks.length * 2, this.labels.list.length)),
      )
    }
    this.#marks[index] = position + 1
  }

  rollback(row: number): void {
    this.setNull(row)
    this.labels.rollback(row)
    if (this.capacity === 0) return
    if (this.#rowsFilled > row) this.#rowsFilled = row
    this.#end = this.#offsets[this.#rowsFilled]!
  }

  override expectElements(rows: number, filled: number): void {
    this.#expectedElements = Math.max(64, Math.ceil((this.#end / filled) * rows))
  }

  override forgetUnknownOptions(): void {
    this.labels.forgetUnknown()
  }

  protected take(rows: number): Data {
    this.#fillOffsets(rows)
    const dictionary = this.labels.vector
    this.labels.settle()
    const data = this.#indices.subarray(0, this.#end)
    const child = makeData({ type: this.#itemType, length: this.#end, nullCount: 0, data, dictionary } as never)
    const valueOffsets = this.#offsets.subarray(0, rows + 1)
    this.#expectedElements = Math.max(this.#end, 64)
    const offsets = this.#offsets
    const indices = this.#indices
    const validity = this.takeValidity(rows, () => {
      this.#offsets = offsets
      this.#indices = indices
    })
    this.#offsets = NO_OFFSETS
    this.#indices = this.labels.newIndices(0)
    this.#rowsFilled = 0
    this.#end = 0
    return makeData({ type: this.#type, length: rows, valueOffsets, child, ...validity } as never)
  }

  /** Sets the offsets of the rows before `row` that have no list, so that their range is empty. */
  #fillOffsets(row: number): void {
    if (this.#rowsFilled >= row) return
    this.#end = this.#offsets[this.#rowsFilled]!
    this.#offsets.fill(this.#end, this.#rowsFilled + 1, row + 1)
    this.#rowsFilled = row
  }

  #growIndices(): void {
    const length = Math.max(this.#indices.length * 4, this.#expectedElements)
    this.#indices = copyInto<Indices>(this.#indices, this.labels.newIndices(length))
  }

  protected resize(rows: number): void {
    this.#offsets = copyInto(this.#offsets, new Int32Array(rows + 1))
  }
}
