/** The common interface of pages of texts and of numbers. */

import type { Data } from 'apache-arrow'
import type { FlatLevels } from './flat-levels.ts'
import type { Statistics } from './format.ts'
import type { PageBody } from './page-body.ts'

/** Collects rows, a batch or a part of one at a time, until `finish` makes them a page. */
export interface ValuePage {
  readonly levels: FlatLevels
  /** Returns the end (exclusive) of the rows from `start` on that fit into the page; `start` if none does. */
  lastThatFits(data: Data, start: number): number
  append(data: Data, start: number, end: number): void
  /** Determines each value's index in the dictionary. Returns false if the dictionary is full. */
  index(): boolean
  /**
   * Returns the page's body, with indices instead of values if the coding is `dictionary`, and starts the next page.
   */
  finish(): PageBody
  /** Returns a page of one row, whose value does not fit into the kernel's memory; only to be called between pages. */
  largeRow(data: Data, row: number): LargeRow
  /** Returns statistics with the smallest and largest value of all pages. */
  bounds(): Statistics
}

export interface LargeRow {
  /** The body of the page, in parts. */
  parts: Uint8Array[]
  isNull: boolean
}
