/** How much one block of the kernel holds: few rows of a narrow table, so that it stays in the caches, many of a wide one. */

import { WINDOW_BYTES } from './memory.ts'

/** Bytes of JSON that an option id, and a skipped question, take at least. */
export const SHORTEST_ELEMENT = 32

/** Rows of a block; a multiple of 8. */
const FEWEST_ROWS = 64
const MOST_ROWS = 2048

/** Cells of a block, in bytes. */
const CELL_BYTES = 3 * 2 ** 20

/** What a block may span: bytes of JSON, and those of its texts, which are copied when a window goes. */
const SPAN_BYTES = 2 ** 25
const KEPT_BYTES = 3 * 2 ** 22

export class BlockSize {
  readonly rows: number
  /** Elements of sets, and skipped questions, that there may be. */
  readonly elements = SPAN_BYTES / SHORTEST_ELEMENT
  /** Room for texts that stand in no window. */
  readonly keptBytes = KEPT_BYTES

  /** @param cellBytes Bytes of a cell of each column. */
  constructor(cellBytes: readonly number[]) {
    const rowBytes = cellBytes.reduce((sum, bytes) => sum + bytes, 0)
    this.rows = Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, Math.floor(CELL_BYTES / rowBytes) & ~7))
  }

  /** Room for the texts of one column: those that are kept, and those of the window. */
  get gatheredBytes(): number {
    return this.keptBytes + WINDOW_BYTES
  }

  /** Whether a window more may not fit: its texts with escapes are kept at once, those of the window before it then. */
  isFull(nextRow: number, blockBytes: number, keptBytes: number): boolean {
    return (
      nextRow >= this.rows || blockBytes + WINDOW_BYTES > SPAN_BYTES || keptBytes + 2 * WINDOW_BYTES > this.keptBytes
    )
  }
}
