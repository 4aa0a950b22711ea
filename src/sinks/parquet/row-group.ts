/**
 * Batches → the bytes of one row group. Synchronous and without I/O, so that it can run in a worker thread: what comes
 * out is plain data, of which `bytes.buffer` can be transferred.
 */

import type { RecordBatch, Schema } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import type { EncodedChunk, StoredColumn } from './column-pages.ts'
import { compressPages } from './compression.ts'
import { type DictionaryChunk, encodeDictionaryChunk } from './dictionary-chunk.ts'
import type { ColumnChunk, Compression } from './format.ts'
import { pageKernel } from './kernel/page-kernel.ts'
import { labelTexts } from './label-list.ts'
import { MOST_ENUM_LABELS } from './polars-enum.ts'
import { checkBatch } from './schema-check.ts'
import { type Leaf, type SchemaTree, schemaTree } from './schema-tree.ts'
import { encodeValueChunk } from './value-chunk.ts'
import { encodeWasmColumns } from './wasm-columns.ts'

export interface RowGroupOptions {
  /** Default `snappy`. Columns that it does not make smaller are stored as they are. */
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

/** Of a thread's row groups, one is being written while the next one is encoded. */
const MOST_SPARE = 2

/** So that a row group somewhat longer than the one before fits in its memory, too. */
const SPARE_ROOM = 1.1

export class RowGroupEncoder {
  readonly #schema: Schema
  readonly #tree: SchemaTree
  readonly #compression: Compression
  #spare: ArrayBuffer[] = []

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
    const kernel = pageKernel()
    kernel.reuseCopies()
    const stored = new Map<string, StoredColumn>()
    const labels = new Map<string, string[]>()
    const chunks: EncodedChunk[] = []
    for (const leaf of this.#tree.leaves) {
      if (leaf.dictionary !== undefined) {
        const chunk = encodeDictionaryChunk(leaf, leaf.dictionary, filled, kernel, this.#compression)
        chunks.push(chunk)
        addLabels(labels, leaf, chunk)
      } else if (leaf.valueColumn !== undefined) {
        const number = leaf.valueColumn
        const parts = filled.map((batch) => batch.data.children[number]!)
        chunks.push(encodeValueChunk(leaf, parts, kernel, this.#compression))
      }
    }
    const columns = [...this.#stored(chunks), ...wasmColumns(this.#schema, filled, this.#compression)]
    for (const column of columns) stored.set(pathKey(column.chunk.path), column)
    return { rowCount, ...this.#joined(this.#inOrder(stored)), labels }
  }

  /** Takes the memory of a row group that was written, for the next one: otherwise it waits for the garbage collector. */
  reuse(memory: ArrayBuffer): void {
    if (this.#spare.length < MOST_SPARE) this.#spare.push(memory)
  }

  #joined(stored: readonly StoredColumn[]): Pick<EncodedRowGroup, 'bytes' | 'columns'> {
    const bytes = this.#memory(stored.reduce((sum, { parts }) => sum + byteCount(parts), 0))
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

  #memory(byteLength: number): Uint8Array<ArrayBuffer> {
    const spare = this.#spare.find((memory) => memory.byteLength >= byteLength)
    this.#spare = this.#spare.filter((memory) => memory !== spare && memory.byteLength >= byteLength)
    const memory = spare ?? new ArrayBuffer(Math.ceil(byteLength * SPARE_ROOM))
    return new Uint8Array(memory, 0, byteLength)
  }

  #stored(chunks: readonly EncodedChunk[]): StoredColumn[] {
    const pending = chunks.map(({ pages }) => pages.pending)
    const compressed = compressPages(pending.flat(), this.#compression)
    let next = 0
    return chunks.map(({ pages, statistics }, i) => {
      const start = next
      next += pending[i]!.length
      return pages.stored(statistics, compressed.slice(start, next))
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

function addLabels(byColumn: Map<string, string[]>, { path }: Leaf, { labels }: DictionaryChunk): void {
  const [name] = path
  if (name !== undefined && path.length === 1 && labels.count <= MOST_ENUM_LABELS)
    byColumn.set(name, labelTexts(labels))
}

function byteCount(parts: readonly Uint8Array[]): number {
  return parts.reduce((bytes, part) => bytes + part.length, 0)
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
