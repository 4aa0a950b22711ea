/** Encodes a column of texts or 64-bit numbers of one row group. */

import { type Data, DataType } from 'apache-arrow'
import { beginDictionary, type ColumnCoding, codingOf, codingWithoutDictionary, MIN_REPEATS } from './column-coding.ts'
import { ColumnPages, type EncodedChunk } from './column-pages.ts'
import { type Compression, ENCODING, type Encodings } from './format.ts'
import type { PageKernel } from './kernel/page-kernel.ts'
import { NumberPage } from './number-page.ts'
import type { Leaf } from './schema-tree.ts'
import { TextPage } from './text-page.ts'
import type { ValuePage } from './value-page.ts'

const DATA_ENCODING = {
  dictionary: ENCODING.rleDictionary,
  plain: ENCODING.plain,
  delta: ENCODING.deltaBinaryPacked,
  deltaLength: ENCODING.deltaLengthByteArray,
} as const

/**
 * Encodes one column of all batches of a row group.
 * @throws ExportError `ERR_PARQUET` if the data breaks Arrow's rules.
 */
export function encodeValueChunk(
  leaf: Leaf,
  parts: readonly Data[],
  kernel: PageKernel,
  compression: Compression,
  encodings: Encodings,
): EncodedChunk {
  const { type } = parts[0]!
  const encoded = (coding: ColumnCoding) => {
    const pages = new ColumnPages(leaf, kernel, compression, DATA_ENCODING[coding])
    return new ValueChunk(valuePage(leaf, type, coding, kernel), pages, coding, kernel).encode(parts)
  }
  const coding = codingOf(parts, valuePage(leaf, type, 'dictionary', kernel), kernel, encodings)
  const chunk = encoded(coding) ?? encoded(codingWithoutDictionary(type, encodings))
  if (chunk === undefined) throw new RangeError(`expected a column without a dictionary, found ${coding}`)
  return chunk
}

function valuePage(leaf: Leaf, type: DataType, coding: ColumnCoding, kernel: PageKernel): ValuePage {
  return DataType.isUtf8(type) ? new TextPage(leaf, coding, kernel) : new NumberPage(leaf, type, coding, kernel)
}

class ValueChunk {
  readonly #page: ValuePage
  readonly #pages: ColumnPages
  readonly #hasDictionary: boolean
  readonly #kernel: PageKernel
  #valueCount = 0
  #nullCount = 0

  constructor(page: ValuePage, pages: ColumnPages, coding: ColumnCoding, kernel: PageKernel) {
    this.#page = page
    this.#pages = pages
    this.#hasDictionary = coding === 'dictionary'
    this.#kernel = kernel
  }

  /**
   * Returns undefined if a dictionary is not worthwhile, because there are more distinct values than the sample
   * suggested.
   */
  encode(parts: readonly Data[]): EncodedChunk | undefined {
    const { at, call } = this.#kernel
    if (this.#hasDictionary) {
      beginDictionary(
        this.#kernel,
        parts.reduce((values, { length, nullCount }) => values + length - nullCount, 0),
      )
    }
    for (const data of parts) if (!this.#addBatch(data)) return undefined
    if (this.#page.levels.rowCount > 0 && !this.#finishPage()) return undefined
    const statistics = { nullCount: this.#nullCount, ...this.#page.bounds() }
    if (this.#hasDictionary) {
      if (call.dictionaryEntries() * MIN_REPEATS > this.#valueCount) return undefined
      this.#pages.addDictionary(at.dictionary, call.dictionaryBytes(), call.dictionaryEntries())
    }
    return { pages: this.#pages, statistics }
  }

  /** Adds the rows of a batch; returns false if the dictionary cannot hold their values. */
  #addBatch(data: Data): boolean {
    const page = this.#page
    let row = 0
    while (row < data.length) {
      const end = page.lastThatFits(data, row)
      if (end > row) page.append(data, row, end)
      else if (page.levels.rowCount > 0) {
        if (!this.#finishPage()) return false
      } else if (!this.#addLargeRow(data, row++)) return false
      if (end > row) row = end
    }
    return true
  }

  #addLargeRow(data: Data, row: number): boolean {
    if (this.#hasDictionary) return false
    const { parts, isNull } = this.#page.largeRow(data, row)
    this.#nullCount += Number(isNull)
    this.#pages.addLargeData(parts, 1)
    return true
  }

  #finishPage(): boolean {
    const { rowCount, validCount } = this.#page.levels
    if (this.#hasDictionary && !this.#page.index()) return false
    const { address, byteCount } = this.#page.finish()
    this.#valueCount += validCount
    this.#nullCount += rowCount - validCount
    this.#pages.addData(address, byteCount, rowCount)
    return true
  }
}
