/** A worker thread: reads Parquet files with parquet-wasm, one at a time, for `parquet-thread.ts`. */

import { openAsBlob } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { ParquetFile, type RecordBatch } from 'parquet-wasm'

/** A request of the main thread; each gets one answer with its `id`. */
export type ParquetRequest = { readonly id: number } & (
  | { readonly type: 'open'; readonly path: string }
  | { readonly type: 'row-group'; readonly rowGroup: number; readonly batchSize: number }
  | { readonly type: 'next' }
  | { readonly type: 'close' }
)

export interface ParquetAnswer {
  readonly id: number
  readonly value?: unknown
  /** Set when the request failed. */
  readonly problem?: string
}

/** Answer to `open`. */
export interface OpenedParquet {
  /** The Arrow schema, as an IPC stream without batches. */
  readonly schema: Uint8Array
  readonly keyValues: ReadonlyMap<string, string>
  readonly rowGroupRows: readonly number[]
}

interface OpenFile {
  readonly parquet: ParquetFile
  /** Batches of the row group being read. */
  batches?: ReadableStreamDefaultReader<RecordBatch>
}

let file: OpenFile | undefined

parentPort?.on('message', (request: ParquetRequest) => {
  answer(request).catch((error: unknown) => {
    send({ id: request.id, problem: error instanceof Error ? error.message : String(error) })
  })
})

async function answer(request: ParquetRequest): Promise<void> {
  const { id } = request
  if (request.type === 'open') return send({ id, value: await open(request.path) })
  if (file === undefined) throw new Error('unreachable: the file is not open')
  switch (request.type) {
    case 'row-group': {
      const { rowGroup, batchSize } = request
      file.batches = (await file.parquet.stream({ rowGroups: [rowGroup], batchSize })).getReader()
      return send({ id })
    }
    case 'next': {
      const result = await file.batches?.read()
      if (result?.value === undefined) return send({ id })
      const value = result.value.intoIPCStream()
      return send({ id, value }, [value.buffer as ArrayBuffer])
    }
    case 'close':
      file.parquet.free()
      file = undefined
      return send({ id })
  }
}

async function open(path: string): Promise<OpenedParquet> {
  const parquet = await ParquetFile.fromFile(await openAsBlob(path))
  const metadata = parquet.metadata()
  file = { parquet }
  return {
    schema: parquet.schema().intoIPCStream(),
    keyValues: metadata.fileMetadata().keyValueMetadata() as Map<string, string>,
    rowGroupRows: Array.from({ length: metadata.numRowGroups() }, (_, i) => metadata.rowGroup(i).numRows()),
  }
}

function send(message: ParquetAnswer, buffers: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, buffers)
}
