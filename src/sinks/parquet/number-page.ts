/** Collects rows of a column of 64-bit numbers as pages: floating point numbers, or integers such as timestamps. */

import { type Data, DataType } from 'apache-arrow'
import type { ColumnCoding } from './column-coding.ts'
import { FlatLevels } from './flat-levels.ts'
import type { Statistics } from './format.ts'
import { type PageKernel, VALUE_ROWS } from './kernel/page-kernel.ts'
import { bodyBeforeValues, bodyUpTo, indexBody, type PageBody } from './page-body.ts'
import type { Leaf } from './schema-tree.ts'
import type { ValuePage } from './value-page.ts'

const NUMBER_BYTES = 8

export class NumberPage implements ValuePage {
  readonly levels: FlatLevels
  readonly #kernel: PageKernel
  readonly #coding: ColumnCoding
  readonly #isFloat: boolean
  #valueCount = 0

  constructor(leaf: Leaf, type: DataType, coding: ColumnCoding, kernel: PageKernel) {
    this.levels = new FlatLevels(leaf, kernel)
    this.#kernel = kernel
    this.#coding = coding
    this.#isFloat = DataType.isFloat(type)
    const bounds = new DataView(kernel.bytes.buffer, kernel.at.bounds)
    if (this.#isFloat) {
      bounds.setFloat64(0, Number.POSITIVE_INFINITY, true)
      bounds.setFloat64(8, Number.NEGATIVE_INFINITY, true)
    } else {
      bounds.setBigInt64(0, 2n ** 63n - 1n, true)
      bounds.setBigInt64(8, -(2n ** 63n), true)
    }
  }

  lastThatFits(data: Data, start: number): number {
    return Math.min(data.length, start + VALUE_ROWS - this.levels.rowCount)
  }

  append(data: Data, start: number, end: number): void {
    const { at, bytes, call } = this.#kernel
    const { buffer, byteOffset } = data.values as Float64Array | BigInt64Array
    const values = new Uint8Array(buffer, byteOffset + start * NUMBER_BYTES, (end - start) * NUMBER_BYTES)
    const bit = this.levels.rowCount
    const into = at.values + this.levels.validCount * NUMBER_BYTES
    const validity = this.levels.append(data, start, end)
    if (validity === 0) {
      bytes.set(values, into)
    } else {
      bytes.set(values, at.source)
      call.keepInt64(at.source, validity, bit, end - start, into)
    }
  }

  index(): boolean {
    const { at, call } = this.#kernel
    return call.indexNumbers(at.values, this.levels.validCount, at.indices) !== 0
  }

  finish(): PageBody {
    const { at, call } = this.#kernel
    const count = this.levels.validCount
    this.#valueCount += count
    if (this.#isFloat) call.extremeDoubles(at.values, count, at.bounds)
    else call.extremeIntegers(at.values, count, at.bounds)
    const pos = this.levels.write(at.body)
    if (this.#coding === 'dictionary') return indexBody(this.#kernel, pos, count)
    if (this.#coding === 'plain')
      return bodyBeforeValues(this.#kernel, pos, { address: at.values, byteCount: count * NUMBER_BYTES })
    return bodyUpTo(at.body, call.encodeDeltas(at.values, count, at.differences, pos))
  }

  largeRow(): never {
    throw new RangeError(`expected room for numbers of ${NUMBER_BYTES} bytes in the kernel's memory`)
  }

  bounds(): Statistics {
    const { at, bytes } = this.#kernel
    const min = bytes.slice(at.bounds, at.bounds + NUMBER_BYTES)
    const max = bytes.slice(at.bounds + NUMBER_BYTES, at.bounds + 2 * NUMBER_BYTES)
    if (this.#valueCount === 0) return {}
    if (this.#isFloat && !withSignedZeros(min, max)) return {}
    return { min, max, isMinExact: true, isMaxExact: true }
  }
}

/**
 * Spec: a smallest value of zero is written as -0.0 and a largest one as +0.0, since the two compare as equal.
 * @returns false if all values were NaN.
 */
function withSignedZeros(min: Uint8Array, max: Uint8Array): boolean {
  const [minView, maxView] = [new DataView(min.buffer), new DataView(max.buffer)]
  const [smallest, largest] = [minView.getFloat64(0, true), maxView.getFloat64(0, true)]
  if (smallest === 0) minView.setFloat64(0, -0, true)
  if (largest === 0) maxView.setFloat64(0, 0, true)
  return smallest <= largest
}
