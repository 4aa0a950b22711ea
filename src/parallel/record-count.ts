/** Counts the records before each piece of a file by the bytes they begin with, which is far faster than decoding. */

import { type FileHandle, open } from 'node:fs/promises'
import type { Pieces } from '../decode/cuts.ts'

const CHUNK_BYTES = 4 << 20

/**
 * Counts piece by piece, in order. The bytes may also occur in an unknown member of a record, so the numbers must be
 * compared with those of the decoded records.
 */
export class RecordCount {
  readonly #pieces: Pieces
  readonly #file: Promise<FileHandle>
  readonly #chunk = Buffer.alloc(CHUNK_BYTES)
  #counted = 0
  #records = 0

  constructor(path: string, pieces: Pieces) {
    this.#pieces = pieces
    this.#file = open(path)
    this.#file.catch(() => undefined)
  }

  /** Returns the number of records that begin before a piece. Pieces must be requested in order. */
  async before(piece: number): Promise<number> {
    const { first, stride } = this.#pieces
    for (; this.#counted < piece; this.#counted++) {
      const from = first + this.#counted * stride
      this.#records += await this.#count(from, from + stride)
    }
    return this.#records
  }

  async close(): Promise<void> {
    await (await this.#file.catch(() => undefined))?.close()
  }

  async #count(from: number, to: number): Promise<number> {
    const { recordStart } = this.#pieces
    const file = await this.#file
    let count = 0
    // Chunks overlap by one byte less than the bytes searched for, so that nothing is missed or found twice.
    const step = CHUNK_BYTES - (recordStart.length - 1)
    for (let offset = from; offset < to; offset += step) {
      const length = Math.min(CHUNK_BYTES, to + recordStart.length - 1 - offset)
      const { bytesRead } = await file.read(this.#chunk, 0, length, offset)
      const bytes = this.#chunk.subarray(0, bytesRead)
      for (let at = bytes.indexOf(recordStart); at >= 0; at = bytes.indexOf(recordStart, at + 1)) count++
      if (bytesRead < length) break
    }
    return count
  }
}
