/** Collects the bytes of a row group column by column, in memory that is reused for later row groups. */

import type { StoredColumn } from './column-pages.ts'
import type { ColumnChunk } from './format.ts'
import { withRoom } from './growing-bytes.ts'

/** Buffers that are kept: a row group of a thread is written while the next one is encoded. */
const MAX_SPARE = 2

const MIN_BYTES = 4 * 1024 * 1024

/** Factor that lets a row group fit if it is somewhat longer than the previous one. */
const SPARE_ROOM = 1.1

/** Memory of row groups that have been written, kept for reuse instead of leaving it to the garbage collector. */
export class SpareMemory {
  #spare: ArrayBuffer[] = []
  #likelyBytes = MIN_BYTES

  give(memory: ArrayBuffer): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(memory)
  }

  take(): ArrayBuffer {
    const likelyBytes = this.#likelyBytes
    const spare = this.#spare.find((memory) => memory.byteLength >= likelyBytes)
    this.#spare = this.#spare.filter((memory) => memory !== spare && memory.byteLength >= likelyBytes)
    return spare ?? new ArrayBuffer(likelyBytes)
  }

  /** Notes the length of a row group; the next one will be about as long. */
  note(byteLength: number): void {
    this.#likelyBytes = Math.max(MIN_BYTES, Math.ceil(byteLength * SPARE_ROOM))
  }
}

export class RowGroupBytes {
  readonly columns: ColumnChunk[] = []
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0

  constructor(memory: ArrayBuffer) {
    this.#bytes = new Uint8Array(memory)
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Copies a column; its parts may be overwritten afterwards. */
  append({ chunk, parts }: StoredColumn): void {
    this.columns.push(moveChunk(chunk, this.#length))
    for (const part of parts) {
      this.#bytes = withRoom(this.#bytes, this.#length, this.#length + part.length)
      this.#bytes.set(part, this.#length)
      this.#length += part.length
    }
  }
}

/** Returns the chunk with its offsets moved by `byteDelta`. */
export function moveChunk(chunk: ColumnChunk, byteDelta: number): ColumnChunk {
  const { dictionaryPageOffset } = chunk
  return {
    ...chunk,
    dataPageOffset: chunk.dataPageOffset + byteDelta,
    dictionaryPageOffset: dictionaryPageOffset === undefined ? undefined : dictionaryPageOffset + byteDelta,
  }
}
