/**
 * Compresses pages with parquet-wasm. Node has no LZ4 and, before 22.15, no zstd; parquet-wasm has both, but offers
 * them only as part of writing a file. So the pages become a table of one row: each page is the value of a fixed size
 * binary column of its length, without nulls. The only data page of such a column is that value and nothing else,
 * compressed.
 */

import { Field, FixedSizeBinary, makeData, RecordBatch, Schema, Struct } from 'apache-arrow'
import { CODEC, type Compression } from './format.ts'
import { encodeWithParquetWasm, type WasmFileOptions } from './parquet-wasm.ts'
import { ThriftReader } from './thrift-reader.ts'

/** Limits of one table, which bound parquet-wasm's memory; a single page may be larger. */
const TABLE_PAGES = 512
const TABLE_BYTES = 16 * 1024 * 1024

/** Returns the compressed bodies in the same order. None may be empty. */
export function compressPages(bodies: readonly Uint8Array[], compression: Compression): Uint8Array[] {
  const compressed: Uint8Array[] = []
  let table: Uint8Array[] = []
  let byteCount = 0
  for (const body of bodies) {
    if (table.length > 0 && (table.length === TABLE_PAGES || byteCount + body.length > TABLE_BYTES)) {
      compressed.push(...compressTable(table, compression))
      table = []
      byteCount = 0
    }
    table.push(body)
    byteCount += body.length
  }
  if (table.length > 0) compressed.push(...compressTable(table, compression))
  return compressed
}

function compressTable(bodies: readonly Uint8Array[], compression: Compression): Uint8Array[] {
  const fields = bodies.map((body, i) => new Field(String(i), new FixedSizeBinary(body.length), false))
  const schema = new Schema(fields)
  const children = bodies.map((data, i) => makeData({ type: fields[i]!.type, length: 1, nullCount: 0, data }))
  const row = makeData({ type: new Struct(fields), length: 1, nullCount: 0, children })
  const options: WasmFileOptions = { compression, coding: 'plain', hasStatistics: false }
  const file = encodeWithParquetWasm(schema, [new RecordBatch(schema, row)], options)
  return file.columns.map((column, i) => {
    const reader = new ThriftReader(file.bytes, column.dataPageOffset)
    const header = reader.struct()
    const expected = bodies[i]?.length
    if (header.number(2) !== expected || column.codec !== CODEC[compression]) {
      throw new RangeError(`expected a page of ${expected} bytes from parquet-wasm, found ${header.number(2)}`)
    }
    return file.bytes.subarray(reader.pos, reader.pos + (header.number(3) ?? 0))
  })
}
