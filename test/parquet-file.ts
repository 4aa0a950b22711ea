/** Writes batches to a Parquet file in a temporary folder and reads it back, for tests. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, type JS } from '@duckdb/node-api'
import type { RecordBatch, Schema } from 'apache-arrow'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import {
  createdByText,
  type ParquetEnding,
  ParquetFileWriter,
  RowGroupEncoder,
  type RowGroupLimits,
  type RowGroupOptions,
  rowGroupsOf,
} from '../src/sinks/parquet/index.ts'

/** The bytes of a file with these batches. */
export async function parquetBytes(
  schema: Schema,
  batches: Iterable<RecordBatch>,
  options: RowGroupOptions & RowGroupLimits = {},
  metadata?: ReadonlyMap<string, string>,
  ending?: ParquetEnding,
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  const output = { write: async (bytes: Uint8Array[]) => void parts.push(...bytes) }
  const writer = new ParquetFileWriter(schema, output, createdByText('0.1.0'))
  const encoder = new RowGroupEncoder(schema, options)
  for await (const group of rowGroupsOf(batches, options)) await writer.addRowGroup(encoder.encode(group))
  await writer.finish(metadata, ending)
  return Buffer.concat(parts)
}

/** Calls `use` with the path of a file that holds the bytes, and removes it. */
export async function withFile<T>(bytes: Uint8Array, use: (path: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
  try {
    const path = join(folder, 'test.parquet')
    writeFileSync(path, bytes)
    return await use(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** An empty dictionary page, as parquet-rs writes for a column of nulls, is more than the original can take. */
function LZ4_RAW(input: Uint8Array, length: number): Uint8Array {
  return length === 0 ? new Uint8Array(0) : compressors.LZ4_RAW!(input, length)
}

/** All rows by hyparquet; texts as strings, times as Dates. */
export async function hyparquetRows(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  const file = Uint8Array.from(bytes).buffer
  return await parquetReadObjects({ file, compressors: { ...compressors, LZ4_RAW } })
}

/** Rows of a query by DuckDB, in which `$file` stands for the path. */
export async function duckdbRows(path: string, query: string): Promise<Record<string, JS | null>[]> {
  const connection = await (await DuckDBInstance.create()).connect()
  try {
    const reader = await connection.runAndReadAll(query.replaceAll('$file', `'${path}'`))
    return reader.getRowObjectsJS()
  } finally {
    connection.closeSync()
  }
}
