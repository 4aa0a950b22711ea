/** Encodes a dictionary column of one row group. */

import type { Data, RecordBatch, Utf8, Vector } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import { ColumnPages, type EncodedChunk } from './column-pages.ts'
import { DictionaryPage, type LeafRows } from './dictionary-page.ts'
import { type Compression, ENCODING } from './format.ts'
import { PAGE_ENTRIES, type PageKernel } from './kernel/page-kernel.ts'
import { dictionaryPageBody, type LabelList, labelStatistics, longestLabels } from './label-list.ts'
import type { DictionaryPath, Leaf } from './schema-tree.ts'

export interface DictionaryChunk extends EncodedChunk {
  labels: LabelList
}

/**
 * Encodes one leaf of all batches of a row group. The dictionary page holds every label, including unused ones.
 * @throws ExportError `ERR_PARQUET` if the data breaks Arrow's rules, or if a dictionary is not the beginning of the
 *   longest one.
 */
export function encodeDictionaryChunk(
  leaf: Leaf,
  path: DictionaryPath,
  batches: readonly RecordBatch[],
  kernel: PageKernel,
  compression: Compression,
): DictionaryChunk {
  const column = leaf.path.join('.')
  const parts = batches.map((batch) => leafRows(batch, path, column))
  const labels = longestLabels(
    parts.map((rows) => dictionaryOf(rows.values, column)),
    column,
  )
  const page = new DictionaryPage(leaf, kernel, labels.count)
  const pages = new ColumnPages(leaf, kernel, compression, ENCODING.rleDictionary)
  let nullCount = 0
  const finishPage = () => {
    const { entryCount } = page
    nullCount += page.nullCount
    const { address, byteCount } = page.finish()
    pages.addData(address, byteCount, entryCount)
  }
  for (const rows of parts) {
    let row = 0
    while (row < rows.rowCount) {
      let end = rowsThatFit(rows, row, PAGE_ENTRIES - page.entryCount)
      if (end === row && page.entryCount > 0) {
        finishPage()
        continue
      }
      end = Math.max(end, row + 1)
      page.append(rows, row, end, maxEntries(rows, row, end))
      row = end
    }
  }
  if (page.entryCount > 0) finishPage()
  pages.addLargeDictionary(dictionaryPageBody(labels), labels.count)
  return { pages, statistics: { nullCount, ...labelStatistics(labels, page.inUse) }, labels }
}

function leafRows(batch: RecordBatch, path: DictionaryPath, column: string): LeafRows {
  const structs: Data[] = []
  let data: Data = batch.data
  for (const [depth, child] of path.childNumbers.entries()) {
    if (depth > 0) structs.push(data)
    data = data.children[child]!
    if (data.length !== batch.numRows) throw shortColumnError(batch.numRows, data.length, column)
  }
  const list = path.listNullable === undefined ? undefined : data
  const values = list === undefined ? data : list.children[0]!
  if (list !== undefined && batch.numRows > 0) checkOffsets(list, values, column)
  const rows = { rowCount: batch.numRows, structs, list, values }
  return { ...rows, labelCount: dictionaryOf(values, column).length }
}

function dictionaryOf(values: Data, column: string): Vector<Utf8> {
  if (values.dictionary === undefined) {
    throw new ExportError('ERR_PARQUET', `expected a dictionary, found none in column ${quoted(column)}`)
  }
  return values.dictionary
}

function checkOffsets(list: Data, values: Data, column: string): void {
  const first: number | undefined = list.valueOffsets[0]
  const last: number | undefined = list.valueOffsets[list.length]
  if (first !== undefined && last !== undefined && first >= 0 && first <= last && last <= values.length) return
  const found = `offsets ${first} to ${last} in column ${quoted(column)}`
  throw new ExportError('ERR_PARQUET', `expected list offsets within ${values.length} elements, found ${found}`)
}

function shortColumnError(expected: number, found: number, column: string): ExportError {
  return new ExportError('ERR_PARQUET', `expected ${expected} rows in column ${quoted(column)}, found ${found}`)
}

/** Returns an upper bound of the level entries of `rows[start..end)`: an empty list takes one, as a null does. */
function maxEntries({ list }: LeafRows, start: number, end: number): number {
  const elements = list === undefined ? 0 : list.valueOffsets[end] - list.valueOffsets[start]
  return end - start + elements
}

/** Returns the end (exclusive) of the rows from `start` on that have at most `room` entries together. */
function rowsThatFit(rows: LeafRows, start: number, room: number): number {
  let fits = start
  let tooMany = rows.rowCount
  if (maxEntries(rows, start, rows.rowCount) <= room) return rows.rowCount
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >>> 1
    if (maxEntries(rows, start, middle) <= room) fits = middle
    else tooMany = middle
  }
  return fits
}
