import { Binary, type Data, Field, LargeUtf8, makeData, type RecordBatch, Schema } from 'apache-arrow'
import { afterEach, describe, expect, test } from 'vitest'
import { RowGroupEncoder } from '../src/sinks/parquet/index.ts'
import {
  dropParquetWasm,
  encodeWithParquetWasm,
  MAX_TABLE_BYTES,
  parquetWasmMemoryBytes,
} from '../src/sinks/parquet/parquet-wasm.ts'
import {
  batchOf,
  columnData,
  dictionaryType,
  FLOAT64,
  labelVector,
  listType,
  TIMESTAMP,
  UTF8,
} from './arrow-columns.ts'
import { hyparquetRows, parquetBytes } from './parquet-file.ts'

/** A type that parquet-wasm encodes. */
const TEXT = new LargeUtf8()

const schema = new Schema([new Field('text', TEXT, true), new Field('n', FLOAT64, true)])
const texts = Array.from({ length: 3000 }, (_, i) => `some text that repeats itself, itself ${i % 1700}`)
const batch = batchOf(schema, [
  textColumn(Buffer.from(texts.join('')), (row) => texts.slice(0, row).join('').length, texts.length),
  columnData(
    FLOAT64,
    texts.map((_, i) => i),
  ),
])

afterEach(dropParquetWasm)

function textColumn(data: Uint8Array, startOf: (row: number) => number, rows: number): Data {
  const valueOffsets = BigInt64Array.from({ length: rows + 1 }, (_, i) => BigInt(startOf(i)))
  return makeData({ type: TEXT, length: rows, nullCount: 0, valueOffsets, data })
}

function textBatch(bytes: Uint8Array, rows: number): RecordBatch {
  const only = new Schema([new Field('text', TEXT, true)])
  return batchOf(only, [textColumn(bytes, (row) => Math.floor((bytes.length * row) / rows), rows)])
}

describe('parquet-wasm', () => {
  test('is not loaded for the columns of an export, unless it compresses them', () => {
    const type = dictionaryType(8, 1)
    const types = [type, listType(type), UTF8, FLOAT64, TIMESTAMP]
    const usual = new Schema(types.map((each, i) => new Field(`c${i}`, each, true)))
    const labels = labelVector(['a', 'b'])
    const values = [
      ['a', null],
      [['b'], null],
      ['x', null],
      [1, null],
      [1n, null],
    ]
    const rows = batchOf(
      usual,
      types.map((each, i) => columnData(each, values[i]!, labels)),
    )
    for (const compression of ['none', 'snappy', 'gzip'] as const) {
      new RowGroupEncoder(usual, { compression }).encode([rows])
      expect(parquetWasmMemoryBytes()).toBe(0)
    }
    new RowGroupEncoder(usual, { compression: 'zstd' }).encode([rows])
    expect(parquetWasmMemoryBytes()).toBeGreaterThan(0)
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
    const other = textBatch(Uint8Array.of(0x61), 1)
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
    const data = new Uint8Array(MAX_TABLE_BYTES + 1)
    const valueOffsets = Int32Array.of(0, data.length)
    const huge = batchOf(binary, [makeData({ type: new Binary(), length: 1, nullCount: 0, valueOffsets, data })])
    expect(() => new RowGroupEncoder(binary).encode([huge])).toThrow(
      expect.objectContaining({
        code: 'ERR_PARQUET',
        message: expect.stringMatching(/expected at most 1073741824 bytes .*found \d+ in 1 rows of "bytes"/),
      }),
    )
  })
})
