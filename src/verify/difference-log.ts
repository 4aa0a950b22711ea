/** What differs between an export and its output: the first differences, and how many there are. */

import { shortened } from '../errors.ts'
import type { Cell } from './answer-values.ts'

export interface Difference {
  /**
   * `column`: names or their order; `type`; `metadata` of a column or of the file; `labels` of a dictionary, or their
   * order; `cell`; `state`: which questions were skipped; `rows`: how many there are; `reject`: a value in the rejects;
   * `option`: one that was given is not the one that the file was written with, and nothing else was compared.
   */
  readonly kind: 'column' | 'type' | 'metadata' | 'labels' | 'cell' | 'state' | 'rows' | 'reject' | 'option'
  /** 1-based number of the record. */
  readonly record?: number
  readonly ownerId?: string
  /** Table of a folder that has several: `answers`. */
  readonly table?: string
  /** Name of the column; of `column` differences its place, such as `#3`. */
  readonly column?: string
  /** Key of the metadata, or name of the option, whose values are then JSON. */
  readonly key?: string
  /** As the export says, in words short enough for a line. */
  readonly expected: string
  readonly found: string
}

type DifferencePlace = Omit<Difference, 'expected' | 'found'>

/** Characters of a value that are shown. */
const MAX_VALUE_CHARS = 200

export class DifferenceLog {
  readonly differences: Difference[] = []
  count = 0
  readonly #limit: number

  /** @param limit How many differences are kept; all are counted. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Adds a difference when two texts are not the same; undefined stands for what is not there. */
  compare(place: DifferencePlace, expected: string | undefined, found: string | undefined): void {
    if (expected === found) return
    this.count++
    const isFirst = place.kind === 'rows'
    if (this.differences.length >= this.#limit && !isFirst) return
    const [shownExpected, shownFound] = shownPair(expected ?? 'nothing', found ?? 'nothing')
    const difference = { ...place, expected: shownExpected, found: shownFound }
    // Found last, but it explains most of the others.
    if (isFirst) this.differences.unshift(difference)
    else this.differences.push(difference)
    if (this.differences.length > this.#limit) this.differences.pop()
  }
}

/** Two long texts from a little before the place where they part. */
function shownPair(expected: string, found: string): [string, string] {
  let same = 0
  while (same < expected.length && expected[same] === found[same]) same++
  const start = Math.max(0, same - MAX_VALUE_CHARS / 4)
  const part = (text: string) => (start === 0 ? '' : '…') + shortened(text.slice(start), MAX_VALUE_CHARS)
  return [part(expected), part(found)]
}

/** A cell as text: texts in quotes, timestamps in UTC, null as null. */
export function shownCell(cell: Cell): string {
  if (typeof cell === 'bigint') return `${instantText(cell)} (${cell} µs)`
  if (Object.is(cell, -0)) return '-0'
  return typeof cell === 'number' ? String(cell) : JSON.stringify(cell)
}

function instantText(micros: bigint): string {
  const date = new Date(Number(micros / 1000n))
  return Number.isNaN(date.getTime()) ? 'out of range' : date.toISOString()
}
