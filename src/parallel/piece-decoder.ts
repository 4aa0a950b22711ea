/** Decodes pieces of a file and encodes one row group per batch; runs on workers and on the main thread. */

import { closeSync, openSync, readSync } from 'node:fs'
import { setImmediate as immediate } from 'node:timers/promises'
import { DocumentDecoder } from '../decode/document.ts'
import { SENTINEL_BYTES } from '../json/cursor.ts'
import { planTable, rejectLogOf, type TablePlan } from '../shape/table-plan.ts'
import { type EncodedRowGroup, RowGroupEncoder } from '../sinks/parquet/index.ts'
import { abortError } from '../system/abort.ts'
import { WarningLog } from '../warnings.ts'
import { decodedCounts } from './decoded-counts.ts'
import type { PieceJob, PieceRequest, PieceResult } from './messages.ts'
import { RejectLines } from './reject-lines.ts'

const WINDOW_BYTES = 1 << 20

/** Rejected values of a piece are kept in memory until its turn; if there are more, the file is read in order. */
const MAX_REJECT_BYTES = 1 << 25

export class PieceDecoder {
  readonly #job: PieceJob
  readonly #plan: TablePlan
  readonly #encoder: RowGroupEncoder
  readonly #file: number
  readonly #progress: Float64Array
  readonly #warnings = new WarningLog()
  readonly #decoder: DocumentDecoder
  readonly #rejects = new RejectLines(MAX_REJECT_BYTES)
  #buffer: Uint8Array<ArrayBuffer>

  /** @throws whatever opening the file throws. */
  static async create(job: PieceJob): Promise<PieceDecoder> {
    return new PieceDecoder(job, await planTable(job.definition, job.header, job.options, new WarningLog()))
  }

  private constructor(job: PieceJob, plan: TablePlan) {
    this.#job = job
    this.#plan = plan
    this.#encoder = new RowGroupEncoder(this.#plan.shape.schema, job.rowGroups)
    this.#file = openSync(job.path, 'r')
    this.#progress = new Float64Array(job.progress)
    const rejects = rejectLogOf(job.options, (value) => this.#rejects.add(value))
    this.#decoder = new DocumentDecoder(job.limits, { useKernel: true, rejects }, this.#warnings)
    this.#decoder.keepBuffers()
    this.#buffer = this.#decoder.memory.window(WINDOW_BYTES + SENTINEL_BYTES)
    this.#decoder.limitInput(job.options)
  }

  /** Takes back the memory of a row group that has been written, for another one. */
  reuse(memory: ArrayBuffer): void {
    this.#encoder.reuse(memory)
  }

  close(): void {
    closeSync(this.#file)
  }

  /**
   * Decodes the records that begin in a piece. After each window of input (about 1 MiB) it yields to the event loop, so
   * that messages, signals and timers of the thread are handled.
   * @throws AbortError when the signal fires.
   */
  async decode(piece: PieceRequest, signal?: AbortSignal): Promise<PieceResult> {
    const { definition } = this.#job
    const { columns, decodedSchema, shape } = this.#plan
    const { index, recordsBefore } = piece
    const decoder = this.#decoder
    const warnings = this.#warnings
    warnings.clear()
    this.#rejects.clear()
    const start = this.#findRecord(piece.from, piece.to)
    const rowGroups: EncodedRowGroup[] = []
    if (start < 0) {
      const counts = decodedCounts(undefined, columns.length, warnings)
      return {
        ...counts,
        index,
        recordsBefore,
        range: undefined,
        reachedEnd: false,
        rowGroups,
        rejects: new Uint8Array(),
      }
    }
    decoder.beginPiece(definition, columns, decodedSchema, start, piece.to)
    const { cursor } = decoder
    cursor.baseOffset = start
    cursor.pos = 0
    cursor.end = 0
    cursor.isLast = false
    cursor.bytes.fill(0, 0, SENTINEL_BYTES)
    for (;;) {
      const step = decoder.step()
      this.#progress[piece.index * 2] = decoder.cursor.offsetOf(decoder.cursor.pos) - start
      this.#progress[piece.index * 2 + 1] = decoder.recordsRead
      if (step === 'more') {
        await immediate()
        if (signal?.aborted) throw abortError(signal)
        this.#fill(decoder)
      } else if (step === 'batch') {
        const decoded = decoder.takeBatch()
        const before = recordsBefore + decoder.recordsRead - decoded.numRows
        for (const batch of shape.apply(decoded, before)) rowGroups.push(this.#encoder.encode([batch]))
        shape.forgetUnknownOptions()
        decoder.recycle()
      } else {
        const end = decoder.cursor.offsetOf(decoder.cursor.pos)
        const counts = decodedCounts(decoder, columns.length, warnings)
        const rejects = this.#rejects.take()
        const range = { start, end }
        return { ...counts, index, recordsBefore, range, reachedEnd: step === 'end', rowGroups, rejects }
      }
    }
  }

  /** Returns the offset of the first record that begins in the range; -1 if there is none. */
  #findRecord(from: number, to: number): number {
    const { recordStart } = this.#job
    const bytes = Buffer.from(this.#buffer.buffer, this.#buffer.byteOffset, WINDOW_BYTES)
    for (let offset = from; offset < to; ) {
      const got = readSync(this.#file, bytes, 0, WINDOW_BYTES, offset)
      const at = bytes.subarray(0, got).indexOf(recordStart)
      if (at >= 0) return offset + at < to ? offset + at : -1
      if (got < WINDOW_BYTES) return -1
      offset += got - recordStart.length
    }
    return -1
  }

  /**
   * Moves the undecoded rest of the window to its start and reads on. The window is enlarged when that rest fills more
   * than half of it.
   */
  #fill(decoder: DocumentDecoder): void {
    const { cursor } = decoder
    const pending = cursor.bytes.subarray(cursor.pos, cursor.end)
    const offset = cursor.offsetOf(cursor.pos)
    decoder.requireWithinLimits()
    if (pending.length * 2 > this.#buffer.length) {
      const longer = new Uint8Array(pending.length * 4 + SENTINEL_BYTES)
      longer.set(pending)
      this.#buffer = longer
    } else if (cursor.bytes === this.#buffer) {
      this.#buffer.copyWithin(0, cursor.pos, cursor.end)
    }
    const buffer = this.#buffer
    const room = buffer.length - SENTINEL_BYTES - pending.length
    const got = readSync(this.#file, buffer, pending.length, room, offset + pending.length)
    const end = pending.length + got
    buffer.fill(0, end, end + SENTINEL_BYTES)
    cursor.bytes = buffer
    cursor.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    cursor.pos = 0
    cursor.end = end
    cursor.baseOffset = offset
    cursor.isLast = got === 0
  }
}
