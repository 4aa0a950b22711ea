/** A worker thread: decodes the records of a stream, which the main thread sends, into batches for the encoder. */

import { type MessagePort, parentPort } from 'node:worker_threads'
import { DocumentDecoder } from '../decode/document.ts'
import type { ByteSource } from '../source.ts'
import { planTable, rejectLogOf } from '../table-plan.ts'
import { WarningLog } from '../warnings.ts'
import { Window } from '../window.ts'
import { decodedCounts } from './decoded-counts.ts'
import type { BatchMessage, DecoderMessage, StreamJob, StreamMessage } from './messages.ts'
import { RejectLines } from './reject-lines.ts'
import { BatchPacker } from './wire-batch.ts'
import { wireError } from './wire-error.ts'

const WINDOW_BYTES = 1 << 20

/** Batches that the encoder has not begun with: one is ready while it is busy with another. */
const MOST_BATCHES_WAITING = 1

/** The bytes that the main thread sends; it is told when a buffer has been read. */
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
    target.set(new Uint8Array(this.#buffers[buffer]!, this.#position, count))
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

async function decode(job: StreamJob, bytes: SentBytes, encoder: BatchSender): Promise<void> {
  const warnings = new WarningLog()
  const { columns, decodedSchema } = planTable(job.definition, job.header, job.options, new WarningLog())
  const lines = new RejectLines()
  const rejects = rejectLogOf(job.options, (value) => lines.add(value))
  const decoder = new DocumentDecoder(job.limits, { useLayout: true, rejects }, warnings)
  decoder.limitInput(job.options)
  decoder.beginAt(job.place, job.definition, columns, decodedSchema)
  const { cursor } = decoder
  const window = new Window(cursor, bytes, WINDOW_BYTES, (length) => decoder.memory.window(length))
  window.restart(bytes, job.byteOffset)
  const progress = new Float64Array(job.progress)
  for (;;) {
    const step = decoder.step()
    progress[0] = cursor.offsetOf(cursor.pos) - job.byteOffset
    progress[1] = decoder.recordsRead
    if (rejects !== undefined) tellRejects(lines.take())
    if (step === 'batch') {
      await encoder.send(decoder.takeBatch())
    } else if (step === 'end') {
      encoder.finish()
      const documentBytes = cursor.offsetOf(cursor.pos)
      tellMain({ type: 'decoded', counts: decodedCounts(decoder, columns.length, warnings), documentBytes })
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

class BatchSender {
  readonly #port: MessagePort
  readonly #packer = new BatchPacker()
  #waiting = 0
  #wake: () => void = () => undefined

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', () => {
      this.#waiting--
      this.#wake()
    })
  }

  async send(decoded: ReturnType<DocumentDecoder['takeBatch']>): Promise<void> {
    const { batch, buffers } = this.#packer.pack(decoded)
    this.#tell(batch, buffers)
    this.#waiting++
    while (this.#waiting > MOST_BATCHES_WAITING) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  finish(): void {
    this.#tell(undefined, [])
  }

  #tell(message: BatchMessage, buffers: ArrayBuffer[]): void {
    this.#port.postMessage(message, buffers)
  }
}

function tellMain(message: DecoderMessage, buffers: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, buffers)
}

let bytes: SentBytes | undefined

parentPort?.on('message', (message: StreamMessage) => {
  if (message.type === 'bytes') bytes?.add(message.buffer, message.length)
  if (message.type !== 'job') return
  bytes = new SentBytes(message.job.buffers)
  decode(message.job, bytes, new BatchSender(message.port)).catch((error: unknown) => {
    const failure = wireError(error)
    // Anything else is a fault of this program: it ends the worker, which the main thread sees.
    if (failure === undefined) throw error
    tellMain({ type: 'failed', error: failure })
  })
})
