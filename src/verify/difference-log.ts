/** Collects the differences between an export and its output: the first ones, and their total number. */

import { printable, shortened } from '../errors.ts'
import type { Cell } from './answer-values.ts'

export interface Difference {
  /**
   * `column`: names or their order; `type`; `metadata` of a column or of the file; `labels` of a dictionary, or their
   * order; `cell`; `state`: which questions were skipped; `rows`: number of rows; `reject`: a value in the rejects;
   * `option`: a given option differs from the one that the file was written with, and nothing else was compared.
   */
  readonly kind: 'column' | 'type' | 'metadata' | 'labels' | 'cell' | 'state' | 'rows' | 'reject' | 'option'
  /** 1-based number of the record. */
  readonly record?: number
  readonly ownerId?: string
  /** Table of a star folder, such as `answers`. */
  readonly table?: string
  /** Name of the column; for `column` differences its position, such as `#3`. */
  readonly column?: string
  /** Key of the metadata; or name of the option, whose values are then JSON. */
  readonly key?: string
  /** Value according to the export, shortened to fit on a line unless it is that of an option. */
  readonly expected: string
  readonly found: string
}

type DifferencePlace = Omit<Difference, 'expected' | 'found'>

/** Maximum characters of a value that are shown. */
const MAX_VALUE_CHARS = 200

export class DifferenceLog {
  readonly differences: Difference[] = []
  count = 0
  readonly #limit: number

  /** @param limit Maximum differences that are kept; all are counted. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Adds a difference if two texts are not equal; undefined means missing. */
  compare(place: DifferencePlace, expected: string | undefined, found: string | undefined): void {
    if (expected === found) return
    this.count++
    const isFirst = place.kind === 'rows'
    if (this.differences.length >= this.#limit && !isFirst) return
    const texts = [expected ?? 'nothing', found ?? 'nothing'] as const
    // Values of options stay whole: they are JSON.
    const [shownExpected = '', shownFound = ''] = place.kind === 'option' ? texts.map(printable) : shownPair(...texts)
    const difference = { ...place, expected: shownExpected, found: shownFound }
    // Found last, but explains most of the others.
    if (isFirst) this.differences.unshift(difference)
    else this.differences.push(difference)
    if (this.differences.length > this.#limit) this.differences.pop()
  }
}

/** Shortens two long texts, beginning a little before their first difference. */
function shownPair(expected: string, found: string): [string, string] {
  let same = 0
  while (same < expected.length && expected[same] === found[same]) same++
  const start = Math.max(0, same - MAX_VALUE_CHARS / 4)
  const part = (text: string) => (start === 0 ? '' : '…') + shortened(text.slice(start), MAX_VALUE_CHARS)
  return [part(expected), part(found)]
}

/** Returns a cell as text: texts in quotes, timestamps in UTC, null as null. */
export function shownCell(cell: Cell): string {
  if (typeof cell === 'bigint') return `${instantText(cell)} (${cell} µs)`
  if (Object.is(cell, -0)) return '-0'
  return typeof cell === 'number' ? String(cell) : JSON.stringify(cell)
}

function instantText(micros: bigint): string {
  const date = new Date(Number(micros / 1000n))
  return Number.isNaN(date.getTime()) ? 'out of range' : date.toISOString()
}
