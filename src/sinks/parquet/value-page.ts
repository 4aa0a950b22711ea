/** What columns of texts and of numbers have in common. */

import type { Data } from 'apache-arrow'
import type { FlatLevels } from './flat-levels.ts'
import type { Statistics } from './format.ts'
import type { PageBody } from './page-body.ts'

/** Collects rows, a batch or a part of it at a time, until they leave as a page. */
export interface ValuePage {
  readonly levels: FlatLevels
  /** The last row, not included, up to which rows from `start` on fit into the page; `start` if none does. */
  lastThatFits(data: Data, start: number): number
  append(data: Data, start: number, end: number): void
  /** Gives each value its index in the dictionary. Returns false when there is no more room in it. */
  index(): boolean
  /** The page's body, from the indices if the coding is `dictionary`; the next page starts. */
  finish(): PageBody
  /** A page of one row, whose value does not fit into the kernel's memory; only between pages. */
  largeRow(data: Data, row: number): LargeRow
  /** Smallest and largest value of all pages. */
  bounds(): Statistics
}

export interface LargeRow {
  /** The body of the page, in parts. */
  parts: Uint8Array[]
  isNull: boolean
}
