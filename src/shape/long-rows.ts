/** Rows of the long layout under construction: the cells of a range of records, filled question by question. */

import { type Data, type DataType, makeData, type Vector } from 'apache-arrow'
import type { Indices } from '../columns/labels.ts'
import { State, validityOf } from './recipe.ts'

/** Values that most rows lack, and their validity. */
class SparseValues<A extends { readonly buffer: ArrayBufferLike }> {
  readonly values: A
  readonly validity: Uint8Array
  count = 0

  constructor(values: A, rows: number) {
    this.values = values
    this.validity = new Uint8Array((rows + 7) >> 3)
  }

  setValid(row: number): void {
    this.validity[row >> 3]! |= 1 << (row & 7)
    this.count++
  }

  data(type: DataType, rows: number, dictionary?: Vector): Data {
    const more = dictionary === undefined ? {} : { dictionary }
    const nullCount = rows - this.count
    const nullBitmap = nullCount === 0 ? undefined : this.validity
    return makeData({ type, length: rows, nullCount, nullBitmap, data: this.values, ...more } as never)
  }
}

/** The records of a batch from `from` up to, but not including, `to`. */
export interface RecordRange {
  readonly from: number
  readonly to: number
  /** Rows of all records in the range. */
  readonly rows: number
  /** Per record of the batch, its number of rows. */
  readonly rowsOfRecord: Int32Array
}

/** A question's number among the questions, and the states and data of its column. */
interface QuestionCells {
  readonly question: number
  readonly states: Int8Array
  readonly data: Data
}

/** Per index of an option in its question's dictionary, its indices in the merged dictionaries. */
interface OptionIndices {
  readonly ids: readonly number[]
  readonly labels: readonly number[]
}

/** The texts of one question, and their rows. */
interface TextSource {
  readonly data: Data
  /** Per record of the range, the row of its text; -1 if it has none. */
  readonly rowOfRecord: Int32Array
}

export class LongRows {
  readonly range: RecordRange
  readonly questions: Indices
  readonly states: Int8Array
  readonly optionIds: SparseValues<Indices>
  readonly optionLabels: Indices
  readonly positions: SparseValues<Int32Array>
  readonly doubles: SparseValues<Float64Array>
  readonly datetimes: SparseValues<BigInt64Array>
  readonly #texts: TextSource[] = []
  /** Per record of the range, its next row to fill. */
  readonly #next: Int32Array

  constructor(range: RecordRange, questions: Indices, optionIds: Indices, optionLabels: Indices) {
    const { rows } = range
    this.range = range
    this.questions = questions
    this.states = new Int8Array(rows)
    this.optionIds = new SparseValues(optionIds, rows)
    this.optionLabels = optionLabels
    this.positions = new SparseValues(new Int32Array(rows), rows)
    this.doubles = new SparseValues(new Float64Array(rows), rows)
    this.datetimes = new SparseValues(new BigInt64Array(rows), rows)
    this.#next = new Int32Array(range.to - range.from)
    let next = 0
    for (let i = 0; i < this.#next.length; i++) {
      this.#next[i] = next
      next += range.rowsOfRecord[range.from + i]!
    }
  }

  addChoices(cells: QuestionCells, { ids, labels }: OptionIndices): void {
    const indices: ArrayLike<number> = cells.data.values
    const { from } = this.range
    const { values, validity } = this.optionIds
    const { optionLabels } = this
    const rowOfRecord = this.#addAnswers(cells)
    let count = 0
    for (let i = 0; i < rowOfRecord.length; i++) {
      const row = rowOfRecord[i]!
      if (row < 0) continue
      const option = indices[from + i]!
      values[row] = ids[option]!
      optionLabels[row] = labels[option]!
      validity[row >> 3]! |= 1 << (row & 7)
      count++
    }
    this.optionIds.count += count
  }

  /** Adds one row for each chosen option, or one row without an option for an empty set. */
  addSets({ question, states, data }: QuestionCells, { ids, labels }: OptionIndices): void {
    const { from, to } = this.range
    const { questions, optionLabels, states: shownStates } = this
    const { values: optionIds, validity } = this.optionIds
    const { values: positions, validity: hasPosition } = this.positions
    const next = this.#next
    const offsets: Int32Array = data.valueOffsets
    const indices: ArrayLike<number> = data.children[0]!.values
    let count = 0
    for (let record = from; record < to; record++) {
      const state = states[record]!
      if (state === State.notAsked) continue
      let row = next[record - from]!
      const start = offsets[record]!
      const end = offsets[record + 1]!
      if (start === end) {
        questions[row] = question
        shownStates[row++] = state
      }
      for (let i = start; i < end; i++) {
        const option = indices[i]!
        questions[row] = question
        optionIds[row] = ids[option]!
        optionLabels[row] = labels[option]!
        positions[row] = i - start + 1
        validity[row >> 3]! |= 1 << (row & 7)
        hasPosition[row >> 3]! |= 1 << (row & 7)
        row++
      }
      count += end - start
      next[record - from] = row
    }
    this.optionIds.count += count
    this.positions.count += count
  }

  addDoubles(cells: QuestionCells): void {
    copyValues(cells.data.values as Float64Array, this.range.from, this.#addAnswers(cells), this.doubles)
  }

  addDatetimes(cells: QuestionCells): void {
    copyValues(cells.data.values as BigInt64Array, this.range.from, this.#addAnswers(cells), this.datetimes)
  }

  addTexts(cells: QuestionCells): void {
    this.#texts.push({ data: cells.data, rowOfRecord: this.#addAnswers(cells) })
  }

  /** Adds one row for every record that was asked; returns the rows of those that answered, -1 for all others. */
  #addAnswers({ question, states }: QuestionCells): Int32Array {
    const { from, to } = this.range
    const { questions, states: shownStates } = this
    const next = this.#next
    const rowOfRecord = new Int32Array(to - from)
    for (let i = 0; i < rowOfRecord.length; i++) {
      const state = states[from + i]!
      rowOfRecord[i] = -1
      if (state === State.notAsked) continue
      const row = next[i]!++
      questions[row] = question
      if (state === State.answered) rowOfRecord[i] = row
      else shownStates[row] = state
    }
    return rowOfRecord
  }

  /** Returns the texts of all text questions as one column. */
  textData(type: DataType): Data {
    const { rows, from } = this.range
    const texts = new SparseValues(new Int32Array(rows + 1), rows)
    const valueOffsets = texts.values
    for (const { data, rowOfRecord } of this.#texts) {
      const offsets: Int32Array = data.valueOffsets
      for (let i = 0; i < rowOfRecord.length; i++) {
        const row = rowOfRecord[i]!
        if (row < 0) continue
        valueOffsets[row + 1] = offsets[from + i + 1]! - offsets[from + i]!
        texts.setValid(row)
      }
    }
    for (let row = 0; row < rows; row++) valueOffsets[row + 1]! += valueOffsets[row]!
    const bytes = new Uint8Array(valueOffsets[rows]!)
    for (const { data, rowOfRecord } of this.#texts) {
      const offsets: Int32Array = data.valueOffsets
      for (let i = 0; i < rowOfRecord.length; i++) {
        const row = rowOfRecord[i]!
        if (row >= 0) copyBytes(data.values, offsets[from + i]!, offsets[from + i + 1]!, bytes, valueOffsets[row]!)
      }
    }
    const nullBitmap = texts.count === rows ? undefined : texts.validity
    return makeData({
      type,
      length: rows,
      nullCount: rows - texts.count,
      nullBitmap,
      valueOffsets,
      data: bytes,
    } as never)
  }

  /** Returns a column that repeats each record's text in all of its rows. */
  repeatedTexts(data: Data): Data {
    const { rows, from, to, rowsOfRecord } = this.range
    const offsets: Int32Array = data.valueOffsets
    const valueOffsets = new Int32Array(rows + 1)
    let row = 0
    for (let record = from; record < to; record++) {
      const length = offsets[record + 1]! - offsets[record]!
      for (let k = rowsOfRecord[record]!; k > 0; k--, row++) valueOffsets[row + 1] = valueOffsets[row]! + length
    }
    const bytes = new Uint8Array(valueOffsets[rows]!)
    let pos = 0
    for (let record = from; record < to; record++) {
      const start = offsets[record]!
      const length = offsets[record + 1]! - start
      const end = pos + length * rowsOfRecord[record]!
      if (end === pos) continue
      copyBytes(data.values, start, start + length, bytes, pos)
      for (let filled = length; pos + filled < end; filled *= 2) {
        bytes.copyWithin(pos + filled, pos, Math.min(pos + filled, end - filled))
      }
      pos = end
    }
    return makeData({
      type: data.type,
      length: rows,
      valueOffsets,
      data: bytes,
      ...this.#repeatedValidity(data),
    } as never)
  }

  /** Returns a column that repeats each record's value in all of its rows; its buffer is `into`. */
  repeatedValues(data: Data, into: BigInt64Array): Data {
    const { rows, from, to, rowsOfRecord } = this.range
    const values: BigInt64Array = data.values
    let row = 0
    for (let record = from; record < to; record++) {
      const end = row + rowsOfRecord[record]!
      into.fill(values[record]!, row, end)
      row = end
    }
    return makeData({ type: data.type, length: rows, data: into, ...this.#repeatedValidity(data) } as never)
  }

  #repeatedValidity(data: Data): { nullCount: number; nullBitmap?: Uint8Array } {
    const { rows, from, to, rowsOfRecord } = this.range
    const validity = validityOf(data)
    if (validity === undefined) return { nullCount: 0 }
    const nullBitmap = new Uint8Array((rows + 7) >> 3)
    let row = 0
    let nullCount = 0
    for (let record = from; record < to; record++) {
      const isValid = (validity[record >> 3]! & (1 << (record & 7))) !== 0
      for (let k = rowsOfRecord[record]!; k > 0; k--, row++) {
        if (isValid) nullBitmap[row >> 3]! |= 1 << (row & 7)
        else nullCount++
      }
    }
    return { nullCount, nullBitmap }
  }

  /** Returns the number of each row's record, counted from 1 over the whole export. */
  recordNumbers(recordsBefore: number): Int32Array {
    const { rows, from, to, rowsOfRecord } = this.range
    const numbers = new Int32Array(rows)
    let row = 0
    for (let record = from; record < to; record++) {
      const end = row + rowsOfRecord[record]!
      numbers.fill(recordsBefore + record + 1, row, end)
      row = end
    }
    return numbers
  }
}

function copyValues<A extends Float64Array | BigInt64Array>(
  values: A,
  from: number,
  rowOfRecord: Int32Array,
  into: SparseValues<A>,
): void {
  for (let i = 0; i < rowOfRecord.length; i++) {
    const row = rowOfRecord[i]!
    if (row < 0) continue
    into.values[row] = values[from + i]!
    into.setValid(row)
  }
}

/** Up to this many bytes, a loop copies faster than a call of `set`. */
const SHORT_TEXT_BYTES = 32

function copyBytes(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  if (end - start > SHORT_TEXT_BYTES) into.set(from.subarray(start, end), at)
  else for (let i = start; i < end; i++) into[at + i - start] = from[i]!
}
