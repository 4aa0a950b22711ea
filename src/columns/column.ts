/**
 * What all columns have in common: one row after another is appended, a row that turned out to be incomplete is taken
 * back, and a finished batch leaves as Arrow data. A row that is not appended is null.
 *
 * `appendValues` → (`rollback` → `appendValues` again) … → `finish`.
 */

import type { Data } from 'apache-arrow'
import { ValueError } from '../errors.ts'
import { CLOSE_ARRAY, LOWER_N, OPEN_ARRAY } from '../json/bytes.ts'
import type { Cursor } from '../json/cursor.ts'
import type { ColumnPlan } from '../schema.ts'
import type { WarningKind } from '../warnings.ts'
import { type ColumnBlock, copyElements } from './block.ts'

/** Takes note of what was odd in the record being read. */
export interface Notes {
  add(kind: WarningKind, detail?: string): void
}

/** What an answer says beside its value. */
export const SKIPPED = false
export const ANSWERED = true

const FEWEST_ROWS = 64

/** New buffers are zero pages that take no memory before they are written, so that growing by much costs little. */
const GROWTH = 4

/** What columns without rows share: thousands of them cost less. */
const NO_BITS = new Uint8Array(0)
export const NO_OFFSETS = new Int32Array(1)

export abstract class Column {
  readonly plan: ColumnPlan
  protected readonly notes: Notes
  /** One bit a row, least significant first; 1 = not null. */
  protected validity: Uint8Array<ArrayBuffer> = NO_BITS
  /** Rows that the buffers have room for; none until the first answer, so that unanswered columns cost nothing. */
  protected capacity = 0
  /** Whether the buffers of a finished batch are kept, so that `recycle` can take them back. */
  keepsBuffers = false
  #keptValidity: Uint8Array<ArrayBuffer> | undefined
  #keptCapacity = 0
  /** Rows of the last batch: the next one will have about as many. */
  #expectedRows = FEWEST_ROWS

  constructor(plan: ColumnPlan, notes: Notes) {
    this.plan = plan
    this.notes = notes
  }

  /**
   * Reads the `values` of an answer: `null`, an array, or a bare value, which counts as an array of one.
   * @returns `ANSWERED` or `SKIPPED`.
   */
  abstract appendValues(row: number, cursor: Cursor): boolean

  /** Takes over rows from `row` on, which is the next one or behind it; those that the block has no value for are null. */
  abstract appendBlock(row: number, block: ColumnBlock): void

  /** Bytes of the batch so far that do not depend on its number of rows. */
  get variableBytes(): number {
    return 0
  }

  /** Makes the dictionary, if there is one, what the definition says. */
  forgetUnknownOptions(): void {}

  /** Takes back whatever was appended for `row`. */
  abstract rollback(row: number): void

  /** The first `rows` rows as Arrow data; the column starts again, empty and with buffers of its own. */
  finish(rows: number): Data {
    if (rows > this.capacity) this.reserveRow(rows - 1)
    return this.take(rows)
  }

  /** Says how many rows the batch is likely to have, so that room for all is made at once. */
  expectRows(rows: number): void {
    this.#expectedRows = Math.max(this.#expectedRows, rows)
  }

  /** Estimates from the `filled` rows so far what else so many rows will need. */
  expectElements(_rows: number, _filled: number): void {}

  /** Takes back the buffers of the last batch, which nobody may use any more, for the next one. */
  recycle(): void {
    if (this.#keptValidity === undefined || this.capacity > 0) return
    this.validity = this.#keptValidity.fill(0)
    this.capacity = this.#keptCapacity
    this.#keptValidity = undefined
    this.restore()
  }

  /** Makes what `keep` kept the column's buffers again, empty. */
  protected abstract restore(): void

  /** Gives away the buffers, which have room for `rows` rows or more. */
  protected abstract take(rows: number): Data

  /** Makes the buffers that hold one element a row as long as `rows`, keeping what they hold. */
  protected abstract resize(rows: number): void

  protected reserveRow(row: number): void {
    if (row < this.capacity) return
    const rows = Math.max(row + 1, this.capacity * GROWTH, this.#expectedRows)
    this.validity = grown(this.validity, new Uint8Array((rows + 7) >> 3))
    this.resize(rows)
    this.capacity = rows
  }

  /** Makes room for the rows of a block and takes over which of them are valid. */
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

  /** Validity of a finished batch, as `makeData` takes it; buffers are given away, the next batch makes new ones. */
  protected takeValidity(rows: number): { nullCount: number; nullBitmap: Uint8Array | undefined } {
    const bitmap = this.validity.subarray(0, (rows + 7) >> 3)
    const nullCount = rows - countBits(bitmap, rows)
    if (rows > 0) this.#expectedRows = rows
    this.#keptValidity = this.keepsBuffers ? this.validity : undefined
    this.#keptCapacity = this.capacity
    this.validity = NO_BITS
    this.capacity = 0
    return { nullCount, nullBitmap: nullCount === 0 ? undefined : bitmap }
  }
}

/** A column that holds at most one value a row. */
export abstract class ScalarColumn extends Column {
  /** Reads the one value of `row`; the cursor stands at it, and it is not null. */
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

  /** Reads the first of several values; an error about it has to wait until it is clear that it is the only one. */
  #misfitOf(row: number, cursor: Cursor): ValueError | undefined {
    try {
      this.appendElement(row, cursor)
      return undefined
    } catch (error) {
      // Whoever throws it has moved the cursor past the value.
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

/** Longest piece of an invalid value that a message shows, in bytes. */
const LONGEST_VALUE_SHOWN = 80

/** An error that shows the value at `start`, which the cursor is behind or at. */
export function invalidValue(cursor: Cursor, start: number, expected: string): ValueError {
  cursor.pos = start
  cursor.skipValue()
  const cut = cursor.pos - start > LONGEST_VALUE_SHOWN
  const shown = cut ? `${cursor.text(start, start + LONGEST_VALUE_SHOWN)}…` : cursor.text(start, cursor.pos)
  return new ValueError('ERR_VALUE', `expected ${expected}, found ${shown.replace(/\s+/g, ' ')}`, {
    ...cursor.place(),
    byteOffset: cursor.offsetOf(start),
  })
}

/** Copies the start of `from` into a longer array of its kind. */
export function grown<A extends Uint8Array | Int8Array | Int16Array | Int32Array | Float64Array>(from: A, into: A): A {
  into.set(from)
  return into
}

const BITS_IN_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1
  return bits
})

/** Set bits among the first `length` bits. */
function countBits(bitmap: Uint8Array, length: number): number {
  const wholeBytes = length >> 3
  let bits = 0
  for (let i = 0; i < wholeBytes; i++) bits += BITS_IN_BYTE[bitmap[i]!]!
  const rest = length & 7
  return rest === 0 ? bits : bits + BITS_IN_BYTE[bitmap[wholeBytes]! & ((1 << rest) - 1)]!
}
