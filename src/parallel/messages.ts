/** Messages between the main thread and its workers. */

import type { DecoderState, DocumentDecoder } from '../decode/document.ts'
import type { Definition, ExportHeader } from '../definition.ts'
import type { ReadOptions } from '../reader.ts'
import type { EncodedRowGroup, RowGroupOptions } from '../sinks/parquet/index.ts'
import type { WarningEntry } from '../warnings.ts'
import type { WireError } from './wire-error.ts'

/** What every thread needs to build the same table. All of it can be cloned. */
export interface TableJob {
  readonly header: ExportHeader
  readonly definition: Definition
  readonly options: Omit<ReadOptions, 'signal' | 'onReject'>
  readonly limits: DocumentDecoder['limits']
  readonly rowGroups: RowGroupOptions
  /** Two float64 per piece (a stream is one piece), for progress: bytes decoded and records read so far. */
  readonly progress: SharedArrayBuffer
}

/** The part of the job that is the same for all pieces. */
export interface PieceJob extends TableJob {
  readonly path: string
  /** The bytes that every record begins with. */
  readonly recordStart: Uint8Array
  /** Whether rows hold the numbers of their records. */
  readonly numbersRecords: boolean
}

/** Piece `index`: the records that begin at or after offset `from` and before `to`. */
export interface PieceRequest {
  readonly index: number
  /** Records of the pieces before it; 0 if the table does not number its records. */
  readonly recordsBefore: number
  readonly from: number
  readonly to: number
}

/** Records and answers that were decoded. */
export interface DecodedCounts {
  readonly records: number
  /** One number per column, as in the next two. */
  readonly answered: Float64Array
  readonly skipped: Float64Array
  readonly invalid: Float64Array
  readonly warnings: readonly WarningEntry[]
}

export interface PieceResult extends DecodedCounts {
  readonly index: number
  /** As in the request. */
  readonly recordsBefore: number
  /** Offsets of its first record and of the next piece's; undefined for a piece in which no record begins. */
  readonly range: { readonly start: number; readonly end: number } | undefined
  /** Whether the end of the document was read. */
  readonly reachedEnd: boolean
  readonly rowGroups: readonly EncodedRowGroup[]
  /** Rejected values as JSON lines, with record numbers that count from the piece's first record. */
  readonly rejects: Uint8Array<ArrayBuffer>
}

/** `failed`: the piece could not be read; the main thread reads the export again in order, for the exact message. */
export type WorkerMessage = { type: 'done'; result: PieceResult } | { type: 'failed'; message: string }

export type MainMessage =
  | { type: 'job'; job: PieceJob }
  | { type: 'piece'; piece: PieceRequest }
  /** The row group in this memory has been written; the memory is reused for another one. */
  | { type: 'written'; memory: ArrayBuffer }

/** The job of the thread that converts a stream, which the main thread reads. */
export interface StreamJob extends TableJob {
  /**
   * Buffers in which bytes are sent. Shared, since transferring hundreds of buffers per second burdens the garbage
   * collector.
   */
  readonly buffers: readonly SharedArrayBuffer[]
  /** State in which the decoder continues. */
  readonly place: DecoderState
  /** Offset in the document at which it continues. */
  readonly byteOffset: number
  /** Maximum rows of a row group. */
  readonly rowGroupSize: number
}

export type StreamMessage =
  | { type: 'job'; job: StreamJob }
  /** Buffer number `buffer` holds the next `length` bytes of the document; 0 bytes at its end. */
  | { type: 'bytes'; buffer: number; length: number }
  /** As in `MainMessage`. */
  | { type: 'written'; memory: ArrayBuffer }

export type StreamWorkerMessage =
  /** The buffer of this number has been read and can be filled again. */
  | { type: 'buffer'; buffer: number }
  /** Lines of `RejectLines`. */
  | { type: 'rejects'; lines: Uint8Array<ArrayBuffer> }
  | { type: 'row-group'; rowGroup: EncodedRowGroup }
  | { type: 'done'; counts: DecodedCounts; documentBytes: number }
  | { type: 'failed'; error: WireError }
