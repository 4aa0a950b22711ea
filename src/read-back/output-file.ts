/** Reads output files back: Arrow with arrow-js, Parquet with parquet-wasm, one row group at a time. */

import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type RecordBatch, RecordBatchReader, type Schema, tableFromIPC } from 'apache-arrow'
import { type ExportError, isExportError, shortened } from '../errors.ts'
import { isSystemError, systemReason } from '../system/system-error.ts'
import { endsOf, formatOf, type OutputFormat } from './output-format.ts'
import { openParquetFile, type ParquetFile } from './parquet-thread.ts'

interface OutputFile {
  readonly format: OutputFormat
  readonly schema: Schema
  /** Metadata of the whole file, from each place where the format keeps it. */
  readonly metadata: readonly ReadonlyMap<string, string>[]
  /** Yields the result of `use` for each batch. Can be iterated once. */
  batches<T>(use: (batch: RecordBatch) => T): AsyncGenerator<T>
  close(): Promise<void>
}

/** Creates the error for a file that cannot be read. */
type Failure = (problem: string, cause?: unknown) => ExportError

/** A file of one format, whose errors are not wrapped yet. */
type RawFile = Omit<OutputFile, 'batches'> & { batches(): AsyncGenerator<RecordBatch> }

/** Bytes at the end of a complete Arrow stream. */
const END_OF_STREAM = '\xff\xff\xff\xff\0\0\0\0'

/** Cells decoded at a time, so that memory does not depend on the width of the table. */
const BATCH_CELLS = 2 ** 20

/**
 * Opens an output file. Its format is recognised by its content, not its name.
 * @throws what `failure` returns, when the file is missing, has another format, or is damaged. So does reading its
 * batches.
 */
export async function openOutputFile(path: string, failure: Failure): Promise<OutputFile> {
  const read = <T>(step: () => Promise<T>) => wrapFailure(path, failure, step)
  const file = await read(() => openByContent(path))
  return { ...file, batches: (use) => mapBatches(file.batches(), use, read) }
}

async function openByContent(path: string): Promise<RawFile> {
  const { start, end } = await endsOf(path)
  switch (formatOf(start)) {
    case 'parquet':
      return openParquet(path)
    case 'arrow':
      return openArrowFile(path)
    case undefined:
      throw new Error('expected a Parquet or Arrow file, found something else')
    default:
      if (end !== END_OF_STREAM) throw new Error('expected the end mark of an Arrow stream, found none')
      return openArrowReader('arrows', await RecordBatchReader.from(createReadStream(path)))
  }
}

async function openParquet(path: string): Promise<RawFile> {
  const file = await openParquetFile(path)
  try {
    const { schema } = tableFromIPC(file.schema)
    return {
      format: 'parquet',
      schema,
      metadata: [schema.metadata, file.keyValues],
      batches: () => parquetBatches(file, schema.fields.length),
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function* parquetBatches(file: ParquetFile, columns: number): AsyncGenerator<RecordBatch> {
  const batchSize = Math.max(64, Math.min(8192, Math.floor(BATCH_CELLS / (columns + 1))))
  for (const [rowGroup, expected] of file.rowGroupRows.entries()) {
    let rows = 0
    for await (const bytes of file.batches(rowGroup, batchSize)) {
      for (const batch of tableFromIPC(bytes).batches) {
        rows += batch.numRows
        yield batch
      }
    }
    if (rows !== expected) throw new Error(`expected ${expected} rows in row group ${rowGroup + 1}, found ${rows}`)
  }
}

async function openArrowFile(path: string): Promise<RawFile> {
  const file = await open(path)
  try {
    return await openArrowReader('arrow', await RecordBatchReader.from(file), file)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openArrowReader(
  format: 'arrow' | 'arrows',
  reader: RecordBatchReader,
  file?: FileHandle,
): Promise<RawFile> {
  await reader.open()
  if (reader.schema === undefined) throw new Error('expected an Arrow schema, found none')
  async function* batches(): AsyncGenerator<RecordBatch> {
    for await (const batch of reader) yield batch
  }
  const close = async () => {
    await reader.cancel()
    await file?.close().catch(() => {})
  }
  return { format, schema: reader.schema, metadata: [reader.schema.metadata], batches, close }
}

async function* mapBatches<T>(
  batches: AsyncGenerator<RecordBatch>,
  use: (batch: RecordBatch) => T,
  read: <U>(step: () => Promise<U>) => Promise<U>,
): AsyncGenerator<T> {
  try {
    for (;;) {
      const next = await read(async () => {
        const { done, value } = await batches.next()
        return done === true ? undefined : { used: use(value) }
      })
      if (next === undefined) return
      yield next.used
    }
  } finally {
    await batches.return(undefined)
  }
}

/** Converts every error of the readers to one kind of error. */
async function wrapFailure<T>(path: string, failure: Failure, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (cause) {
    if (isExportError(cause)) throw cause
    const reason = isSystemError(cause) ? systemReason(cause) : cause instanceof Error ? cause.message : String(cause)
    throw failure(`${path}: cannot be read: ${shortened(reason, 200)}`, cause)
  }
}
