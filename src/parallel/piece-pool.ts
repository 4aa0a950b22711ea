/** Distributes the pieces of a file over threads and yields their results in the file's order. */

import type { Worker } from 'node:worker_threads'
import type { Pieces } from '../decode/cuts.ts'
import { isExportError } from '../errors.ts'
import { abortError } from '../system/abort.ts'
import { isSystemError } from '../system/system-error.ts'
import type { MainMessage, PieceJob, PieceRequest, PieceResult, WorkerMessage } from './messages.ts'
import type { PieceDecoder } from './piece-decoder.ts'
import { RecordCount } from './record-count.ts'
import { startWorker, stopWorkers } from './worker-thread.ts'

/** Thrown if a piece cannot be decoded on its own: the file must be read in order, which also gives the exact error. */
export class ReadInOrder extends Error {}

/** A thread that decodes one piece after another. */
interface PieceThread {
  begin(job: PieceJob): void
  decode(piece: PieceRequest): void
  /** Takes back the memory of a row group that has been written, for another one. */
  reuse(memory: ArrayBuffer): void
}

interface Decoded {
  readonly result: PieceResult
  readonly thread: PieceThread
}

/**
 * The threads of one conversion: the calling one, whose code is loaded and warm by the time the definition has been
 * read, and workers, which can load theirs meanwhile.
 */
export class PiecePool {
  /** Number of threads, the calling one included. */
  readonly threads: number
  readonly #workers: Worker[] = []
  readonly #threads: PieceThread[] = []
  readonly #free: PieceThread[] = []
  readonly #results = new Map<number, Decoded>()
  #failure: unknown
  #own: PieceDecoder | undefined
  readonly #closing = new AbortController()
  #wake: () => void = () => undefined

  constructor(threads: number) {
    this.threads = threads
  }

  /** Starts the workers that are not started yet. */
  start(): void {
    while (this.#threads.length < this.threads - 1) this.#threads.push(this.#startWorker())
  }

  #startWorker(): PieceThread {
    const onMessage = (message: WorkerMessage) => {
      if (message.type === 'done') this.#take(message.result, thread)
      else this.#fail(new ReadInOrder(message.message))
    }
    const worker = startWorker('piece-worker.js', onMessage, (failure) => this.#fail(failure))
    this.#workers.push(worker)
    const thread = {
      begin: (job: PieceJob) => tell(worker, { type: 'job', job }),
      decode: (piece: PieceRequest) => tell(worker, { type: 'piece', piece }),
      reuse: (memory: ArrayBuffer) => tell(worker, { type: 'written', memory }, [memory]),
    }
    return thread
  }

  #thisThread(own: PieceDecoder): PieceThread {
    this.#own = own
    const thread = {
      begin: () => undefined,
      decode: (piece: PieceRequest) => {
        own.decode(piece, this.#closing.signal).then(
          (result) => this.#take(result, thread),
          (error: unknown) => {
            const isOurs = isExportError(error) || isSystemError(error)
            this.#fail(isOurs ? new ReadInOrder((error as Error).message) : error)
          },
        )
      },
      reuse: (memory: ArrayBuffer) => own.reuse(memory),
    }
    return thread
  }

  #take(result: PieceResult, thread: PieceThread): void {
    this.#results.set(result.index, { result, thread })
    this.#free.push(thread)
    this.#wake()
  }

  #fail(failure: unknown): void {
    this.#failure ??= failure
    this.#wake()
  }

  /**
   * Yields the results in order; the memory of a result's row groups is reused once the next result is requested. At
   * most one piece per thread is started ahead of the one that is waited for, so that results do not pile up when one
   * piece is slow.
   *
   * @param own Decodes pieces on the calling thread; it is closed with the pool.
   * @throws ReadInOrder if a piece could not be decoded on its own, ExportError `ERR_WORKER` if a worker ended.
   */
  async *decode(
    job: PieceJob,
    pieces: Pieces,
    own: PieceDecoder,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<PieceResult> {
    this.start()
    this.#threads.push(this.#thisThread(own))
    const onAbort = () => this.#fail(signal && abortError(signal))
    const count = job.numbersRecords ? new RecordCount(job.path, pieces) : undefined
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    try {
      for (const thread of this.#threads) {
        thread.begin(job)
        this.#free.push(thread)
      }
      let begun = 0
      for (let index = 0; index < pieces.count; index++) {
        for (;;) {
          while (begun < Math.min(pieces.count, index + this.#threads.length + 1)) {
            const thread = this.#free.pop()
            if (thread === undefined) break
            const recordsBefore = (await count?.before(begun).catch(readInOrder)) ?? 0
            thread.decode(pieceAt(pieces, begun++, recordsBefore))
          }
          if (this.#failure !== undefined) throw this.#failure
          if (this.#results.has(index)) break
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
        const decoded = this.#results.get(index)
        this.#results.delete(index)
        if (decoded === undefined) continue
        yield decoded.result
        for (const { bytes } of decoded.result.rowGroups) decoded.thread.reuse(bytes.buffer)
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      await count?.close()
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#own?.close()
    this.#own = undefined
    await stopWorkers(this.#workers)
  }
}

/** Turns any error into a `ReadInOrder`: if the file cannot be read in order either, that gives the exact error. */
export function readInOrder(error: unknown): never {
  throw new ReadInOrder((error as Error).message)
}

function tell(worker: Worker, message: MainMessage, buffers: ArrayBuffer[] = []): void {
  worker.postMessage(message, buffers)
}

function pieceAt(pieces: Pieces, index: number, recordsBefore: number): PieceRequest {
  const from = pieces.first + index * pieces.stride
  const isLast = index === pieces.count - 1
  return { index, recordsBefore, from, to: isLast ? Number.POSITIVE_INFINITY : from + pieces.stride }
}

/**
 * Checks that every piece begins where the previous one ended, that the number of its first record is right if records
 * are numbered, and that only the last piece reached the end of the document.
 */
export class PieceSeams {
  readonly #numbersRecords: boolean
  #end: number
  #records = 0
  #reachedEnd = false

  constructor(first: number, numbersRecords: boolean) {
    this.#end = first
    this.#numbersRecords = numbersRecords
  }

  /** @throws ReadInOrder if the piece does not fit. */
  add({ range, reachedEnd, recordsBefore, records }: PieceResult): void {
    if (range === undefined) return
    const isMisnumbered = this.#numbersRecords && recordsBefore !== this.#records
    if (this.#reachedEnd || range.start !== this.#end || isMisnumbered) {
      throw new ReadInOrder('the pieces do not fit together')
    }
    this.#records += records
    this.#end = range.end
    this.#reachedEnd = reachedEnd
  }

  /** @throws ReadInOrder if the end of the document was not read. */
  finish(): void {
    if (!this.#reachedEnd) throw new ReadInOrder('the last piece is missing')
  }
}
