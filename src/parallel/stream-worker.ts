/**
 * Worker thread that decodes the records of a stream, which the main thread sends, and encodes them into row groups.
 */

import { parentPort } from 'node:worker_threads'
import type { RecordBatch } from 'apache-arrow'
import { DocumentDecoder } from '../decode/document.ts'
import { copyBytes } from '../input/copy-bytes.ts'
import type { ByteSource } from '../input/source.ts'
import { Window } from '../input/window.ts'
import { ShapedBatches } from '../shape/shaped-batches.ts'
import { planTable, rejectLogOf } from '../shape/table-plan.ts'
import { type EncodedRowGroup, RowGroupEncoder, rowGroupsOf } from '../sinks/parquet/index.ts'
import { WarningLog } from '../warnings.ts'
import { decodedCounts } from './decoded-counts.ts'
import type { StreamJob, StreamMessage, StreamWorkerMessage } from './messages.ts'
import { RejectLines } from './reject-lines.ts'
import { wireError } from './wire-error.ts'

const WINDOW_BYTES = 1 << 20

/** Row groups that may wait to be written before the next one is encoded. */
const MAX_ROW_GROUPS_WAITING = 1

/** Reads the bytes that the main thread sends, and reports each buffer back to it once it has been read. */
class SentBytes implements ByteSource {
  bytesRead = 0
  readonly totalBytes = undefined
  readonly isCompressed = false
  readonly reopen = undefined
  readonly #buffers: readonly SharedArrayBuffer[]
  readonly #sent: { buffer: number; length: number }[] = []
  #position = 0
  #wake: () => void = () => undefined

  constructor(buffers: readonly SharedArrayBuffer[]) {
    this.#buffers = buffers
  }

  add(buffer: number, length: number): void {
    this.#sent.push({ buffer, length })
    this.#wake()
  }

  async read(target: Uint8Array): Promise<number> {
    while (this.#sent.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const { buffer, length } = this.#sent[0]!
    const count = Math.min(target.length, length - this.#position)
    copyBytes(new Uint8Array(this.#buffers[buffer]!, this.#position, count), target, 0)
    this.#position += count
    this.bytesRead += count
    if (length > 0 && this.#position === length) {
      this.#sent.shift()
      this.#position = 0
      tellMain({ type: 'buffer', buffer })
    }
    return count
  }

  async close(): Promise<void> {}
}

/** One stream's conversion. */
class StreamJobRunner {
  readonly #job: StreamJob
  readonly #bytes: SentBytes
  #encoder: RowGroupEncoder | undefined
  #rowGroupsWaiting = 0
  #wakeEncoder: () => void = () => undefined

  constructor(job: StreamJob) {
    this.#job = job
    this.#bytes = new SentBytes(job.buffers)
  }

  /** Adds the bytes that the main thread has put into a buffer. */
  addBytes(buffer: number, length: number): void {
    this.#bytes.add(buffer, length)
  }

  /** Takes back the memory of a row group that has been written, for another one. */
  reuse(memory: ArrayBuffer): void {
    this.#encoder?.reuse(memory)
    this.#rowGroupsWaiting--
    this.#wakeEncoder()
  }

  async run(): Promise<void> {
    const job = this.#job
    const { columns, decodedSchema, shape } = await planTable(job.definition, job.header, job.options, new WarningLog())
    const warnings = new WarningLog()
    const lines = new RejectLines()
    const rejects = rejectLogOf(job.options, (value) => lines.add(value))
    const decoder = new DocumentDecoder(job.limits, { useKernel: true, rejects }, warnings)
    decoder.limitInput(job.options)
    decoder.beginAt(job.place, job.definition, columns, decodedSchema)
    const batches = new ShapedBatches(shape, decoder)
    const decoded = decodedBatches(job, decoder, this.#bytes)
    async function* shaped(): AsyncGenerator<RecordBatch> {
      for await (const batch of decoded) {
        if (rejects !== undefined) tellRejects(lines.take())
        yield* batches.of(batch)
      }
      if (rejects !== undefined) tellRejects(lines.take())
    }
    const reused = Object.assign(shaped(), { recycle: () => batches.release() })
    this.#encoder = new RowGroupEncoder(shape.schema, job.rowGroups)
    for await (const group of rowGroupsOf(reused, { rowGroupRows: job.rowGroupSize })) {
      await this.#send(this.#encoder.encode(group))
    }
    const { cursor } = decoder
    const counts = decodedCounts(decoder, columns.length, warnings)
    tellMain({ type: 'done', counts, documentBytes: cursor.offsetOf(cursor.pos) })
  }

  /** Sends a row group and waits while too many have not been written yet. */
  async #send(rowGroup: EncodedRowGroup): Promise<void> {
    tellMain({ type: 'row-group', rowGroup }, [rowGroup.bytes.buffer])
    this.#rowGroupsWaiting++
    while (this.#rowGroupsWaiting > MAX_ROW_GROUPS_WAITING) {
      await new Promise<void>((resolve) => {
        this.#wakeEncoder = resolve
      })
    }
  }
}

async function* decodedBatches(
  { byteOffset, progress }: StreamJob,
  decoder: DocumentDecoder,
  bytes: SentBytes,
): AsyncGenerator<RecordBatch> {
  const { cursor } = decoder
  const window = new Window(cursor, bytes, WINDOW_BYTES, (length) => decoder.memory.window(length))
  window.restart(bytes, byteOffset)
  const done = new Float64Array(progress)
  for (;;) {
    const step = decoder.step()
    done[0] = cursor.offsetOf(cursor.pos) - byteOffset
    done[1] = decoder.recordsRead
    if (step === 'batch') {
      yield decoder.takeBatch()
    } else if (step === 'end') {
      return
    } else {
      decoder.requireWithinLimits()
      await window.advance()
    }
  }
}

function tellRejects(lines: Uint8Array<ArrayBuffer>): void {
  if (lines.length > 0) tellMain({ type: 'rejects', lines }, [lines.buffer])
}

function tellMain(message: StreamWorkerMessage, buffers: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, buffers)
}

/** A thread gets one job. */
let runner: StreamJobRunner | undefined

parentPort?.on('message', (message: StreamMessage) => {
  switch (message.type) {
    case 'bytes':
      return runner?.addBytes(message.buffer, message.length)
    case 'written':
      return runner?.reuse(message.memory)
    case 'job':
      runner = new StreamJobRunner(message.job)
      runner.run().catch((error: unknown) => {
        const failure = wireError(error)
        // Anything else is a bug: it ends the worker, which the main thread sees.
        if (failure === undefined) throw error
        tellMain({ type: 'failed', error: failure })
      })
  }
})
