import { Binary, Field, makeData, type RecordBatch, Schema, Utf8 } from 'apache-arrow'
import { afterEach, describe, expect, test } from 'vitest'
import { RowGroupEncoder } from '../src/sinks/parquet/index.ts'
import {
  dropParquetWasm,
  encodeWithParquetWasm,
  MOST_TABLE_BYTES,
  parquetWasmMemoryBytes,
} from '../src/sinks/parquet/parquet-wasm.ts'
import { batchOf, columnData, dictionaryType, FLOAT64, labelVector, UTF8 } from './arrow-columns.ts'
import { hyparquetRows, parquetBytes } from './parquet-file.ts'

const schema = new Schema([new Field('text', UTF8, true), new Field('n', FLOAT64, true)])
const texts = Array.from({ length: 3000 }, (_, i) => `some text that repeats itself, itself ${i % 1700}`)
const batch = batchOf(schema, [
  columnData(UTF8, texts),
  columnData(
    FLOAT64,
    texts.map((_, i) => i),
  ),
])

afterEach(dropParquetWasm)

function textBatch(bytes: Uint8Array, rows: number): RecordBatch {
  const valueOffsets = Int32Array.from({ length: rows + 1 }, (_, i) => Math.floor((bytes.length * i) / rows))
  const only = new Schema([new Field('text', UTF8, true)])
  return batchOf(only, [makeData({ type: UTF8, length: rows, nullCount: 0, valueOffsets, data: bytes })])
}

describe('parquet-wasm', () => {
  test('is not loaded for dictionary columns alone, without compression', () => {
    const type = dictionaryType(8, 1)
    const choices = new Schema([new Field('choice', type, true)])
    const rows = batchOf(choices, [columnData(type, ['a', null], labelVector(['a', 'b']))])
    new RowGroupEncoder(choices, { compression: 'none' }).encode([rows])
    expect(parquetWasmMemoryBytes()).toBe(0)
  })

  test('compresses every row group: properties are not used twice', () => {
    const encoder = new RowGroupEncoder(schema, { compression: 'snappy' })
    const sizes = Array.from({ length: 3 }, () => encoder.encode([batch]).bytes.length)
    expect(new Set(sizes).size).toBe(1)
    expect(sizes[0]).toBeLessThan(new RowGroupEncoder(schema, { compression: 'none' }).encode([batch]).bytes.length / 2)
  })

  test('refuses text that is not UTF-8, and works again afterwards', async () => {
    const broken = textBatch(Uint8Array.of(0x61, 0xff), 1)
    expect(() => new RowGroupEncoder(broken.schema).encode([broken])).toThrow(
      expect.objectContaining({ code: 'ERR_PARQUET', cause: expect.anything() }),
    )
    expect(parquetWasmMemoryBytes()).toBe(0)
    expect(await hyparquetRows(await parquetBytes(schema, [batch]))).toHaveLength(3000)
  })

  test('a batch that arrow-js would drop without a word is an error', () => {
    const other = batchOf(new Schema([schema.fields[0]!]), [columnData(UTF8, ['x'])])
    const options = { compression: 'none', coding: 'dictionary' } as const
    expect(() => encodeWithParquetWasm(schema, [batch, other], options)).toThrow(/expected batches of one schema/)
  })

  test('its memory does not grow with the number of row groups', () => {
    const encoder = new RowGroupEncoder(schema)
    encoder.encode([batch])
    const once = parquetWasmMemoryBytes()
    for (let i = 0; i < 100; i++) encoder.encode([batch])
    expect(once).toBeGreaterThan(0)
    expect(parquetWasmMemoryBytes()).toBeLessThanOrEqual(once * 1.5)
  })

  test('its memory is given back when it has grown', () => {
    const large = textBatch(new Uint8Array(64 * 1024 * 1024).fill(0x61), 5)
    new RowGroupEncoder(large.schema).encode([large])
    expect(parquetWasmMemoryBytes()).toBe(0)
  })

  test('more text than its memory holds is refused before it is tried', () => {
    const binary = new Schema([new Field('bytes', new Binary(), true)])
    // Not filled: the system gives no memory for it.
    const data = new Uint8Array(MOST_TABLE_BYTES + 1)
    const valueOffsets = Int32Array.of(0, data.length)
    const huge = batchOf(binary, [makeData({ type: new Binary(), length: 1, nullCount: 0, valueOffsets, data })])
    expect(() => new RowGroupEncoder(binary).encode([huge])).toThrow(
      expect.objectContaining({
        code: 'ERR_PARQUET',
        message: expect.stringMatching(/expected at most 1073741824 bytes .*found \d+ in 1 rows of "bytes"/),
      }),
    )
  })

  test('keeps the two instances of Utf8 apart from one another', async () => {
    const two = new Schema([new Field('a', new Utf8(), true), new Field('b', new Utf8(), true)])
    const rows = batchOf(two, [columnData(UTF8, ['x', null]), columnData(UTF8, ['y', 'z'])])
    expect(await hyparquetRows(await parquetBytes(two, [rows]))).toEqual([
      { a: 'x', b: 'y' },
      { a: null, b: 'z' },
    ])
  })
})
