/** Definition levels of a top-level column: they are its validity bitmap, one bit per row. */

import type { Data } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import type { PageKernel } from './kernel/page-kernel.ts'
import type { Leaf } from './schema-tree.ts'

/** Collects the rows of one page. */
export class FlatLevels {
  readonly #kernel: PageKernel
  readonly #column: string
  readonly #isNullable: boolean
  #rowCount = 0
  #validCount = 0

  constructor(leaf: Leaf, kernel: PageKernel) {
    this.#kernel = kernel
    this.#column = leaf.path.join('.')
    this.#isNullable = leaf.maxDefinition > 0
  }

  get rowCount(): number {
    return this.#rowCount
  }

  /** Rows of the page that are not null. */
  get validCount(): number {
    return this.#validCount
  }

  /**
   * Adds `rows[start..end)`.
   * @returns The address of a bitmap in which row `start` is the bit numbered by `rowCount` before the call; 0 if none
   *   of the rows is null.
   * @throws ExportError `ERR_PARQUET` for a null in a column that is not nullable.
   */
  append(data: Data, start: number, end: number): number {
    const { at, bytes, call } = this.#kernel
    const count = end - start
    const bit = this.#rowCount
    this.#rowCount += count
    if (data.nullCount === 0) {
      this.#validCount += count
      if (this.#isNullable) call.appendOnes(at.definitionBits, bit, count)
      return 0
    }
    if (!this.#isNullable) {
      const column = quoted(this.#column)
      throw new ExportError('ERR_PARQUET', `expected a value, found null in column ${column}, which is not nullable`)
    }
    const firstBit = data.offset + start
    bytes.set(data.nullBitmap.subarray(firstBit >> 3, (firstBit + count + 7) >> 3), at.validity)
    this.#validCount += call.appendBits(at.validity, firstBit & 7, at.definitionBits, bit, count)
    return at.definitionBits
  }

  /**
   * Writes the levels after their length in four bytes, starts the next page, and returns the end of what was written.
   */
  write(pos: number): number {
    const rows = this.#rowCount
    const valid = this.#validCount
    this.#rowCount = this.#validCount = 0
    if (!this.#isNullable) return pos
    const { at, call } = this.#kernel
    return withLength(this.#kernel, pos, (start) => {
      if (valid === rows) return call.writeRun(1, rows, 1, start)
      if (valid === 0) return call.writeRun(0, rows, 1, start)
      return call.encodeBits(at.definitionBits, rows, start)
    })
  }
}

/** Writes a level stream after its length in four bytes, and returns the end of what was written. */
export function withLength({ bytes }: PageKernel, pos: number, write: (pos: number) => number): number {
  const end = write(pos + 4)
  const length = end - pos - 4
  bytes[pos] = length
  bytes[pos + 1] = length >>> 8
  bytes[pos + 2] = length >>> 16
  bytes[pos + 3] = length >>> 24
  return end
}
