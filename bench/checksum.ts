/**
 * Checksums of a table's columns that depend on every cell and on its row. The generator computes them while it writes
 * the answers, a check computes them from what a program made of the file: equal sums mean an equal table.
 */

const number = new Float64Array(1)
const halves = new Uint32Array(number.buffer)

/** FNV-1a over UTF-16 code units. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Of a float64, by its bits; -0 and 0 differ. */
export function numberHash(value: number): number {
  number[0] = value
  return mixed(Math.imul(halves[0] as number, 0x85ebca6b) ^ (halves[1] as number))
}

/** Of a point in time in milliseconds since 1970; the generator writes no finer ones. */
export function timeHash(epochMs: number): number {
  return numberHash(epochMs)
}

/** Of a list of texts, in order. The empty list has one too. */
export function listHash(elementHashes: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const element of elementHashes) hash = Math.imul(hash, 31) + element
  return mixed(hash)
}

function mixed(hash: number): number {
  const folded = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (folded ^ (folded >>> 13)) >>> 0
}

/** What a column must come to: how many cells are not null, and a sum over them. */
export interface ColumnSum {
  name: string
  count: number
  sum: number
}

/** Adds the hash of the cell in a row (from 0); a null cell is simply not added. */
export function addCell(column: ColumnSum, row: number, hash: number): void {
  column.count++
  column.sum = (column.sum + Math.imul(hash, 2 * row + 1)) >>> 0
}

/** @returns the names of the columns that differ or are missing, with both figures. */
export function differingColumns(expected: readonly ColumnSum[], found: readonly ColumnSum[]): string[] {
  const byName = new Map(found.map((column) => [column.name, column]))
  return expected.flatMap(({ name, count, sum }) => {
    const column = byName.get(name)
    if (column?.count === count && column.sum === sum) return []
    return [`${name}: expected ${count} cells (${sum}), found ${column?.count ?? 'no column'} (${column?.sum ?? '-'})`]
  })
}
