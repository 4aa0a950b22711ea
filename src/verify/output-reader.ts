/** Output files → batches of plain cells: Arrow by arrow-js, Parquet by parquet-wasm, a row group at a time. */

import { createReadStream, openAsBlob } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { RecordBatchReader, type Schema, tableFromIPC } from 'apache-arrow'
import { ParquetFile, type RecordBatch as WasmBatch } from 'parquet-wasm'
import { isExportError, OutputError, shortened } from '../errors.ts'
import { type BatchCells, CellDecoder } from './arrow-cells.ts'
import { settledOrPanicked } from './wasm-panic.ts'

export type OutputFormat = 'parquet' | 'arrow' | 'arrows'

export interface OutputReader {
  readonly format: OutputFormat
  readonly schema: Schema
  /** Metadata of the whole file, in each place where the format keeps it. */
  readonly metadata: readonly ReadonlyMap<string, string>[]
  /** Whether each batch has its column's dictionary whole and in its order. Other writers of Parquet keep neither. */
  readonly keepsDictionaries: boolean
  /** The batches, once. */
  batches(): AsyncGenerator<BatchCells>
  close(): Promise<void>
}

/** Bytes at the end of an Arrow stream that is complete. */
const END_OF_STREAM = 'ffffffff00000000'

/** Cells that are decoded at a time, so that memory does not depend on the width of the table. */
const BATCH_CELLS = 2 ** 20

/**
 * Opens an output file; what it is says its content, not its name.
 * @throws OutputError `ERR_OUTPUT` when it is missing, no such file, or damaged.
 */
export async function openOutput(path: string): Promise<OutputReader> {
  return readable(path, async () => {
    const { start, end } = await ends(path)
    if (start.startsWith('PAR1')) return openParquet(path)
    return start.startsWith('ARROW1') ? openArrowFile(path) : openArrowStream(path, end)
  })
}

async function ends(path: string): Promise<{ start: string; end: string }> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(8)
    await file.read(bytes, 0, 8, 0)
    const start = bytes.toString('latin1')
    await file.read(bytes, 0, 8, Math.max(0, size - 8))
    return { start, end: bytes.toString('hex') }
  } finally {
    await file.close()
  }
}

async function openParquet(path: string): Promise<OutputReader> {
  const file = await settledOrPanicked(ParquetFile.fromFile(await openAsBlob(path)))
  const schema = tableFromIPC(file.schema().intoIPCStream()).schema
  const keyValues = file.metadata().fileMetadata().keyValueMetadata() as Map<string, string>
  return {
    format: 'parquet',
    schema,
    metadata: [schema.metadata, keyValues],
    keepsDictionaries: false,
    batches: () => guarded(path, parquetBatches(file, schema.fields.length)),
    close: async () => file.free(),
  }
}

async function* parquetBatches(file: ParquetFile, columns: number): AsyncGenerator<BatchCells> {
  const decoder = new CellDecoder()
  const metadata = file.metadata()
  const batchSize = Math.max(64, Math.min(8192, Math.floor(BATCH_CELLS / (columns + 1))))
  for (let group = 0; group < metadata.numRowGroups(); group++) {
    const expected = metadata.rowGroup(group).numRows()
    let rows = 0
    const batches = (await settledOrPanicked(file.stream({ rowGroups: [group], batchSize }))).getReader()
    for (;;) {
      const { done, value } = await settledOrPanicked(batches.read())
      if (done) break
      for (const batch of tableFromIPC((value as WasmBatch).intoIPCStream()).batches) {
        rows += batch.numRows
        yield decoder.batch(batch)
      }
    }
    if (rows !== expected) {
      throw new OutputError('ERR_OUTPUT', `expected ${expected} rows in row group ${group + 1}, found ${rows}`)
    }
  }
}

async function openArrowFile(path: string): Promise<OutputReader> {
  const file = await open(path)
  try {
    return await arrowOutput(path, 'arrow', await RecordBatchReader.from(file), file)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openArrowStream(path: string, end: string): Promise<OutputReader> {
  if (end !== END_OF_STREAM) throw new OutputError('ERR_OUTPUT', 'expected the end mark of an Arrow stream, found none')
  return arrowOutput(path, 'arrows', await RecordBatchReader.from(createReadStream(path)))
}

async function arrowOutput(
  path: string,
  format: 'arrow' | 'arrows',
  reader: RecordBatchReader,
  file?: FileHandle,
): Promise<OutputReader> {
  await reader.open()
  if (reader.schema === undefined) throw new OutputError('ERR_OUTPUT', 'expected an Arrow schema, found none')
  return {
    format,
    schema: reader.schema,
    metadata: [reader.schema.metadata],
    keepsDictionaries: true,
    batches: () => guarded(path, arrowBatches(reader)),
    close: async () => {
      await reader.cancel()
      await file?.close().catch(() => {})
    },
  }
}

async function* arrowBatches(reader: RecordBatchReader): AsyncGenerator<BatchCells> {
  const decoder = new CellDecoder()
  for await (const batch of reader) yield decoder.batch(batch)
}

async function* guarded<T>(path: string, batches: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    for (;;) {
      const next = await readable(path, () => batches.next())
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await batches.return(undefined)
  }
}

/** Turns whatever the readers throw at a damaged file into one kind of error. */
async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (isExportError(cause)) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new OutputError('ERR_OUTPUT', `${path}: cannot be read: ${shortened(reason, 200)}`, { cause })
  }
}
