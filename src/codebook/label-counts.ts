/** Counts the labels of a dictionary column, or of a list of them. */

import type { Data, Vector } from 'apache-arrow'
import { labelText } from '../columns/label-text.ts'
import { knownOptionIds } from '../columns/option-ids.ts'

/** Adds the rows' labels to `counts`, except nulls. Does nothing for columns without labels. */
export function countLabels(column: Data, counts: Map<string, number>): void {
  const isList = column.dictionary === undefined
  const items = isList ? column.children[0] : column
  const dictionary = items?.dictionary
  if (items === undefined || dictionary === undefined || column.length === 0) return
  const indices: ArrayLike<number> = items.values
  const byIndex = new Float64Array(dictionary.length)
  const isValid = validityTest(items)
  const [start, end] = isList ? [column.valueOffsets[0]!, column.valueOffsets[column.length]!] : [0, column.length]
  for (let i = start; i < end; i++) if (isValid(i)) byIndex[indices[i]!]!++
  addByIndex(dictionary, byIndex, counts)
}

/** Adds the known option ids of a column's labels to `ids`, by label, beginning with label number `from`. */
export function noteOptionIds(column: Data, from: number, ids: Map<string, string>): void {
  const dictionary: Vector | undefined = column.dictionary ?? column.children[0]?.dictionary
  const known = dictionary && knownOptionIds(dictionary)
  if (dictionary === undefined || known === undefined) return
  for (let i = from; i < dictionary.length; i++) ids.set(labelText(dictionary, i), known[i]!)
}

function addByIndex(dictionary: Vector, byIndex: Float64Array, counts: Map<string, number>): void {
  for (const [index, count] of byIndex.entries()) {
    if (count === 0) continue
    increase(counts, labelText(dictionary, index), count)
  }
}

/** Returns a function that tests whether a row is not null. */
export function validityTest(column: Data): (row: number) => boolean {
  if (column.nullCount === 0) return () => true
  const { nullBitmap, offset } = column
  return (row) => (nullBitmap[(offset + row) >> 3]! & (1 << ((offset + row) & 7))) !== 0
}

/** Returns how many rows of a boolean column are true. */
export function countTrue(column: Data): number {
  const isValid = validityTest(column)
  const { offset } = column
  const bits: Uint8Array = column.values
  let count = 0
  for (let row = 0; row < column.length; row++) {
    if (isValid(row) && (bits[(offset + row) >> 3]! & (1 << ((offset + row) & 7))) !== 0) count++
  }
  return count
}

export function increase(counts: Map<string, number>, text: string, by: number): void {
  counts.set(text, (counts.get(text) ?? 0) + by)
}
