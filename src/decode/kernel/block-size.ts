/**
 * Sizes of the kernel's block: many rows of a narrow table, few of a wide one, so that its cells stay in the caches.
 */

import { WINDOW_BYTES } from './memory.ts'

/** Fewest bytes of JSON that an option id or a skipped question takes. */
export const MIN_ELEMENT_BYTES = 32

/** Rows of a block; multiples of 8. */
const MIN_ROWS = 64
const MAX_ROWS = 2048

/** Most bytes of a block's cells, unless `MIN_ROWS` rows take more. */
const MAX_CELL_BYTES = 3 * 2 ** 20

/** Most bytes of JSON that a block spans. */
const MAX_SPAN_BYTES = 2 ** 25
/** Most bytes of its texts that are copied, because they have escapes or their window is about to be overwritten. */
const MAX_KEPT_BYTES = 3 * 2 ** 22

export class BlockSize {
  readonly rows: number
  /** Most elements of sets, and most skipped questions. */
  readonly elements = MAX_SPAN_BYTES / MIN_ELEMENT_BYTES
  /** Bytes of room for texts that are not in a window. */
  readonly keptBytes = MAX_KEPT_BYTES

  /** @param cellBytes Per column, the bytes of a cell. */
  constructor(cellBytes: readonly number[]) {
    const rowBytes = cellBytes.reduce((sum, bytes) => sum + bytes, 0)
    this.rows = Math.max(MIN_ROWS, Math.min(MAX_ROWS, Math.floor(MAX_CELL_BYTES / rowBytes) & ~7))
  }

  /** Bytes of room for the texts of one column: those that are kept, and those in the window. */
  get gatheredBytes(): number {
    return this.keptBytes + WINDOW_BYTES
  }

  /** Whether one more window may not fit: it keeps its own texts with escapes, and all texts of the window before. */
  isFull(nextRow: number, blockBytes: number, keptBytes: number): boolean {
    return (
      nextRow >= this.rows ||
      blockBytes + WINDOW_BYTES > MAX_SPAN_BYTES ||
      keptBytes + 2 * WINDOW_BYTES > this.keptBytes
    )
  }
}
