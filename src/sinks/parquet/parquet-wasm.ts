/**
 * The only module that knows parquet-wasm. It encodes what this package does not, and lends its compressors.
 *
 * Quirks that are dealt with here: its memory never shrinks, so that an instance that grew is dropped for a new one;
 * after a panic an instance must not be used again; a `WriterProperties` that was used once counts as absent the second
 * time, without a word, so that each call builds its own; its writers for streams lose errors, so that only the
 * synchronous one for a whole table is used, and what comes out is counted.
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
const MOST_MEMORY_KEPT_BYTES = 192 * 1024 * 1024

/** Its memory ends at 4 GiB, and a table is in there about three times while it is encoded. */
export const MOST_TABLE_BYTES = 1024 * 1024 * 1024

const require = createRequire(import.meta.url)
let loaded: ParquetWasm | undefined

/** The package's CommonJS build: it loads without waiting, and only when first needed. */
function parquetWasm(): ParquetWasm {
  loaded ??= require('parquet-wasm') as ParquetWasm
  return loaded
}

/** Lets go of the instance and its memory; the next call makes another one. */
export function dropParquetWasm(): void {
  if (loaded === undefined) return
  loaded = undefined
  delete require.cache[require.resolve('parquet-wasm')]
}

/** Memory that the instance holds now, in bytes; 0 when there is none. */
export function parquetWasmMemoryBytes(): number {
  if (loaded === undefined) return 0
  return (loaded.wasmMemory() as { buffer: ArrayBuffer }).buffer.byteLength
}

export interface WasmFileOptions {
  compression: Compression
  /** Of all columns. */
  coding: 'dictionary' | 'plain'
  /** Smallest and largest value and null count of each column. Default true. */
  hasStatistics?: boolean
}

/** A Parquet file of one row group. */
export interface WasmFile {
  bytes: Uint8Array
  rowCount: number
  /** Offsets are from the start of `bytes`. */
  columns: readonly ColumnChunk[]
}

/**
 * Encodes batches, which must have the very schema given, as one row group.
 * @throws ExportError `ERR_PARQUET` if they are too large, or parquet-wasm refuses them or breaks down; `cause` is its error.
 */
export function encodeWithParquetWasm(
  schema: Schema,
  batches: readonly RecordBatch[],
  options: WasmFileOptions,
): WasmFile {
  const rowCount = batches.reduce((rows, batch) => rows + batch.numRows, 0)
  const byteCount = batches.reduce((sum, { data }) => sum + arrowByteLength(data, 0, data.length), 0)
  if (byteCount > MOST_TABLE_BYTES) {
    const found = `${byteCount} in ${rowCount} rows of ${quoted(schema.names.join(', '))}`
    throw new ExportError('ERR_PARQUET', `expected at most ${MOST_TABLE_BYTES} bytes in a row group, found ${found}`)
  }
  const ipc = ipcStream(schema, batches)
  const bytes = guarded((wasm) => {
    const table = wasm.Table.fromIPCStream(ipc)
    return wasm.writeParquet(table, writerProperties(wasm, options, rowCount))
  })
  const file = readFooter(bytes)
  if (file.rowCount !== rowCount) {
    throw new ExportError('ERR_PARQUET', `expected ${rowCount} rows from parquet-wasm, found ${file.rowCount}`)
  }
  return file
}

function guarded<T>(call: (wasm: ParquetWasm) => T): T {
  try {
    const result = call(parquetWasm())
    if (parquetWasmMemoryBytes() > MOST_MEMORY_KEPT_BYTES) dropParquetWasm()
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
  // Every setter consumes the builder and gives another one.
  const builder = new wasm.WriterPropertiesBuilder()
    .setCompression(wasm.Compression[CODEC_NAME[compression]])
    .setDictionaryEnabled(coding === 'dictionary')
    .setStatisticsEnabled(hasStatistics ? wasm.EnabledStatistics.Chunk : wasm.EnabledStatistics.None)
    .setMaxRowGroupSize(Math.max(1, rowCount))
  return (coding === 'dictionary' ? builder : builder.setEncoding(wasm.Encoding.PLAIN)).build()
}

/** Serves one call after another: parquet-wasm copies what it is given, and each new buffer would wait to be collected. */
let scratch = new Uint8Array(0)

/** A larger scratch buffer is not kept. */
const MOST_SCRATCH_BYTES = 16 * 1024 * 1024

function ipcStream(schema: Schema, batches: readonly RecordBatch[]): Uint8Array {
  const encoder = new StreamEncoder()
  encoder.begin(schema)
  for (const batch of batches) encoder.encode(batch)
  encoder.finish()
  const chunks = encoder.take()
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const stream = scratch.length < length ? new Uint8Array(length) : scratch
  if (length <= MOST_SCRATCH_BYTES) scratch = stream
  let at = 0
  for (const chunk of chunks) {
    stream.set(chunk, at)
    at += chunk.length
  }
  return stream.subarray(0, length)
}

/** A file ends with its metadata, the length of that in four bytes, and a magic number of four. */
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

/** What is not named here is dropped: page indexes and bloom filters, whose offsets would be wrong elsewhere. */
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
