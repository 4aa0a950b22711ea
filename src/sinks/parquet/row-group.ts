/**
 * Batches → the bytes of one row group. Synchronous and without I/O, so that it can run in a worker thread: what comes
 * out is plain data, of which `bytes.buffer` can be transferred.
 */

import type { RecordBatch, Schema } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import { compressPages } from './compression.ts'
import { type DictionaryChunk, encodeDictionaryChunk } from './dictionary-chunk.ts'
import { PageBuffers } from './dictionary-page.ts'
import {
  CODEC,
  type ColumnChunk,
  type Compression,
  dataPageHeader,
  dictionaryPageHeader,
  ENCODING,
  PAGE,
} from './format.ts'
import { labelTexts } from './label-list.ts'
import { MOST_ENUM_LABELS } from './polars-enum.ts'
import { withRepeatedTexts } from './repeated-texts.ts'
import { checkBatch } from './schema-check.ts'
import { type SchemaTree, schemaTree } from './schema-tree.ts'
import { encodeWasmColumns } from './wasm-columns.ts'

export interface RowGroupOptions {
  /** Default `snappy`. Dictionary columns that it does not make smaller are stored as they are. */
  compression?: Compression
}

export interface EncodedRowGroup {
  rowCount: number
  bytes: Uint8Array<ArrayBuffer>
  /** In the order of the schema's leaves; offsets are from the start of `bytes`. */
  columns: ColumnChunk[]
  /** All labels of the dictionary columns that are not part of another; not of those with a great many. */
  labels: Map<string, string[]>
}

/** Compression must save this part of a column to be worth the reader's time. */
const LEAST_SAVING = 0.02

/** A page's size is a signed 32 bit number in the format. */
const MOST_PAGE_BYTES = 2 ** 31 - 1

/** A column's bytes, wherever they lie; `chunk`'s offsets are from their start. */
interface StoredColumn {
  chunk: ColumnChunk
  parts: readonly Uint8Array[]
}

export class RowGroupEncoder {
  readonly #schema: Schema
  readonly #tree: SchemaTree
  readonly #compression: Compression
  readonly #buffers = new PageBuffers()

  /** @throws ExportError `ERR_PARQUET` for a schema that Parquet cannot hold. */
  constructor(schema: Schema, options: RowGroupOptions = {}) {
    this.#schema = schema
    this.#tree = schemaTree(schema)
    this.#compression = options.compression ?? 'snappy'
  }

  /**
   * Encodes batches of the encoder's schema, which have at least one row together.
   * @throws ExportError `ERR_PARQUET` if a batch has another schema or breaks Arrow's rules.
   */
  encode(batches: readonly RecordBatch[]): EncodedRowGroup {
    for (const batch of batches) checkBatch(batch, this.#schema)
    const filled = batches.filter((batch) => batch.numRows > 0)
    const rowCount = filled.reduce((rows, batch) => rows + batch.numRows, 0)
    if (rowCount === 0) throw new ExportError('ERR_PARQUET', 'expected a row group of one row or more, found none')
    const stored = new Map<string, StoredColumn>()
    const shown = withRepeatedTexts(this.#schema, filled)
    const schema = shown === filled ? this.#schema : shown[0]!.schema
    const tree = shown === filled ? this.#tree : schemaTree(schema)
    const chunks = this.#dictionaryChunks(tree, shown)
    for (const column of this.#compressed(chunks)) stored.set(pathKey(column.chunk.path), column)
    for (const column of wasmColumns(schema, shown, this.#compression)) {
      stored.set(pathKey(column.chunk.path), column)
    }
    return { rowCount, ...joined(this.#inOrder(stored)), labels: labelsByColumn(this.#tree, chunks) }
  }

  #dictionaryChunks(tree: SchemaTree, batches: readonly RecordBatch[]): DictionaryChunk[] {
    const chunks: DictionaryChunk[] = []
    for (const leaf of tree.leaves) {
      if (leaf.dictionary === undefined) continue
      chunks.push(encodeDictionaryChunk(leaf, leaf.dictionary, batches, this.#buffers))
    }
    return chunks
  }

  #compressed(chunks: readonly DictionaryChunk[]): StoredColumn[] {
    const isPacked = (chunk: DictionaryChunk) =>
      this.#compression !== 'none' && pagesOf(chunk).every((page) => page.length > 0)
    const compressed = compressPages(chunks.filter(isPacked).flatMap(pagesOf), this.#compression)
    let next = 0
    return chunks.map((chunk) => {
      const plain = pagesOf(chunk)
      if (!isPacked(chunk)) return storedDictionary(chunk, plain, CODEC.none)
      const packed = compressed.slice(next, next + plain.length)
      next += plain.length
      const isWorthIt = byteCount(packed) <= byteCount(plain) * (1 - LEAST_SAVING)
      return isWorthIt
        ? storedDictionary(chunk, packed, CODEC[this.#compression])
        : storedDictionary(chunk, plain, CODEC.none)
    })
  }

  #inOrder(stored: ReadonlyMap<string, StoredColumn>): StoredColumn[] {
    return this.#tree.leaves.map((leaf) => {
      const column = stored.get(pathKey(leaf.path))
      if (column === undefined || column.chunk.physicalType !== leaf.physicalType) {
        const found = column === undefined ? 'nothing' : `type ${column.chunk.physicalType}`
        const path = quoted(leaf.path.join('.'))
        throw new ExportError('ERR_PARQUET', `expected column ${path} of type ${leaf.physicalType}, found ${found}`)
      }
      return column
    })
  }
}

/** Names may contain any character but a zero byte in practice; it keeps `a`, `b` apart from `a.b`. */
function pathKey(path: readonly string[]): string {
  return path.join('\0')
}

/** Texts that are written from indices, too, are no labels. */
function labelsByColumn(tree: SchemaTree, chunks: readonly DictionaryChunk[]): Map<string, string[]> {
  const dictionaries = new Set(tree.leaves.filter((leaf) => leaf.dictionary !== undefined).map(({ path }) => path[0]))
  const labels = new Map<string, string[]>()
  for (const { leaf, labels: list } of chunks) {
    const [name] = leaf.path
    if (name !== undefined && dictionaries.has(name) && leaf.path.length === 1 && list.count <= MOST_ENUM_LABELS)
      labels.set(name, labelTexts(list))
  }
  return labels
}

function pagesOf({ dictionaryPage, dataPages }: DictionaryChunk): Uint8Array[] {
  return [dictionaryPage.bytes, ...dataPages.map((page) => page.bytes)]
}

function byteCount(parts: readonly Uint8Array[]): number {
  return parts.reduce((bytes, part) => bytes + part.length, 0)
}

/** Puts headers before the pages, of which the first is the dictionary. */
function storedDictionary(chunk: DictionaryChunk, bodies: readonly Uint8Array[], codec: number): StoredColumn {
  const { leaf, dictionaryPage, dataPages, statistics } = chunk
  const parts: Uint8Array[] = []
  let uncompressedByteCount = 0
  for (const [i, page] of [dictionaryPage, ...dataPages].entries()) {
    if (page.bytes.length > MOST_PAGE_BYTES) throw pageTooLarge(page.bytes.length, leaf.path)
    const body = bodies[i]!
    const header = (i === 0 ? dictionaryPageHeader : dataPageHeader)({
      valueCount: page.valueCount,
      uncompressedByteCount: page.bytes.length,
      compressedByteCount: body.length,
    })
    parts.push(header, body)
    uncompressedByteCount += header.length + page.bytes.length
  }
  const firstPages = byteCount(parts.slice(0, 2))
  return {
    parts,
    chunk: {
      path: leaf.path,
      physicalType: leaf.physicalType,
      encodings: [ENCODING.plain, ENCODING.rle, ENCODING.rleDictionary],
      codec,
      valueCount: dataPages.reduce((values, page) => values + page.valueCount, 0),
      uncompressedByteCount,
      compressedByteCount: byteCount(parts),
      dictionaryPageOffset: 0,
      dataPageOffset: firstPages,
      statistics,
      encodingCounts: [
        { pageType: PAGE.dictionary, encoding: ENCODING.plain, pageCount: 1 },
        { pageType: PAGE.data, encoding: ENCODING.rleDictionary, pageCount: dataPages.length },
      ],
    },
  }
}

function pageTooLarge(found: number, path: readonly string[]): ExportError {
  const column = quoted(path.join('.'))
  return new ExportError('ERR_PARQUET', `expected at most ${MOST_PAGE_BYTES} bytes a page of ${column}, found ${found}`)
}

function wasmColumns(schema: Schema, batches: readonly RecordBatch[], compression: Compression): StoredColumn[] {
  return encodeWasmColumns(schema, batches, compression).flatMap((file) =>
    file.columns.map((chunk) => {
      const start = Math.min(chunk.dictionaryPageOffset ?? Number.POSITIVE_INFINITY, chunk.dataPageOffset)
      return {
        chunk: movedChunk(chunk, -start),
        parts: [file.bytes.subarray(start, start + chunk.compressedByteCount)],
      }
    }),
  )
}

function movedChunk(chunk: ColumnChunk, byteDelta: number): ColumnChunk {
  const { dictionaryPageOffset } = chunk
  return {
    ...chunk,
    dataPageOffset: chunk.dataPageOffset + byteDelta,
    dictionaryPageOffset: dictionaryPageOffset === undefined ? undefined : dictionaryPageOffset + byteDelta,
  }
}

function joined(stored: readonly StoredColumn[]): Pick<EncodedRowGroup, 'bytes' | 'columns'> {
  const bytes = new Uint8Array(stored.reduce((sum, { parts }) => sum + byteCount(parts), 0))
  const columns: ColumnChunk[] = []
  let pos = 0
  for (const { chunk, parts } of stored) {
    columns.push(movedChunk(chunk, pos))
    for (const part of parts) {
      bytes.set(part, pos)
      pos += part.length
    }
  }
  return { bytes, columns }
}
