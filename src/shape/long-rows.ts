/** Rows of the long layout under construction: the cells of some records, question by question, as Arrow buffers. */

import { type Data, type DataType, makeData, type Vector } from 'apache-arrow'
import type { Indices } from '../columns/labels.ts'
import { State, validityOf } from './recipe.ts'

/** Values that most rows do not have, with their validity. */
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

/** The records `from` to `to` of a batch, and how many rows each of them gets. */
export interface RecordRange {
  readonly from: number
  readonly to: number
  readonly rows: number
  readonly rowsOfRecord: Int32Array
}

/** A question in the range: its number among the questions, and the states and data of its column. */
export interface QuestionCells {
  readonly question: number
  readonly states: Int8Array
  readonly data: Data
}

/** Own index of an option → index in the merged dictionaries. */
export interface OptionIndices {
  readonly ids: readonly number[]
  readonly labels: readonly number[]
}

/** A text and where it goes. */
interface TextSource {
  readonly data: Data
  /** Row of each record of the range; -1 where it has none. */
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
  /** The next row of each record. */
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

  addChoices(cells: QuestionCells, options: OptionIndices): void {
    const indices: ArrayLike<number> = cells.data.values
    const { optionIds, optionLabels } = this
    const { ids, labels } = options
    this.#eachAnswer(cells, (row, record) => {
      const option = indices[record]!
      optionIds.values[row] = ids[option]!
      optionLabels[row] = labels[option]!
      optionIds.setValid(row)
    })
  }

  /** A row for each chosen option; one row without an option for an empty set. */
  addSets({ question, states, data }: QuestionCells, options: OptionIndices): void {
    const { from, to } = this.range
    const { questions, optionIds, optionLabels, positions } = this
    const next = this.#next
    const { ids, labels } = options
    const offsets: Int32Array = data.valueOffsets
    const indices: ArrayLike<number> = data.children[0]!.values
    for (let record = from; record < to; record++) {
      const state = states[record]!
      if (state === State.notAsked) continue
      let row = next[record - from]!
      const start = offsets[record]!
      const end = offsets[record + 1]!
      if (state === State.skipped || start === end) {
        questions[row] = question
        this.states[row++] = state
      } else {
        for (let i = start; i < end; i++) {
          const option = indices[i]!
          questions[row] = question
          optionIds.values[row] = ids[option]!
          optionLabels[row] = labels[option]!
          optionIds.setValid(row)
          positions.values[row] = i - start + 1
          positions.setValid(row++)
        }
      }
      next[record - from] = row
    }
  }

  addDoubles(cells: QuestionCells): void {
    const values: Float64Array = cells.data.values
    const { doubles } = this
    this.#eachAnswer(cells, (row, record) => {
      doubles.values[row] = values[record]!
      doubles.setValid(row)
    })
  }

  addDatetimes(cells: QuestionCells): void {
    const values: BigInt64Array = cells.data.values
    const { datetimes } = this
    this.#eachAnswer(cells, (row, record) => {
      datetimes.values[row] = values[record]!
      datetimes.setValid(row)
    })
  }

  addTexts(cells: QuestionCells): void {
    const { from, to } = this.range
    const rowOfRecord = new Int32Array(to - from).fill(-1)
    this.#eachAnswer(cells, (row, record) => {
      rowOfRecord[record - from] = row
    })
    this.#texts.push({ data: cells.data, rowOfRecord })
  }

  #eachAnswer({ question, states }: QuestionCells, answer: (row: number, record: number) => void): void {
    const { from, to } = this.range
    const { questions } = this
    const next = this.#next
    for (let record = from; record < to; record++) {
      const state = states[record]!
      if (state === State.notAsked) continue
      const row = next[record - from]!++
      questions[row] = question
      if (state === State.answered) answer(row, record)
      else this.states[row] = state
    }
  }

  /** The texts of all text questions, in one column. */
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

  /** A text of each record, in all of its rows. */
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

  /** A number of each record, in all of its rows. */
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

  /** Number of each row's record, counted from 1 over the whole export. */
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

/** Shorter texts are copied faster one by one than by a call that needs a view. */
const SHORT_TEXT_BYTES = 32

function copyBytes(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  if (end - start > SHORT_TEXT_BYTES) into.set(from.subarray(start, end), at)
  else for (let i = start; i < end; i++) into[at + i - start] = from[i]!
}
