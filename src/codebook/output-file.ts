/** A file that was written before, opened again: its schema and its batches. */

import { createReadStream, openAsBlob } from 'node:fs'
import { open } from 'node:fs/promises'
import { type RecordBatch, RecordBatchReader, type Schema, tableFromIPC } from 'apache-arrow'
import { isExportError, SourceError, shortened } from '../errors.ts'

export interface OutputFile {
  readonly schema: Schema
  batches(): AsyncGenerator<RecordBatch>
}

type Format = 'parquet' | 'arrow' | 'arrows'

/** Bytes that an output file begins with; an Arrow stream begins with a continuation marker. */
const MAGIC: readonly (readonly [string, Format])[] = [
  ['PAR1', 'parquet'],
  ['ARROW1', 'arrow'],
  ['\xff\xff\xff\xff', 'arrows'],
]

/** What kind of output a file is, by its first bytes; undefined for anything else, an export for one. */
export async function outputFormatOf(path: string): Promise<Format | undefined> {
  const file = await open(path).catch(() => undefined)
  try {
    const { buffer, bytesRead } = (await file?.read(Buffer.alloc(8), 0, 8, 0)) ?? {
      buffer: Buffer.alloc(0),
      bytesRead: 0,
    }
    const start = buffer.toString('latin1', 0, bytesRead)
    return MAGIC.find(([magic]) => start.startsWith(magic))?.[1]
  } catch {
    return undefined
  } finally {
    await file?.close()
  }
}

/**
 * Opens an output file.
 * @throws SourceError `ERR_SOURCE` when it cannot be read.
 */
export async function openOutputFile(path: string, format: Format): Promise<OutputFile> {
  return readable(path, () => (format === 'parquet' ? openParquet(path) : openArrow(path)))
}

/** Rows that are decoded at a time. */
const BATCH_ROWS = 8192

async function openParquet(path: string): Promise<OutputFile> {
  const { ParquetFile } = await import('parquet-wasm')
  const file = await ParquetFile.fromFile(await openAsBlob(path))
  const { schema } = tableFromIPC(file.schema().intoIPCStream())
  const keyValues = file.metadata().fileMetadata().keyValueMetadata() as Map<string, string>
  for (const [key, value] of keyValues) schema.metadata.set(key, value)
  async function* batches(): AsyncGenerator<RecordBatch> {
    const stream = (await file.stream({ batchSize: BATCH_ROWS })).getReader()
    for (;;) {
      const { done, value } = await readable(path, () => stream.read())
      if (done) return
      yield* tableFromIPC((value as { intoIPCStream(): Uint8Array }).intoIPCStream()).batches
    }
  }
  return { schema, batches }
}

async function openArrow(path: string): Promise<OutputFile> {
  const reader = await RecordBatchReader.from(createReadStream(path))
  await reader.open()
  async function* batches(): AsyncGenerator<RecordBatch> {
    const iterator = reader[Symbol.asyncIterator]()
    for (;;) {
      const next = await readable(path, async () => iterator.next())
      if (next.done === true) return
      yield next.value as RecordBatch
    }
  }
  return { schema: reader.schema, batches }
}

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (isExportError(cause)) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SourceError('ERR_SOURCE', `${path}: cannot be read: ${shortened(reason, 200)}`, { cause })
  }
}
