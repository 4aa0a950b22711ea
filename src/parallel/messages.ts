/** What the main thread and its workers say to each other. */

import type { DocumentDecoder } from '../decode/document.ts'
import type { Definition, ExportHeader } from '../definition.ts'
import type { ReadOptions } from '../reader.ts'
import type { Compression, EncodedRowGroup } from '../sinks/parquet/index.ts'
import type { WarningEntry } from '../warnings.ts'

/** The same for all pieces. Everything in it can be cloned. */
export interface PieceJob {
  readonly path: string
  readonly header: ExportHeader
  readonly definition: Definition
  readonly options: Omit<ReadOptions, 'signal'>
  readonly limits: DocumentDecoder['limits']
  readonly recordStart: Uint8Array
  readonly compression: Compression
  /** Two float64 a piece: bytes decoded and records read so far; for the progress line. */
  readonly progress: SharedArrayBuffer
}

/** Piece `index` holds the records that begin at or behind `from` and before `to`. */
export interface PieceRequest {
  readonly index: number
  readonly from: number
  readonly to: number
}

export interface PieceResult {
  readonly index: number
  /** Where its first record begins and where the next piece's does; undefined for a piece without a record. */
  readonly range: { readonly start: number; readonly end: number } | undefined
  /** Whether it read the document to its end. */
  readonly reachedEnd: boolean
  readonly records: number
  /** Per column. */
  readonly answered: Float64Array
  readonly skipped: Float64Array
  readonly warnings: readonly WarningEntry[]
  readonly rowGroups: readonly EncodedRowGroup[]
}

/** `failed`: the export cannot be read as it is; the main thread reads it again in order, for the exact message. */
export type WorkerMessage = { type: 'done'; result: PieceResult } | { type: 'failed'; message: string }

export type MainMessage = { type: 'job'; job: PieceJob } | { type: 'piece'; piece: PieceRequest }
