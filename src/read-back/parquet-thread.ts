/**
 * Reads Parquet files with parquet-wasm in a worker thread. Some damage makes parquet-wasm panic: its promise never
 * settles, and the panic is an uncaught exception of its thread, which must not be the host program's.
 */

import type { Worker } from 'node:worker_threads'
import type { ExportError } from '../errors.ts'
import { startWorker, stopWorkers } from '../parallel/worker-thread.ts'
import type { OpenedParquet, ParquetAnswer, ParquetRequest } from './parquet-worker.ts'

export interface ParquetFile extends OpenedParquet {
  /** Yields the batches of a row group, each as an IPC stream. */
  batches(rowGroup: number, batchSize: number): AsyncGenerator<Uint8Array>
  close(): Promise<void>
}

/** Threads without an open file. A thread has one file at a time: a panic must not be an error of another file. */
const idle: ParquetThread[] = []

/**
 * Opens a Parquet file.
 * @throws Error when the file is damaged; so does reading its batches.
 */
export async function openParquetFile(path: string): Promise<ParquetFile> {
  const owner = idle.pop() ?? new ParquetThread()
  const release = owner.lease()
  try {
    const opened = await owner.ask<OpenedParquet>({ type: 'open', path })
    async function* batches(rowGroup: number, batchSize: number): AsyncGenerator<Uint8Array> {
      await owner.ask({ type: 'row-group', rowGroup, batchSize })
      for (;;) {
        const batch = await owner.ask<Uint8Array | undefined>({ type: 'next' })
        if (batch === undefined) return
        yield batch
      }
    }
    const close = async () => {
      await owner.ask({ type: 'close' }).catch(() => undefined)
      release()
    }
    return { ...opened, batches, close }
  } catch (error) {
    release()
    throw error
  }
}

/** How long an idle thread is kept: starting one and loading parquet-wasm takes as long as reading a small file. */
const IDLE_MS = 5_000

type Body<T> = T extends unknown ? Omit<T, 'id'> : never

class ParquetThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  #requests = 0
  #idle: NodeJS.Timeout | undefined
  #failure: unknown

  constructor() {
    this.#worker = startWorker<ParquetAnswer>(
      'parquet-worker.js',
      (answer) => this.#settle(answer),
      (failure) => this.#fail(failure),
    )
    // Lets a program end that drops a file without closing it; only a pending request keeps the process alive.
    this.#worker.unref()
  }

  /** Keeps the thread until the returned function is called, and for IDLE_MS after that. */
  lease(): () => void {
    clearTimeout(this.#idle)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      if (this.#failure !== undefined) return
      idle.push(this)
      this.#idle = setTimeout(() => this.#stop(), IDLE_MS).unref()
    }
  }

  #stop(): void {
    this.#retire()
    void stopWorkers([this.#worker])
  }

  async ask<T>(request: Body<ParquetRequest>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure
    const id = ++this.#requests
    this.#worker.ref()
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#worker.postMessage({ id, ...request })
    })
  }

  #settle({ id, value, problem }: ParquetAnswer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if (problem === undefined) waiting?.resolve(value)
    else waiting?.reject(new Error(problem))
  }

  #fail(failure: ExportError): void {
    // The cause of the thread's death: a panic is about the file, and the caller words it as such.
    this.#failure ??= failure.cause ?? failure
    this.#retire()
    for (const { reject } of this.#waiting.values()) reject(this.#failure)
    this.#waiting.clear()
  }

  /** Makes files that are opened from now on use another thread. */
  #retire(): void {
    const index = idle.indexOf(this)
    if (index >= 0) idle.splice(index, 1)
  }
}
