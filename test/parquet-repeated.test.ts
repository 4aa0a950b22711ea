import { Field, Schema } from 'apache-arrow'
import { parquetMetadata } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { batchOf, columnData, FLOAT64, UTF8 } from './arrow-columns.ts'
import { duckdbRows, hyparquetRows, parquetBytes, withFile } from './parquet-file.ts'

const SCHEMA = new Schema([
  new Field('owner', UTF8, true),
  new Field('text', UTF8, true),
  new Field('n', FLOAT64, true),
])

/** Runs of owners, some of them null or empty, one that returns, one with a character that may begin a file. */
function ownerOf(row: number): string | null {
  const run = Math.floor(row / 20)
  if (run % 12 === 1) return null
  if (run % 12 === 3) return ''
  return [`owner-${run}`, `zu\ufeff${run}`, 'same again', `y${'x'.repeat(run % 40)}\ufeff`][run % 4] ?? null
}

const rowsFrom = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i)

function batchFrom(start: number, count: number) {
  const rows = rowsFrom(start, count)
  return batchOf(SCHEMA, [
    columnData(UTF8, rows.map(ownerOf)),
    columnData(
      UTF8,
      rows.map((row) => (row % 9 === 0 ? null : `text ${row}`)),
    ),
    columnData(FLOAT64, rows),
  ])
}

const expected = (rows: readonly number[]) =>
  rows.map((row) => ({ owner: ownerOf(row), text: row % 9 === 0 ? null : `text ${row}`, n: row }))

const encodingsOf = (bytes: Buffer, column: number) => {
  const { row_groups } = parquetMetadata(bytes.slice().buffer as ArrayBuffer)
  return row_groups.map((group) => group.columns[column]?.meta_data?.encodings)
}

describe('texts that repeat the row before', () => {
  test('are the same texts, nulls and empty ones included, over several batches', async () => {
    const rows = rowsFrom(0, 3000)
    const bytes = await parquetBytes(SCHEMA, [batchFrom(0, 1000), batchFrom(1000, 700), batchFrom(1700, 1300)])
    expect(encodingsOf(bytes, 0)[0]).toContain('RLE_DICTIONARY')
    expect(await hyparquetRows(bytes)).toEqual(expected(rows))
    const fromDuckdb = await withFile(bytes, (path) => duckdbRows(path, 'SELECT owner, text, n FROM $file ORDER BY n'))
    expect(fromDuckdb).toEqual(expected(rows))
  })

  test('of a slice, and of batches cut into row groups', async () => {
    const sliced = batchFrom(0, 1000).slice(7, 993)
    const bytes = await parquetBytes(SCHEMA, [sliced], { rowGroupRows: 333 })
    expect(await hyparquetRows(bytes)).toEqual(expected(rowsFrom(7, 986)))
  })

  test('are written from indices, other texts are not', async () => {
    const owner = (row: number) => `4fb33540-b939-45ff-874a-${String(Math.floor(row / 40)).padStart(12, '0')}`
    const rows = rowsFrom(0, 4000)
    const columns = [rows.map(owner), rows.map((row) => `text ${row}`)].map((texts) => columnData(UTF8, texts))
    const bytes = await parquetBytes(SCHEMA, [batchOf(SCHEMA, [...columns, columnData(FLOAT64, rows)])])
    expect(encodingsOf(bytes, 0)[0]).toContain('RLE_DICTIONARY')
    expect(encodingsOf(bytes, 1)[0]).not.toContain('RLE_DICTIONARY')
    const found = await hyparquetRows(bytes)
    expect(found.map((row) => row.owner)).toEqual(rows.map(owner))
  })
})
