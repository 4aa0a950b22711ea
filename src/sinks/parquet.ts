/** Writes RecordBatches to a Parquet file. */

import type { RecordBatch, Schema } from 'apache-arrow'
import { type OptionNames, requireKnownOptions, requirePositive, requireSignal, requireWord } from '../option-values.ts'
import { VERSION } from '../version.ts'
import { type BatchReader, closeAfter, untilAborted } from './batch-reader.ts'
import { type Output, type OutputTarget, type WriteResult, writeOutput } from './output.ts'
import {
  CODEC,
  type Compression,
  createdByText,
  ENCODINGS,
  type EncodedRowGroup,
  type Encodings,
  ParquetFileWriter,
  RowGroupEncoder,
  type RowGroupOptions,
  rowGroupsOf,
} from './parquet/index.ts'

export type { Compression, Encodings } from './parquet/index.ts'

export interface WriteParquetOptions {
  /** Compression of the pages. Default: `snappy`. */
  compression?: Compression | undefined
  /** Encodings of columns without a dictionary. Default: `delta`; `plain` for readers that know no other. */
  encodings?: Encodings | undefined
  /** Maximum rows of a row group. Default: 131,072, or fewer if those are more than 64 MiB of Arrow data. */
  rowGroupSize?: number | undefined
  /** Stops writing, and waiting for a slow target, with an AbortError. The reader has its own signal. */
  signal?: AbortSignal | undefined
}

const PARQUET_OPTION_NAMES: OptionNames<WriteParquetOptions> = {
  compression: true,
  encodings: true,
  rowGroupSize: true,
  signal: true,
}

/**
 * Writes an export as Parquet.
 * @throws OutputError if the target cannot be written; whatever the reader throws. No partial file is left. The reader
 *   is closed in any case.
 */
export async function writeParquet(
  reader: BatchReader,
  target: OutputTarget,
  options: WriteParquetOptions = {},
): Promise<WriteResult> {
  return closeAfter(reader, async () => {
    requireKnownOptions(options, PARQUET_OPTION_NAMES)
    requireParquetOptions(options)
    const { signal } = options
    const fill = (output: Output) => encodeParquet(untilAborted(reader, signal), output, options)
    const { bytesWritten } = await writeOutput(target, fill, signal)
    return { outputBytes: bytesWritten }
  })
}

/**
 * Checks the options.
 * @throws OptionError `ERR_OPTION`.
 */
export function requireParquetOptions({ compression, encodings, rowGroupSize, signal }: WriteParquetOptions): void {
  requireSignal(signal)
  requireWord('compression', compression, Object.keys(CODEC))
  requireWord('encodings', encodings, ENCODINGS)
  requirePositive('rowGroupSize', rowGroupSize)
}

/** Writes batches to an open output, combined or cut to row groups by size. */
export async function encodeParquet(reader: BatchReader, output: Output, options: WriteParquetOptions): Promise<void> {
  const sink = new ParquetSink(reader.schema, output, options)
  const limits = options.rowGroupSize === undefined ? {} : { rowGroupRows: options.rowGroupSize }
  for await (const batches of rowGroupsOf(reader, limits)) await sink.write(batches)
  await sink.finish(reader.finalMetadata, () => reader.emptyBatch?.())
}

/** Writes a Parquet file row group by row group. */
export class ParquetSink {
  readonly #schema: Schema
  readonly #encoder: RowGroupEncoder
  readonly #writer: ParquetFileWriter

  constructor(schema: Schema, output: Output, options: RowGroupOptions = {}) {
    this.#schema = schema
    this.#encoder = new RowGroupEncoder(schema, options)
    this.#writer = new ParquetFileWriter(schema, output, createdByText(VERSION))
  }

  /** Writes the rows of all batches as one row group. */
  async write(batches: readonly RecordBatch[]): Promise<void> {
    const rowGroup = this.#encoder.encode(batches)
    await this.#writer.addRowGroup(rowGroup)
    this.#encoder.reuse(rowGroup.bytes.buffer)
  }

  /** Writes a row group that was encoded elsewhere. */
  async writeEncoded(rowGroup: EncodedRowGroup): Promise<void> {
    await this.#writer.addRowGroup(rowGroup)
  }

  /**
   * Writes the footer. The metadata of the Arrow schema is also written as Parquet metadata, for readers that do not
   * know Arrow (DuckDB, Spark).
   * @param finalMetadata Added to the metadata in both places.
   * @param emptyBatch Called for a file without rows, which has no row group with labels: returns a batch that has
   * them.
   */
  async finish(
    finalMetadata: ReadonlyMap<string, string> = new Map(),
    emptyBatch: () => RecordBatch | undefined = () => undefined,
  ): Promise<void> {
    const labels = labelsOf(this.#writer.rowCount === 0 ? emptyBatch() : undefined)
    await this.#writer.finish(new Map([...this.#schema.metadata, ...finalMetadata]), {
      labels,
      schemaMetadata: finalMetadata,
    })
  }
}

/** Returns the labels of the top-level dictionary columns by column name. */
function labelsOf(batch: RecordBatch | undefined): Map<string, string[]> {
  const labels = new Map<string, string[]>()
  for (const [i, { name }] of (batch?.schema.fields ?? []).entries()) {
    const dictionary = batch?.data.children[i]?.dictionary
    if (dictionary !== undefined) labels.set(name, Array.from(dictionary, String))
  }
  return labels
}
