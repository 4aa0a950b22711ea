/**
 * Encodes batches with parquet-wasm: the types that this package does not encode, and, for their compression, pages. In
 * `sinks/`, only this module knows parquet-wasm.
 *
 * Its quirks are handled here. Its memory never shrinks, so an instance that has grown is replaced by a new one. After
 * a panic an instance must not be used again. A `WriterProperties` that was used once is silently ignored the second
 * time, so each call builds its own. Its writers for streams lose errors, so only the synchronous writer of a whole
 * table is used, and the rows of the result are counted.
 */

import { createRequire } from 'node:module'
import type { RecordBatch, Schema } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import { StreamEncoder } from '../ipc.ts'
import { arrowByteLength } from './arrow-size.ts'
import type { ColumnChunk, Compression, EncodingCount, Statistics } from './format.ts'
import { ThriftReader, type ThriftStruct } from './thrift-reader.ts'

type ParquetWasm = typeof import('parquet-wasm')

/** An instance with more memory than this is dropped after the call. */
const MAX_KEPT_MEMORY_BYTES = 192 * 1024 * 1024

/** Its memory is limited to 4 GiB, and holds a table about three times while it is encoded. */
export const MAX_TABLE_BYTES = 1024 * 1024 * 1024

const require = createRequire(import.meta.url)
let loaded: ParquetWasm | undefined

/** Returns the package's CommonJS build, which is loaded synchronously when first needed. */
function parquetWasm(): ParquetWasm {
  loaded ??= require('parquet-wasm') as ParquetWasm
  return loaded
}

/** Drops the instance and its memory; the next call creates a new one. */
export function dropParquetWasm(): void {
  if (loaded === undefined) return
  loaded = undefined
  delete require.cache[require.resolve('parquet-wasm')]
}

/** Returns the bytes of memory that the instance holds now; 0 if there is none. */
export function parquetWasmMemoryBytes(): number {
  if (loaded === undefined) return 0
  return (loaded.wasmMemory() as { buffer: ArrayBuffer }).buffer.byteLength
}

export interface WasmFileOptions {
  compression: Compression
  /** Coding of all columns. */
  coding: 'dictionary' | 'plain'
  /** Whether the file has the smallest and largest value and the null count of each column. Default: true. */
  hasStatistics?: boolean
}

/** A Parquet file of one row group. */
export interface WasmFile {
  bytes: Uint8Array
  rowCount: number
  /** Their offsets count from the start of `bytes`. */
  columns: readonly ColumnChunk[]
}

/**
 * Encodes batches, which must have exactly the given schema, as one row group.
 * @throws ExportError `ERR_PARQUET` if they are too large, or if parquet-wasm refuses them or panics; `cause` is its
 * error.
 */
export function encodeWithParquetWasm(
  schema: Schema,
  batches: readonly RecordBatch[],
  options: WasmFileOptions,
): WasmFile {
  const rowCount = batches.reduce((rows, batch) => rows + batch.numRows, 0)
  const byteCount = batches.reduce((sum, { data }) => sum + arrowByteLength(data, 0, data.length), 0)
  if (byteCount > MAX_TABLE_BYTES) {
    const found = `${byteCount} in ${rowCount} rows of ${quoted(schema.names.join(', '))}`
    throw new ExportError('ERR_PARQUET', `expected at most ${MAX_TABLE_BYTES} bytes in a row group, found ${found}`)
  }
  const ipc = ipcStream(schema, batches)
  const bytes = callParquetWasm((wasm) => {
    const table = wasm.Table.fromIPCStream(ipc)
    return wasm.writeParquet(table, writerProperties(wasm, options, rowCount))
  })
  const file = readFooter(bytes)
  if (file.rowCount !== rowCount) {
    throw new ExportError('ERR_PARQUET', `expected ${rowCount} rows from parquet-wasm, found ${file.rowCount}`)
  }
  return file
}

/** Calls parquet-wasm, and drops the instance if it has grown too large or the call fails. */
function callParquetWasm<T>(call: (wasm: ParquetWasm) => T): T {
  try {
    const result = call(parquetWasm())
    if (parquetWasmMemoryBytes() > MAX_KEPT_MEMORY_BYTES) dropParquetWasm()
    return result
  } catch (cause) {
    dropParquetWasm()
    throw new ExportError('ERR_PARQUET', `parquet-wasm could not encode the rows: ${reasonOf(cause)}`, { cause })
  }
}

function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause)
  if (!(cause instanceof WebAssembly.RuntimeError)) return reason
  return `${reason}; it may lack memory, of which smaller row groups need less`
}

const CODEC_NAME = {
  none: 'UNCOMPRESSED',
  snappy: 'SNAPPY',
  gzip: 'GZIP',
  zstd: 'ZSTD',
  lz4: 'LZ4_RAW',
} as const

function writerProperties(wasm: ParquetWasm, options: WasmFileOptions, rowCount: number) {
  const { compression, coding, hasStatistics = true } = options
  // Every setter consumes the builder and returns another one.
  const builder = new wasm.WriterPropertiesBuilder()
    .setCompression(wasm.Compression[CODEC_NAME[compression]])
    .setDictionaryEnabled(coding === 'dictionary')
    .setStatisticsEnabled(hasStatistics ? wasm.EnabledStatistics.Chunk : wasm.EnabledStatistics.None)
    .setMaxRowGroupSize(Math.max(1, rowCount))
  return (coding === 'dictionary' ? builder : builder.setEncoding(wasm.Encoding.PLAIN)).build()
}

/**
 * Reused for every call, since parquet-wasm copies its input and new buffers would be left to the garbage collector.
 */
let scratch = new Uint8Array(0)

/** A larger scratch buffer is not kept. */
const MAX_SCRATCH_BYTES = 16 * 1024 * 1024

function ipcStream(schema: Schema, batches: readonly RecordBatch[]): Uint8Array {
  const encoder = new StreamEncoder()
  encoder.begin(schema)
  for (const batch of batches) encoder.encode(batch)
  encoder.finish()
  const chunks = encoder.take()
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const stream = scratch.length < length ? new Uint8Array(length) : scratch
  if (length <= MAX_SCRATCH_BYTES) scratch = stream
  let at = 0
  for (const chunk of chunks) {
    stream.set(chunk, at)
    at += chunk.length
  }
  return stream.subarray(0, length)
}

/** Length of what follows the metadata at the end of a file: its length in four bytes, and four magic bytes. */
const TAIL_BYTES = 8

function readFooter(bytes: Uint8Array): WasmFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(bytes.length - TAIL_BYTES, true)
  const metadata = new ThriftReader(bytes, bytes.length - TAIL_BYTES - length).struct()
  const groups = metadata.structs(4)
  if (groups.length > 1) {
    throw new ExportError('ERR_PARQUET', `expected one row group from parquet-wasm, found ${groups.length}`)
  }
  const chunks = groups.flatMap((group) => group.structs(1)).map((chunk) => columnChunk(chunk.struct(3)))
  return { bytes, rowCount: metadata.number(3) ?? 0, columns: chunks }
}

/**
 * Reads the metadata of a column. Page indexes and bloom filters are dropped: their offsets would be wrong elsewhere.
 */
function columnChunk(metadata: ThriftStruct | undefined): ColumnChunk {
  const number = (fieldId: number) => {
    const value = metadata?.number(fieldId)
    if (value === undefined) throw new ExportError('ERR_PARQUET', `expected field ${fieldId} of a column's metadata`)
    return value
  }
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const path = metadata?.list(3).map((name) => (name instanceof Uint8Array ? decoder.decode(name) : '')) ?? []
  return {
    path,
    physicalType: number(1),
    encodings: metadata?.numbers(2) ?? [],
    codec: number(4),
    valueCount: number(5),
    uncompressedByteCount: number(6),
    compressedByteCount: number(7),
    dataPageOffset: number(9),
    dictionaryPageOffset: metadata?.number(11),
    statistics: statisticsOf(metadata?.struct(12)),
    encodingCounts: metadata?.structs(13).map(encodingCount) ?? [],
  }
}

function statisticsOf(statistics: ThriftStruct | undefined): Statistics | undefined {
  if (statistics === undefined) return undefined
  return {
    nullCount: statistics.number(3),
    distinctCount: statistics.number(4),
    max: statistics.binary(5)?.slice(),
    min: statistics.binary(6)?.slice(),
    isMaxExact: statistics.bool(7),
    isMinExact: statistics.bool(8),
  }
}

function encodingCount(count: ThriftStruct): EncodingCount {
  return { pageType: count.number(1) ?? 0, encoding: count.number(2) ?? 0, pageCount: count.number(3) ?? 0 }
}
