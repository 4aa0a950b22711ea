/** Collects rows of a text column as pages. */

import { isUtf8 } from 'node:buffer'
import type { Data } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import type { ColumnCoding } from './column-coding.ts'
import { FlatLevels } from './flat-levels.ts'
import type { Statistics } from './format.ts'
import { type PageKernel, VALUE_BYTES, VALUE_ROWS } from './kernel/page-kernel.ts'
import { bodyBeforeValues, bodyUpTo, indexBody, type PageBody } from './page-body.ts'
import type { Leaf } from './schema-tree.ts'
import { TextBounds } from './text-bounds.ts'
import type { LargeRow, ValuePage } from './value-page.ts'

export class TextPage implements ValuePage {
  readonly levels: FlatLevels
  readonly #column: string
  readonly #kernel: PageKernel
  readonly #coding: ColumnCoding
  readonly #bounds = new TextBounds()
  #byteCount = 0

  constructor(leaf: Leaf, coding: ColumnCoding, kernel: PageKernel) {
    this.levels = new FlatLevels(leaf, kernel)
    this.#column = leaf.path.join('.')
    this.#kernel = kernel
    this.#coding = coding
  }

  lastThatFits({ length, valueOffsets }: Data, start: number): number {
    const offsets: Int32Array = valueOffsets
    const last = Math.min(length, start + VALUE_ROWS - this.levels.rowCount)
    const maxOffset = offsets[start]! + VALUE_BYTES - this.#byteCount
    if (offsets[last]! <= maxOffset) return last
    let fits = start
    let tooMany = last
    while (tooMany - fits > 1) {
      const middle = (fits + tooMany) >>> 1
      if (offsets[middle]! <= maxOffset) fits = middle
      else tooMany = middle
    }
    return fits
  }

  append(data: Data, start: number, end: number): void {
    const { at, bytes, call } = this.#kernel
    const offsets: Int32Array = data.valueOffsets.subarray(start, end + 1)
    const texts = this.#texts(data, start, end)
    const bit = this.levels.rowCount
    const lengths = at.lengths + this.levels.validCount * 8
    const into = at.values + this.#byteCount
    const validity = this.levels.append(data, start, end)
    bytes.set(new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength), at.offsets)
    bytes.set(texts, into)
    const byteCount = call.keepLengths(at.offsets, validity, bit, end - start, lengths)
    if (byteCount < 0 || byteCount > texts.length) throw this.#offsetError()
    if (byteCount < texts.length) call.keepTexts(at.offsets, validity, bit, end - start, into)
    this.#byteCount += byteCount
  }

  index(): boolean {
    const { at, call } = this.#kernel
    return call.indexTexts(at.lengths, this.levels.validCount, at.values, at.indices) !== 0
  }

  finish(): PageBody {
    const { at, call } = this.#kernel
    const count = this.levels.validCount
    const byteCount = this.#byteCount
    this.#byteCount = 0
    if (this.#coding === 'dictionary') return indexBody(this.#kernel, this.levels.write(at.body), count)
    if (count > 0) this.#addBounds(at.lengths, count, at.values)
    const pos = this.levels.write(at.body)
    if (this.#coding === 'plain') {
      const address = call.prefixLengths(at.lengths, count, at.values)
      return bodyBeforeValues(this.#kernel, pos, bodyUpTo(address, at.values + byteCount))
    }
    const end = call.encodeDeltas(at.lengths, count, at.differences, pos)
    return bodyBeforeValues(this.#kernel, end, { address: at.values, byteCount })
  }

  largeRow(data: Data, row: number): LargeRow {
    const { at, bytes } = this.#kernel
    const text = this.#texts(data, row, row + 1)
    this.levels.append(data, row, row + 1)
    const count = this.levels.validCount
    new DataView(bytes.buffer, at.lengths).setBigUint64(0, BigInt(text.length), true)
    const levels = this.levels.write(at.body)
    const start = this.#kernel.copy(at.body, this.#writeLengths(levels, count))
    if (count === 0) return { parts: [start], isNull: true }
    this.#bounds.add(text, text)
    return { parts: [start, text], isNull: false }
  }

  #writeLengths(pos: number, count: number): number {
    const { at, bytes, call } = this.#kernel
    if (this.#coding !== 'plain') return call.encodeDeltas(at.lengths, count, at.differences, pos)
    bytes.copyWithin(pos, at.lengths, at.lengths + 4 * count)
    return pos + 4 * count
  }

  bounds(): Statistics {
    const { at, call } = this.#kernel
    if (this.#coding !== 'dictionary') return this.#bounds.statistics()
    const distinctCount = call.dictionaryEntries()
    if (distinctCount > 0) this.#addBounds(0, distinctCount, at.dictionary)
    return { distinctCount, ...this.#bounds.statistics() }
  }

  #offsetError(): ExportError {
    const column = quoted(this.#column)
    return new ExportError('ERR_PARQUET', `expected text offsets in rising order, found others in column ${column}`)
  }

  #addBounds(lengths: number, count: number, texts: number): void {
    const { at, bytes, call } = this.#kernel
    call.extremeTexts(lengths, count, texts, at.bounds)
    const [min = 0, minLength = 0, max = 0, maxLength = 0] = this.#kernel.int32(at.bounds, 4)
    this.#bounds.add(bytes.subarray(min, min + minLength), bytes.subarray(max, max + maxLength))
  }

  #texts({ valueOffsets, values }: Data, start: number, end: number): Uint8Array {
    const column = quoted(this.#column)
    const from: number | undefined = valueOffsets[start]
    const to: number | undefined = valueOffsets[end]
    if (from === undefined || to === undefined || from < 0 || from > to || to > values.length) {
      const found = `offsets ${from} to ${to} in column ${column}`
      throw new ExportError('ERR_PARQUET', `expected text offsets within ${values.length} bytes, found ${found}`)
    }
    const texts: Uint8Array = values.subarray(from, to)
    if (isUtf8(texts)) return texts
    throw new ExportError('ERR_PARQUET', `expected UTF-8, found other bytes in column ${column}`)
  }
}
