/** Columns of fixed-width values: float64, and timestamp[us, UTC]. */

import { type Data, Float64, makeData, TimestampMicrosecond } from 'apache-arrow'
import { isDigit, MINUS, QUOTE } from '../json/bytes.ts'
import type { Cursor } from '../json/cursor.ts'
import { type Instant, readDatetime } from '../json/datetime.ts'
import { isIntegerRounded, readNumber, readNumericText } from '../json/number.ts'
import { type ColumnBlock, copyElements } from './block.ts'
import { copyInto, invalidValue, ScalarColumn } from './column.ts'

const FLOAT64 = new Float64()

export class DoubleColumn extends ScalarColumn {
  #values = new Float64Array(0)

  appendElement(row: number, cursor: Cursor): void {
    const start = cursor.pos
    const byte = cursor.bytes[start]!
    let value = Number.NaN
    if (byte === QUOTE) {
      value = readNumericText(cursor)
      if (Number.isFinite(value)) this.notes.add('numeric-text')
    } else if (isDigit(byte) || byte === MINUS) {
      value = readNumber(cursor)
    }
    if (Number.isNaN(value)) throw invalidValue(cursor, start, 'a number')
    if (!Number.isFinite(value)) throw invalidValue(cursor, start, 'a number that fits a float64')
    if (isIntegerRounded(value, cursor, start)) this.notes.add('rounded-integer')
    this.reserveRow(row)
    this.#values[row] = value
    this.setValid(row)
  }

  appendBlock(row: number, block: ColumnBlock): void {
    this.appendValidity(row, block)
    copyElements(block.values, block.first, block.first + block.rows, this.#values, row)
  }

  protected take(rows: number): Data {
    const values = this.#values
    const data = values.subarray(0, rows)
    this.#values = new Float64Array(0)
    const validity = this.takeValidity(rows, () => {
      this.#values = values
    })
    return makeData({ type: FLOAT64, length: rows, data, ...validity })
  }

  protected resize(rows: number): void {
    this.#values = copyInto(this.#values, new Float64Array(rows))
  }
}

const TIMESTAMP = new TimestampMicrosecond('UTC')

/** Instants within this many seconds of 1970 (about 1685 to 2255) have microseconds that a float64 holds exactly. */
const MAX_EXACT_SECONDS = 9_000_000_000

const TWO_TO_32 = 4_294_967_296

export class TimestampColumn extends ScalarColumn {
  /** Microseconds since 1970 as pairs of words, low word first: a BigInt for each would have to be allocated. */
  #words = new Int32Array(0)
  readonly #instant: Instant = { seconds: 0, microseconds: 0 }

  appendElement(row: number, cursor: Cursor): void {
    const start = cursor.pos
    const instant = this.#instant
    if (cursor.bytes[start] !== QUOTE || !readDatetime(cursor, instant)) {
      throw invalidValue(cursor, start, 'a date-time such as "2026-03-01T10:00:00Z"')
    }
    this.reserveRow(row)
    const words = this.#words
    if (Math.abs(instant.seconds) < MAX_EXACT_SECONDS) {
      const microseconds = instant.seconds * 1_000_000 + instant.microseconds
      const high = Math.floor(microseconds / TWO_TO_32)
      words[row * 2] = microseconds - high * TWO_TO_32
      words[row * 2 + 1] = high
    } else {
      const microseconds = BigInt(instant.seconds) * 1_000_000n + BigInt(instant.microseconds)
      words[row * 2] = Number(BigInt.asIntN(32, microseconds))
      words[row * 2 + 1] = Number(microseconds >> 32n)
    }
    this.setValid(row)
  }

  appendBlock(row: number, block: ColumnBlock): void {
    this.appendValidity(row, block)
    copyElements(block.values, block.first * 2, (block.first + block.rows) * 2, this.#words, row * 2)
  }

  protected take(rows: number): Data {
    const words = this.#words
    const data = new BigInt64Array(words.buffer, 0, rows)
    this.#words = new Int32Array(0)
    const validity = this.takeValidity(rows, () => {
      this.#words = words
    })
    return makeData({ type: TIMESTAMP, length: rows, data, ...validity })
  }

  protected resize(rows: number): void {
    this.#words = copyInto(this.#words, new Int32Array(rows * 2))
  }
}
