/** RecordBatches → one Parquet file. */

import type { Schema } from 'apache-arrow'
import { VERSION } from '../version.ts'
import type { BatchReader } from './ipc.ts'
import { type Output, type OutputTarget, writeOutput } from './output.ts'
import { type Compression, createdByText, ParquetFileWriter, writeRowGroups } from './parquet/index.ts'

export type { Compression } from './parquet/index.ts'

export interface WriteParquetOptions {
  /** Default: `snappy`. */
  compression?: Compression | undefined
  /** Most rows of a row group. Default: 131,072, fewer where that would be more than 64 MiB of Arrow data. */
  rowGroupSize?: number | undefined
}

/**
 * Writes an export as Parquet.
 * @returns Bytes written.
 * @throws OutputError when the target cannot be written; whatever the reader throws. No partial file is left.
 */
export async function writeParquet(
  reader: BatchReader,
  target: OutputTarget,
  options: WriteParquetOptions = {},
): Promise<number> {
  return writeOutput(target, (output) => encodeParquet(reader, output, options))
}

/** Writes batches to an open output, a row group at a time. */
export async function encodeParquet(reader: BatchReader, output: Output, options: WriteParquetOptions): Promise<void> {
  const { schema } = reader
  const writer = new ParquetFileWriter(schema, output, createdByText(VERSION))
  const { compression = 'snappy', rowGroupSize } = options
  await writeRowGroups(reader, schema, writer, {
    compression,
    ...(rowGroupSize === undefined ? {} : { rowGroupRows: rowGroupSize }),
  })
  await writer.finish(keyValueMetadataOf(schema))
}

/** The schema's own metadata, where readers that know no Arrow (DuckDB, Spark) find it too. */
function keyValueMetadataOf(schema: Schema): Map<string, string> {
  return new Map(schema.metadata)
}
