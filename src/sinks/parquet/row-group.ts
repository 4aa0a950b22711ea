/**
 * Encodes batches as the bytes of one row group. Synchronous and without I/O. The result is plain data whose
 * `bytes.buffer` can be transferred, so that this can run in a worker thread.
 */

import type { RecordBatch, Schema } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import { type EncodedChunk, isPackedLater, type StoredColumn } from './column-pages.ts'
import { compressPages } from './compression.ts'
import { type DictionaryChunk, encodeDictionaryChunk } from './dictionary-chunk.ts'
import type { ColumnChunk, Compression, Encodings } from './format.ts'
import { pageKernel } from './kernel/page-kernel.ts'
import { labelTexts } from './label-list.ts'
import { MAX_ENUM_LABELS } from './polars-enum.ts'
import { moveChunk, RowGroupBytes, SpareMemory } from './row-group-bytes.ts'
import { checkBatch } from './schema-check.ts'
import { type Leaf, type SchemaTree, schemaTree } from './schema-tree.ts'
import { encodeValueChunk } from './value-chunk.ts'
import { encodeWasmColumns } from './wasm-columns.ts'

export interface RowGroupOptions {
  /** Default: `snappy`. Columns that it does not make smaller are stored uncompressed. */
  compression?: Compression | undefined
  /** Default: `delta`. */
  encodings?: Encodings | undefined
}

export interface EncodedRowGroup {
  rowCount: number
  bytes: Uint8Array<ArrayBuffer>
  /** In the order of the schema's leaves; offsets are from the start of `bytes`. */
  columns: ColumnChunk[]
  /** Labels of the top-level dictionary columns that have at most `MAX_ENUM_LABELS`, by column name. */
  labels: Map<string, string[]>
}

export class RowGroupEncoder {
  readonly #schema: Schema
  readonly #tree: SchemaTree
  /** The path of each leaf, by the key of its path in parquet-wasm's files. */
  readonly #paths: ReadonlyMap<string, readonly string[]>
  readonly #compression: Compression
  readonly #encodings: Encodings
  readonly #spare = new SpareMemory()

  /** @throws ExportError `ERR_PARQUET` for a schema that Parquet cannot hold. */
  constructor(schema: Schema, options: RowGroupOptions = {}) {
    this.#schema = schema
    this.#tree = schemaTree(schema)
    this.#paths = new Map(this.#tree.leaves.map(({ arrowPath, path }) => [pathKey(arrowPath), path]))
    this.#compression = options.compression ?? 'snappy'
    this.#encodings = options.encodings ?? 'delta'
  }

  /**
   * Encodes batches of the encoder's schema as one row group.
   * @throws ExportError `ERR_PARQUET` if there are no rows, or if a batch has another schema or breaks Arrow's rules.
   */
  encode(batches: readonly RecordBatch[]): EncodedRowGroup {
    for (const batch of batches) checkBatch(batch, this.#schema)
    const filled = batches.filter((batch) => batch.numRows > 0)
    const rowCount = filled.reduce((rows, batch) => rows + batch.numRows, 0)
    if (rowCount === 0) throw new ExportError('ERR_PARQUET', 'expected a row group of one row or more, found none')
    const labels = new Map<string, string[]>()
    const columns = new Map<string, StoredColumn>()
    for (const { chunk, parts } of wasmColumns(this.#schema, filled, this.#compression)) {
      const path = this.#paths.get(pathKey(chunk.path)) ?? chunk.path
      columns.set(pathKey(path), { chunk: { ...chunk, path }, parts })
    }
    if (isPackedLater(this.#compression)) {
      for (const column of this.#encodeTogether(filled, labels)) columns.set(pathKey(column.chunk.path), column)
    }
    const rowGroup = new RowGroupBytes(this.#spare.take())
    for (const leaf of this.#tree.leaves) {
      const column = columns.get(pathKey(leaf.path)) ?? this.#encodeLeaf(leaf, filled, labels)
      rowGroup.append(requireColumn(leaf, column))
    }
    const { bytes } = rowGroup
    this.#spare.note(bytes.length)
    return { rowCount, bytes, columns: rowGroup.columns, labels }
  }

  /** Takes back the memory of a row group that has been written, for another one. */
  reuse(memory: ArrayBuffer): void {
    this.#spare.give(memory)
  }

  /** Encodes one column; its bytes are valid until the next one is encoded. */
  #encodeLeaf(leaf: Leaf, batches: readonly RecordBatch[], labels: Map<string, string[]>): StoredColumn | undefined {
    pageKernel().reuseCopies()
    const chunk = this.#chunkOf(leaf, batches, labels)
    return chunk?.pages.finish(chunk.statistics)
  }

  /** Encodes all columns that are not left to parquet-wasm, and lets it compress their pages, many at a time. */
  #encodeTogether(batches: readonly RecordBatch[], labels: Map<string, string[]>): StoredColumn[] {
    pageKernel().reuseCopies()
    const chunks = this.#tree.leaves.flatMap((leaf) => this.#chunkOf(leaf, batches, labels) ?? [])
    const pending = chunks.map(({ pages }) => pages.pending)
    const compressed = compressPages(pending.flat(), this.#compression)
    let next = 0
    return chunks.map(({ pages, statistics }, i) => {
      const start = next
      next += pending[i]!.length
      return pages.finish(statistics, compressed.slice(start, next))
    })
  }

  /** Encodes the pages of one column; returns undefined for a column that parquet-wasm encodes. */
  #chunkOf(leaf: Leaf, batches: readonly RecordBatch[], labels: Map<string, string[]>): EncodedChunk | undefined {
    const kernel = pageKernel()
    if (leaf.dictionary !== undefined) {
      const chunk = encodeDictionaryChunk(leaf, leaf.dictionary, batches, kernel, this.#compression)
      addLabels(labels, leaf, chunk)
      return chunk
    }
    const number = leaf.valueColumn
    if (number === undefined) return undefined
    const parts = batches.map((batch) => batch.data.children[number]!)
    return encodeValueChunk(leaf, parts, kernel, this.#compression, this.#encodings)
  }
}

/** @throws ExportError `ERR_PARQUET` if the column is missing or has another type than its leaf. */
function requireColumn(leaf: Leaf, column: StoredColumn | undefined): StoredColumn {
  if (column?.chunk.physicalType === leaf.physicalType) return column
  const found = column === undefined ? 'nothing' : `type ${column.chunk.physicalType}`
  const path = quoted(leaf.path.join('.'))
  throw new ExportError('ERR_PARQUET', `expected column ${path} of type ${leaf.physicalType}, found ${found}`)
}

/**
 * Returns a path as a key. Joined by NUL, which names do not contain in practice, so that `a`, `b` differs from `a.b`.
 */
function pathKey(path: readonly string[]): string {
  return path.join('\0')
}

function addLabels(byColumn: Map<string, string[]>, { path }: Leaf, { labels }: DictionaryChunk): void {
  const [name] = path
  if (name !== undefined && path.length === 1 && labels.count <= MAX_ENUM_LABELS) byColumn.set(name, labelTexts(labels))
}

function wasmColumns(schema: Schema, batches: readonly RecordBatch[], compression: Compression): StoredColumn[] {
  return encodeWasmColumns(schema, batches, compression).flatMap((file) =>
    file.columns.map((chunk) => {
      const start = Math.min(chunk.dictionaryPageOffset ?? Number.POSITIVE_INFINITY, chunk.dataPageOffset)
      return {
        chunk: moveChunk(chunk, -start),
        parts: [file.bytes.subarray(start, start + chunk.compressedByteCount)],
      }
    }),
  )
}
