/** How much one block of the kernel holds: few rows of a narrow table, so that it stays in the caches, many of a wide one. */

import { WINDOW_BYTES } from './memory.ts'

/** Bytes of JSON that an option id, and a skipped question, take at least. */
export const SHORTEST_ELEMENT = 32

/** Rows of a block; a multiple of 8. */
const FEWEST_ROWS = 64
const MOST_ROWS = 512
const MOST_ROWS_OF_WIDE = 2048

/** Tables with more columns than this are wide: each block costs something for each of them. */
const FEW_COLUMNS = 256

/** Cells of a block of a wide table, in bytes. */
const CELL_BYTES = 3 * 2 ** 20

/** A block of a wide table spans windows: bytes of JSON, and those of its texts, which are copied when a window goes. */
const SPAN_BYTES = 2 ** 25
const KEPT_BYTES = 3 * 2 ** 22

export class BlockSize {
  readonly rows: number
  /** Whether a block goes on when its window is gone. */
  readonly spansWindows: boolean
  /** Elements of sets, and skipped questions, that there may be. */
  readonly elements: number
  /** Room for texts that stand in no window. */
  readonly keptBytes: number
  readonly #spanBytes: number

  /** @param cellBytes Bytes of a cell of each column. */
  constructor(cellBytes: readonly number[]) {
    const rowBytes = cellBytes.reduce((sum, bytes) => sum + bytes, 0)
    this.spansWindows = cellBytes.length > FEW_COLUMNS
    const most = this.spansWindows ? MOST_ROWS_OF_WIDE : MOST_ROWS
    this.rows = Math.max(FEWEST_ROWS, Math.min(most, Math.floor(CELL_BYTES / rowBytes) & ~7))
    this.#spanBytes = this.spansWindows ? SPAN_BYTES : WINDOW_BYTES
    this.keptBytes = this.spansWindows ? KEPT_BYTES : WINDOW_BYTES
    this.elements = this.#spanBytes / SHORTEST_ELEMENT
  }

  /** Room for the texts of one column: those that are kept, and those of the window. */
  get gatheredBytes(): number {
    return this.spansWindows ? this.keptBytes + WINDOW_BYTES : WINDOW_BYTES
  }

  /** Whether a window more may not fit: its texts with escapes are kept at once, those of the window before it then. */
  isFull(nextRow: number, blockBytes: number, keptBytes: number): boolean {
    return (
      nextRow >= this.rows ||
      blockBytes + WINDOW_BYTES > this.#spanBytes ||
      keptBytes + 2 * WINDOW_BYTES > this.keptBytes
    )
  }
}
