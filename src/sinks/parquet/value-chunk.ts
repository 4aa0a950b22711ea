/** A column of texts or 64-bit numbers of one row group. */

import { type Data, DataType } from 'apache-arrow'
import { type ColumnCoding, codingOf, codingWithoutDictionary } from './column-coding.ts'
import { ColumnPages, type EncodedChunk } from './column-pages.ts'
import { type Compression, ENCODING } from './format.ts'
import { DICTIONARY_BYTES, DICTIONARY_SLOT_BITS, type PageKernel } from './kernel/page-kernel.ts'
import { NumberPage } from './number-page.ts'
import type { Leaf } from './schema-tree.ts'
import { TextPage } from './text-page.ts'

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
): EncodedChunk {
  const coding = codingOf(parts)
  return (
    new ValueChunk(leaf, parts, coding, kernel, compression).encode() ??
    // The sample promised a smaller dictionary.
    new ValueChunk(leaf, parts, codingWithoutDictionary(parts[0]!.type), kernel, compression).encode()!
  )
}

class ValueChunk {
  readonly #parts: readonly Data[]
  readonly #kernel: PageKernel
  readonly #coding: ColumnCoding
  readonly #pages: ColumnPages
  readonly #page: NumberPage | TextPage
  #nullCount = 0

  constructor(leaf: Leaf, parts: readonly Data[], coding: ColumnCoding, kernel: PageKernel, compression: Compression) {
    const { type } = parts[0]!
    this.#parts = parts
    this.#kernel = kernel
    this.#coding = coding
    this.#pages = new ColumnPages(leaf, kernel, compression, DATA_ENCODING[coding])
    this.#page = DataType.isUtf8(type) ? new TextPage(leaf, coding, kernel) : new NumberPage(leaf, type, coding, kernel)
  }

  /** Nothing if the dictionary became too large. */
  encode(): EncodedChunk | undefined {
    const { at, call } = this.#kernel
    if (this.#coding === 'dictionary') {
      call.beginDictionary(at.slots, DICTIONARY_SLOT_BITS, at.starts, at.dictionary, DICTIONARY_BYTES)
    }
    for (const data of this.#parts) if (!this.#addBatch(data)) return undefined
    if (this.#page.levels.rowCount > 0 && !this.#finishPage()) return undefined
    const statistics = { nullCount: this.#nullCount, ...this.#page.bounds() }
    if (this.#coding === 'dictionary') {
      this.#pages.addDictionary(at.dictionary, call.dictionaryBytes(), call.dictionaryEntries())
    }
    return { pages: this.#pages, statistics }
  }

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
    if (this.#coding === 'dictionary' || this.#page instanceof NumberPage) return false
    const { parts, isNull } = this.#page.largeRow(data, row)
    this.#nullCount += Number(isNull)
    this.#pages.addLargeData(parts, 1)
    return true
  }

  #finishPage(): boolean {
    const { rowCount, validCount } = this.#page.levels
    const body = this.#page.finish()
    if (body === undefined) return false
    this.#nullCount += rowCount - validCount
    this.#pages.addData(body.address, body.byteCount, rowCount)
    return true
  }
}
