/** What the main thread and its workers say to each other. */

import type { DecoderState, DocumentDecoder } from '../decode/document.ts'
import type { Definition, ExportHeader } from '../definition.ts'
import type { ReadOptions } from '../reader.ts'
import type { EncodedRowGroup, RowGroupOptions } from '../sinks/parquet/index.ts'
import type { WarningEntry } from '../warnings.ts'
import type { WireError } from './wire-error.ts'

/** What every thread needs to come to the same table. Everything in it can be cloned. */
export interface TableJob {
  readonly header: ExportHeader
  readonly definition: Definition
  readonly options: Omit<ReadOptions, 'signal' | 'onReject'>
  readonly limits: DocumentDecoder['limits']
  readonly rowGroups: RowGroupOptions
  /** Two float64 a piece (a stream is one): bytes decoded and records read so far; for the progress line. */
  readonly progress: SharedArrayBuffer
}

/** The same for all pieces. */
export interface PieceJob extends TableJob {
  readonly path: string
  readonly recordStart: Uint8Array
  /** Whether rows hold the numbers of their records. */
  readonly numbersRecords: boolean
}

/** Piece `index` holds the records that begin at or behind `from` and before `to`. */
export interface PieceRequest {
  readonly index: number
  /** Records of the pieces before it; 0 where the table does not number them. */
  readonly recordsBefore: number
  readonly from: number
  readonly to: number
}

/** What was read and how it was answered. */
export interface DecodedCounts {
  readonly records: number
  /** Per column. */
  readonly answered: Float64Array
  readonly skipped: Float64Array
  readonly invalid: Float64Array
  readonly warnings: readonly WarningEntry[]
}

export interface PieceResult extends DecodedCounts {
  readonly index: number
  /** As the request had it. */
  readonly recordsBefore: number
  /** Where its first record begins and where the next piece's does; undefined for a piece without a record. */
  readonly range: { readonly start: number; readonly end: number } | undefined
  /** Whether it read the document to its end. */
  readonly reachedEnd: boolean
  readonly rowGroups: readonly EncodedRowGroup[]
  /** Rejected values as lines of JSON, their records counted from the piece's first. */
  readonly rejects: Uint8Array<ArrayBuffer>
}

/** `failed`: the export cannot be read as it is; the main thread reads it again in order, for the exact message. */
export type WorkerMessage = { type: 'done'; result: PieceResult } | { type: 'failed'; message: string }

export type MainMessage =
  | { type: 'job'; job: PieceJob }
  | { type: 'piece'; piece: PieceRequest }
  /** The memory of a row group that was written, for the next one. */
  | { type: 'written'; memory: ArrayBuffer }

/** A stream is read by the main thread and converted by one other. */
export interface StreamJob extends TableJob {
  /** What the bytes are sent in. Shared: to hand over hundreds of buffers a second keeps the garbage collector busy. */
  readonly buffers: readonly SharedArrayBuffer[]
  /** Where the decoder goes on, and its offset in the document. */
  readonly place: DecoderState
  readonly byteOffset: number
  /** Most rows of a row group. */
  readonly rowGroupSize: number
}

export type StreamMessage =
  | { type: 'job'; job: StreamJob }
  /** `length` bytes of the document, 0 at its end, are in the buffer of that number. */
  | { type: 'bytes'; buffer: number; length: number }
  /** A row group has been written; its memory serves the next one. */
  | { type: 'written'; memory: ArrayBuffer }

export type StreamWorkerMessage =
  /** The bytes in this buffer were read, it can be filled again. */
  | { type: 'buffer'; buffer: number }
  /** Lines of `RejectLines`. */
  | { type: 'rejects'; lines: Uint8Array<ArrayBuffer> }
  | { type: 'row-group'; rowGroup: EncodedRowGroup }
  | { type: 'done'; counts: DecodedCounts; documentBytes: number }
  | { type: 'failed'; error: WireError }
