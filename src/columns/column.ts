/**
 * Base of all columns: rows are appended one after another, a row that turns out to be incomplete is rolled back, and
 * `finish` returns the rows as Arrow data. A row that is not appended is null.
 *
 * `appendValues` → (`rollback` → `appendValues` again) … → `finish`.
 *
 * Buffer reuse: `finish` hands the column's buffers to the batch without a copy, and the column starts the next batch
 * with new ones. With `keepsBuffers`, the column also remembers them, and `recycle` makes the buffers of the last batch
 * those of the next one, which saves allocating and zeroing pages. Only the caller knows when nothing reads that batch
 * any more. Piece workers call `DocumentDecoder.recycle` after encoding a batch. Sinks call `recycle` of their reader,
 * which leads to `ShapedBatches.release`; that calls the decoder's `recycle` once every batch made from the decoded one
 * is released. The buffers of a batch that is never released stay with that batch.
 */

import type { Data } from 'apache-arrow'
import { ValueError } from '../errors.ts'
import { CLOSE_ARRAY, LOWER_N, OPEN_ARRAY } from '../json/bytes.ts'
import type { Cursor } from '../json/cursor.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import type { WarningKind } from '../warnings.ts'
import { type ColumnBlock, copyElements } from './block.ts'

/** Collects warnings about the record being read. */
export interface Notes {
  add(kind: WarningKind, detail?: string): void
}

/** Results of `appendValues`. */
export const SKIPPED = false
export const ANSWERED = true

/** Rows that a first buffer has room for. */
const MIN_ROWS = 64

/** Factor by which buffers grow. It can be large because pages of new buffers take no memory until written. */
const GROWTH = 4

/** Shared by all columns without rows, so that thousands of them cost little. */
const NO_BITS = new Uint8Array(0)
export const NO_OFFSETS = new Int32Array(1)

export abstract class Column {
  readonly plan: ColumnPlan
  protected readonly notes: Notes
  /** One bit per row, least significant first; 1 = not null. */
  protected validity: Uint8Array<ArrayBuffer> = NO_BITS
  /** Rows that the buffers have room for; 0 until the first answer, so that unanswered columns cost nothing. */
  protected capacity = 0
  /** Whether the buffers of a finished batch are kept for `recycle`. */
  keepsBuffers = false
  /** Makes the buffers of the last batch the column's buffers again; undefined if there are none to reuse. */
  #restoreBuffers: (() => void) | undefined
  /** Rows of the last batch; the next one will have about as many. */
  #expectedRows = MIN_ROWS

  constructor(plan: ColumnPlan, notes: Notes) {
    this.plan = plan
    this.notes = notes
  }

  /**
   * Reads the `values` of an answer: `null`, an array, or a bare value, which counts as an array of one.
   * @returns `ANSWERED` or `SKIPPED`.
   */
  abstract appendValues(row: number, cursor: Cursor): boolean

  /** Appends the rows of a block from `row` on, which is the next row or a later one. Rows without a value are null. */
  abstract appendBlock(row: number, block: ColumnBlock): void

  /** Bytes of texts and list elements in the batch so far, which do not depend on its number of rows. */
  get variableBytes(): number {
    return 0
  }

  /** Resets the dictionary, if there is one, to the options of the definition. */
  forgetUnknownOptions(): void {}

  /** Removes everything that was appended for `row`. */
  abstract rollback(row: number): void

  /** Returns the first `rows` rows as Arrow data, which takes the buffers; the column is then empty. */
  finish(rows: number): Data {
    if (rows > this.capacity) this.reserveRow(rows - 1)
    return this.take(rows)
  }

  /** Sets how many rows the batch is likely to have, so that room for all is made at once. */
  expectRows(rows: number): void {
    this.#expectedRows = Math.max(this.#expectedRows, rows)
  }

  /** Estimates the bytes or elements that `rows` rows will need from the `filled` rows so far. */
  expectElements(_rows: number, _filled: number): void {}

  /** Reuses the buffers of the last batch, which must not be read any more, unless the next batch has begun. */
  recycle(): void {
    if (this.capacity > 0) return
    this.#restoreBuffers?.()
    this.#restoreBuffers = undefined
  }

  /** Returns the rows as Arrow data, which takes the buffers. These have room for at least `rows` rows. */
  protected abstract take(rows: number): Data

  /** Extends the buffers that hold one element per row to `rows` elements, keeping their contents. */
  protected abstract resize(rows: number): void

  protected reserveRow(row: number): void {
    if (row < this.capacity) return
    const rows = Math.max(row + 1, this.capacity * GROWTH, this.#expectedRows)
    this.validity = copyInto(this.validity, new Uint8Array((rows + 7) >> 3))
    this.resize(rows)
    this.capacity = rows
  }

  /** Makes room for the rows of a block and copies their validity bits. */
  protected appendValidity(row: number, { first, rows, validity: bits }: ColumnBlock): void {
    this.reserveRow(row + rows - 1)
    const { validity } = this
    const from = row >> 3
    validity[from]! |= bits[0]!
    copyElements(bits, 1, (first + rows + 7) >> 3, validity, from + 1)
  }

  protected setValid(row: number): void {
    this.validity[row >> 3]! |= 1 << (row & 7)
  }

  protected setAllValid(from: number, to: number): void {
    const { validity } = this
    const firstByte = from >> 3
    const lastByte = to >> 3
    validity.fill(0xff, firstByte + 1, lastByte)
    const fromBits = 0xff << (from & 7)
    const toBits = (1 << (to & 7)) - 1
    if (firstByte === lastByte) validity[firstByte]! |= fromBits & toBits
    else {
      validity[firstByte]! |= fromBits
      if (toBits !== 0) validity[lastByte]! |= toBits
    }
  }

  protected setNull(row: number): void {
    if (row < this.capacity) this.validity[row >> 3]! &= ~(1 << (row & 7))
  }

  /**
   * Returns the validity of a finished batch, as `makeData` takes it. The column then has no buffers.
   * @param restore Makes the other buffers of the batch the column's own again; called by `recycle`.
   */
  protected takeValidity(rows: number, restore: () => void): { nullCount: number; nullBitmap: Uint8Array | undefined } {
    const { validity, capacity } = this
    const bitmap = validity.subarray(0, (rows + 7) >> 3)
    const nullCount = rows - countBits(bitmap, rows)
    if (rows > 0) this.#expectedRows = rows
    const restoreAll = () => {
      this.validity = validity.fill(0)
      this.capacity = capacity
      restore()
    }
    this.#restoreBuffers = this.keepsBuffers ? restoreAll : undefined
    this.validity = NO_BITS
    this.capacity = 0
    return { nullCount, nullBitmap: nullCount === 0 ? undefined : bitmap }
  }
}

/** A column that holds at most one value per row. */
export abstract class ScalarColumn extends Column {
  /** Reads the only value of `row`, at the cursor. The value is not null. */
  abstract appendElement(row: number, cursor: Cursor): void

  appendValues(row: number, cursor: Cursor): boolean {
    if (cursor.bytes[cursor.pos] === LOWER_N) {
      cursor.expectLiteral('null')
      return SKIPPED
    }
    if (cursor.bytes[cursor.pos] !== OPEN_ARRAY) {
      this.appendElement(row, cursor)
      return ANSWERED
    }
    const start = cursor.pos
    if (!cursor.enter(OPEN_ARRAY, CLOSE_ARRAY)) return SKIPPED
    let nulls = 0
    let values = 0
    let misfit: ValueError | undefined
    do {
      if (cursor.bytes[cursor.pos] === LOWER_N) {
        cursor.expectLiteral('null')
        nulls++
      } else if (values++ === 0) {
        misfit = this.#misfitOf(row, cursor)
      } else {
        cursor.skipValue()
      }
    } while (cursor.nextOf(CLOSE_ARRAY))
    if (values > 1) throw tooManyValues(cursor, start, values, this.plan)
    if (misfit !== undefined) throw misfit
    if (values === 0) return SKIPPED
    if (nulls > 0) this.notes.add('null-among-values')
    return ANSWERED
  }

  /** Reads the first value and returns the error about it, which is thrown only if no other value follows. */
  #misfitOf(row: number, cursor: Cursor): ValueError | undefined {
    try {
      this.appendElement(row, cursor)
      return undefined
    } catch (error) {
      // The cursor is past the value already.
      if (error instanceof ValueError) return error
      throw error
    }
  }

  rollback(row: number): void {
    this.setNull(row)
  }
}

function tooManyValues(cursor: Cursor, start: number, values: number, plan: ColumnPlan): ValueError {
  return new ValueError(
    'ERR_TOO_MANY_VALUES',
    `expected one value for ${plan.field?.dataType}, found ${values} values`,
    {
      ...cursor.place(),
      byteOffset: cursor.offsetOf(start),
    },
  )
}

/** Bytes of an invalid value that a message shows. */
const MAX_SHOWN_BYTES = 80

/** Returns an error that shows the value at `start`; the cursor stands at that value or after it. */
export function invalidValue(cursor: Cursor, start: number, expected: string): ValueError {
  cursor.pos = start
  cursor.skipValue()
  const isCut = cursor.pos - start > MAX_SHOWN_BYTES
  const shown = isCut ? `${cursor.text(start, start + MAX_SHOWN_BYTES)}…` : cursor.text(start, cursor.pos)
  return new ValueError('ERR_VALUE', `expected ${expected}, found ${shown.replace(/\s+/g, ' ')}`, {
    ...cursor.place(),
    byteOffset: cursor.offsetOf(start),
  })
}

/** Copies `from` to the start of `into`, a longer array of its kind, and returns `into`. */
export function copyInto<A extends Uint8Array | Int8Array | Int16Array | Int32Array | Float64Array>(
  from: A,
  into: A,
): A {
  into.set(from)
  return into
}

const BITS_IN_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1
  return bits
})

/** Counts the bits that are set among the first `length` bits. */
function countBits(bitmap: Uint8Array, length: number): number {
  const wholeBytes = length >> 3
  let bits = 0
  for (let i = 0; i < wholeBytes; i++) bits += BITS_IN_BYTE[bitmap[i]!]!
  const rest = length & 7
  return rest === 0 ? bits : bits + BITS_IN_BYTE[bitmap[wholeBytes]! & ((1 << rest) - 1)]!
}
