/**
 * Converts a stream on two threads: the calling one reads the bytes, a worker decodes and encodes them. Everything
 * happens in order, so that the result is the same as on a single thread, and little is in memory at a time.
 */

import type { Worker } from 'node:worker_threads'
import type { EncodedRowGroup } from '../sinks/parquet/index.ts'
import { abortError } from '../system/abort.ts'
import type { DecodedCounts, StreamJob, StreamMessage, StreamWorkerMessage } from './messages.ts'
import { errorFromWire } from './wire-error.ts'
import { startWorker, stopWorkers } from './worker-thread.ts'

const BUFFER_BYTES = 1 << 21

/** Number of buffers. Together they hold about what arrives while the worker encodes a row group. */
const BUFFERS = 8

export class StreamPipeline {
  /** The calling thread and the worker. */
  readonly threads = 2
  readonly #worker: Worker
  readonly #rowGroups: EncodedRowGroup[] = []
  readonly #buffers = Array.from({ length: BUFFERS }, () => new SharedArrayBuffer(BUFFER_BYTES))
  readonly #freeBuffers = this.#buffers.map((_, i) => i)
  #decoded: { counts: DecodedCounts; documentBytes: number } | undefined
  #failure: unknown
  #waiting: (() => void)[] = []
  #takeRejects: (lines: Uint8Array) => void = () => undefined

  constructor() {
    const onFailure = (failure: unknown) => this.#fail(failure)
    this.#worker = startWorker('stream-worker.js', (message: StreamWorkerMessage) => this.#on(message), onFailure)
  }

  /** Counts and size of the document; available once all row groups have been yielded. */
  get decoded(): { counts: DecodedCounts; documentBytes: number } {
    if (this.#decoded === undefined) throw new Error('unreachable: the stream was not decoded')
    return this.#decoded
  }

  /**
   * Yields the row groups in order; the memory of a row group is reused once the next one is requested.
   *
   * @param read Reads the document from `parts.byteOffset` on, as `ByteSource.read` does.
   * @param takeRejects Called with lines of `RejectLines`, in order; with the last ones before the generator ends.
   * @throws whatever `read` and decoding throw; ExportError `ERR_WORKER` if a worker ended.
   */
  async *encode(
    parts: Omit<StreamJob, 'buffers'>,
    read: (target: Uint8Array) => Promise<number>,
    signal: AbortSignal | undefined,
    takeRejects: (lines: Uint8Array) => void = () => undefined,
  ): AsyncGenerator<EncodedRowGroup> {
    this.#takeRejects = takeRejects
    const onAbort = () => this.#fail(signal && abortError(signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    try {
      this.#tell({ type: 'job', job: { ...parts, buffers: this.#buffers } })
      this.#send(read).catch((error: unknown) => this.#fail(error))
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure
        const rowGroup = this.#rowGroups.shift()
        if (rowGroup !== undefined) {
          yield rowGroup
          const memory = rowGroup.bytes.buffer
          this.#tell({ type: 'written', memory }, [memory])
        } else if (this.#decoded !== undefined) {
          return
        } else {
          await this.#change()
        }
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#fail(new Error('the pipeline is at its end'))
    }
  }

  async close(): Promise<void> {
    await stopWorkers([this.#worker])
  }

  async #send(read: (target: Uint8Array) => Promise<number>): Promise<void> {
    for (;;) {
      const buffer = await this.#freeBuffer()
      if (buffer === undefined) return
      const target = new Uint8Array(this.#buffers[buffer]!)
      let length = 0
      let got = 1
      while (got > 0 && length < BUFFER_BYTES) {
        got = await read(target.subarray(length))
        length += got
      }
      if (this.#failure !== undefined) return
      this.#tell({ type: 'bytes', buffer, length })
      if (length === 0) return
    }
  }

  /** Waits for a free buffer and returns its number; undefined after a failure or the end. */
  async #freeBuffer(): Promise<number | undefined> {
    while (this.#failure === undefined) {
      const buffer = this.#freeBuffers.shift()
      if (buffer !== undefined) return buffer
      await this.#change()
    }
    return undefined
  }

  #on(message: StreamWorkerMessage): void {
    if (message.type === 'buffer') this.#freeBuffers.push(message.buffer)
    else if (message.type === 'rejects') this.#takeRejects(message.lines)
    else if (message.type === 'row-group') this.#rowGroups.push(message.rowGroup)
    else if (message.type === 'done') this.#decoded = message
    else this.#fail(errorFromWire(message.error))
    this.#wake()
  }

  #tell(message: StreamMessage, buffers: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, buffers)
  }

  #fail(failure: unknown): void {
    this.#failure ??= failure
    this.#wake()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
