/** Hands the pieces of a file to worker threads and takes their results in the file's order. */

import type { Worker } from 'node:worker_threads'
import { aborted } from '../source.ts'
import type { Pieces } from './cuts.ts'
import type { MainMessage, PieceJob, PieceRequest, PieceResult, WorkerMessage } from './messages.ts'
import { RecordCount } from './record-count.ts'
import { startWorker, stopWorkers } from './worker-thread.ts'

/** A piece that cannot be decoded on its own: the file must be read in order, which also words the error. */
export class ReadInOrder extends Error {}

/** The workers of one conversion. They load their code while the main thread still reads the definition. */
export class PiecePool {
  readonly #workers: Worker[]
  readonly #free: Worker[] = []
  readonly #results = new Map<number, PieceResult>()
  #failure: unknown
  #wake: () => void = () => undefined

  constructor(threads: number) {
    this.#workers = Array.from({ length: threads }, () => this.#start())
  }

  get threads(): number {
    return this.#workers.length
  }

  #start(): Worker {
    const onMessage = (message: WorkerMessage, worker: Worker) => {
      if (message.type === 'done') {
        this.#results.set(message.result.index, message.result)
        this.#free.push(worker)
      } else {
        this.#failure ??= new ReadInOrder(message.message)
      }
      this.#wake()
    }
    return startWorker('piece-worker.js', onMessage, (failure) => {
      this.#failure ??= failure
      this.#wake()
    })
  }

  /**
   * Yields the results in order. No more pieces are begun than there are workers beyond the one that is waited for, so
   * that results do not pile up behind a slow piece.
   *
   * @throws ReadInOrder when a piece could not be decoded on its own, ExportError `ERR_WORKER` when a worker ended.
   */
  async *decode(job: PieceJob, pieces: Pieces, signal: AbortSignal | undefined): AsyncGenerator<PieceResult> {
    const onAbort = () => {
      this.#failure ??= signal && aborted(signal)
      this.#wake()
    }
    const count = job.numbersRecords ? new RecordCount(job.path, pieces) : undefined
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    try {
      for (const worker of this.#workers) {
        tell(worker, { type: 'job', job })
        this.#free.push(worker)
      }
      let begun = 0
      for (let index = 0; index < pieces.count; index++) {
        for (;;) {
          while (begun < Math.min(pieces.count, index + this.#workers.length + 1)) {
            const worker = this.#free.pop()
            if (worker === undefined) break
            const recordsBefore = (await count?.before(begun).catch(readInOrder)) ?? 0
            tell(worker, { type: 'piece', piece: pieceAt(pieces, begun++, recordsBefore) })
          }
          if (this.#failure !== undefined) throw this.#failure
          if (this.#results.has(index)) break
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
        const result = this.#results.get(index)
        this.#results.delete(index)
        if (result !== undefined) yield result
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      await count?.close()
    }
  }

  async close(): Promise<void> {
    await stopWorkers(this.#workers)
  }
}

/** The count cannot be had; reading in order tells why, if it cannot be read either. */
function readInOrder(error: unknown): never {
  throw new ReadInOrder((error as Error).message)
}

function tell(worker: Worker, message: MainMessage): void {
  worker.postMessage(message)
}

function pieceAt(pieces: Pieces, index: number, recordsBefore: number): PieceRequest {
  const from = pieces.first + index * pieces.stride
  const isLast = index === pieces.count - 1
  return { index, recordsBefore, from, to: isLast ? Number.POSITIVE_INFINITY : from + pieces.stride }
}

/**
 * Checks that every piece begins where the one before it ended, with the right number of its first record if records are
 * numbered, and that just the last one read to the end.
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

  /** @throws ReadInOrder when the piece does not fit. */
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

  /** @throws ReadInOrder when the end of the document was not read. */
  finish(): void {
    if (!this.#reachedEnd) throw new ReadInOrder('the last piece is missing')
  }
}
