/** The bytes of a row group while its columns come, one behind another, in memory that serves one row group after another. */

import type { StoredColumn } from './column-pages.ts'
import type { ColumnChunk } from './format.ts'
import { withRoom } from './growing-bytes.ts'

/** Of a thread's row groups, one is being written while the next one is encoded. */
const MOST_SPARE = 2

const FIRST_BYTES = 4 * 1024 * 1024

/** So that a row group somewhat longer than the one before fits in its memory, too. */
const SPARE_ROOM = 1.1

/** Memory of row groups that were written: otherwise it waits for the garbage collector. */
export class SpareMemory {
  #spare: ArrayBuffer[] = []
  #likelyBytes = FIRST_BYTES

  give(memory: ArrayBuffer): void {
    if (this.#spare.length < MOST_SPARE) this.#spare.push(memory)
  }

  take(): ArrayBuffer {
    const likelyBytes = this.#likelyBytes
    const spare = this.#spare.find((memory) => memory.byteLength >= likelyBytes)
    this.#spare = this.#spare.filter((memory) => memory !== spare && memory.byteLength >= likelyBytes)
    return spare ?? new ArrayBuffer(likelyBytes)
  }

  /** Says how long a row group was. */
  note(byteLength: number): void {
    this.#likelyBytes = Math.max(FIRST_BYTES, Math.ceil(byteLength * SPARE_ROOM))
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

  /** Copies a column, whose parts may be overwritten then. */
  append({ chunk, parts }: StoredColumn): void {
    this.columns.push(movedChunk(chunk, this.#length))
    for (const part of parts) {
      this.#bytes = withRoom(this.#bytes, this.#length, this.#length + part.length)
      this.#bytes.set(part, this.#length)
      this.#length += part.length
    }
  }
}

export function movedChunk(chunk: ColumnChunk, byteDelta: number): ColumnChunk {
  const { dictionaryPageOffset } = chunk
  return {
    ...chunk,
    dataPageOffset: chunk.dataPageOffset + byteDelta,
    dictionaryPageOffset: dictionaryPageOffset === undefined ? undefined : dictionaryPageOffset + byteDelta,
  }
}
