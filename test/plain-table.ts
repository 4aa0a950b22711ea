/** Arrow batches as plain values, taken from their buffers: what every reader of a file must see as well. */

import { type Data, DataType, Precision, type RecordBatch, type Schema, TimeUnit } from 'apache-arrow'

/** Timestamps are UTC texts with six digits; a list is an array of texts. */
export type Cell = string | number | readonly string[] | null

export interface PlainTable {
  /** Name and type as the fixtures write it: `dictionary<utf8>`, `timestamp[us, UTC]` … */
  columns: [name: string, type: string][]
  rows: Cell[][]
  /** All labels of each dictionary column, in order, as the last batch has them. */
  dictionaries: Map<string, readonly string[]>
}

export function typeName(type: DataType): string {
  if (DataType.isDictionary(type)) return `dictionary<${typeName(type.dictionary)}>`
  if (DataType.isList(type)) return `list<${typeName(type.children[0]!.type)}>`
  if (DataType.isTimestamp(type) && type.unit === TimeUnit.MICROSECOND) return `timestamp[us, ${type.timezone}]`
  if (DataType.isFloat(type) && type.precision === Precision.DOUBLE) return 'float64'
  return DataType.isUtf8(type) ? 'utf8' : String(type)
}

export function plainTable(schema: Schema, batches: readonly RecordBatch[]): PlainTable {
  const rows: Cell[][] = []
  const dictionaries: PlainTable['dictionaries'] = new Map()
  // For a stream without batches arrow-js makes one up, without columns.
  for (const batch of batches.filter(({ numRows }) => numRows > 0)) {
    const columns = batch.data.children.map(plainColumn)
    for (let row = 0; row < batch.numRows; row++) rows.push(columns.map((column) => column[row] ?? null))
    for (const [i, data] of batch.data.children.entries()) {
      const labels = labelsOf(data)
      if (labels !== undefined) dictionaries.set(schema.fields[i]!.name, labels)
    }
  }
  return { columns: schema.fields.map(({ name, type }) => [name, typeName(type)]), rows, dictionaries }
}

function labelsOf(data: Data): string[] | undefined {
  if (DataType.isList(data.type)) return labelsOf(data.children[0]!)
  return data.dictionary === undefined ? undefined : (data.dictionary.toArray() as unknown as string[])
}

/** The cells of one column of one batch. */
export function plainColumn(data: Data): Cell[] {
  const cellAt = cellReader(data)
  const isThere = validityReader(data)
  return Array.from({ length: data.length }, (_, row) => (isThere(row) ? cellAt(row) : null))
}

function validityReader({ nullCount, nullBitmap }: Data): (row: number) => boolean {
  if (nullCount === 0) return () => true
  return (row) => (nullBitmap[row >> 3]! & (1 << (row & 7))) !== 0
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function cellReader(data: Data): (row: number) => Cell {
  const { type, values, valueOffsets } = data
  if (DataType.isList(type)) {
    const items = plainColumn(data.children[0]!) as string[]
    return (row) => items.slice(valueOffsets[row], valueOffsets[row + 1])
  }
  const labels = labelsOf(data)
  if (labels !== undefined) return (row) => labels[values[row] as number] ?? `no label ${values[row]}`
  if (DataType.isUtf8(type)) return (row) => decoder.decode(values.subarray(valueOffsets[row], valueOffsets[row + 1]))
  if (DataType.isTimestamp(type)) return (row) => instantText(values[row] as bigint)
  return (row) => values[row] as number
}

/** Microseconds since 1970 → `2026-02-10T09:15:30.250000Z`. */
export function instantText(microseconds: bigint): string {
  const remainder = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = Number((microseconds - remainder) / 1_000_000n)
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}.${String(remainder).padStart(6, '0')}Z`
}
