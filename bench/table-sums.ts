/** Column checksums of a finished table: of Arrow batches, of an Arrow IPC file, of a Parquet file. */
import { readFile } from 'node:fs/promises'
import { addCell, type ColumnSum, listHash, numberHash, textHash, timeHash } from './checksum.ts'

/** A cell as arrow-js, hyparquet and the like give it: text, number, time (or bigint microseconds), list of texts. */
function cellHash(value: unknown, isTime: boolean): number {
  if (value instanceof Date) return timeHash(value.getTime())
  if (typeof value === 'bigint') return isTime ? timeHash(Number(value / 1000n)) : numberHash(Number(value))
  if (typeof value === 'number') return isTime ? timeHash(value) : numberHash(value)
  if (typeof value === 'string') return textHash(value)
  return listHash(Array.from(value as Iterable<string>, textHash))
}

/** The little of an arrow-js vector that is needed; the batches may come from another copy of the package. */
interface ArrowBatch {
  readonly numRows: number
  readonly schema: { readonly fields: readonly { readonly name: string; readonly type: object }[] }
  getChildAt(index: number): { get(row: number): unknown } | null
}

export class ArrowSums {
  readonly columns: ColumnSum[] = []
  private rows = 0

  add(batch: ArrowBatch): void {
    for (const [i, field] of batch.schema.fields.entries()) {
      this.columns[i] ??= { name: field.name, count: 0, sum: 0 }
      const column = this.columns[i]
      const isTime = String(field.type).startsWith('Timestamp')
      const vector = batch.getChildAt(i)
      for (let row = 0; row < batch.numRows; row++) {
        const value = vector?.get(row)
        if (value !== null && value !== undefined) addCell(column, this.rows + row, cellHash(value, isTime))
      }
    }
    this.rows += batch.numRows
  }
}

export async function ipcSums(file: string): Promise<ColumnSum[]> {
  const { tableFromIPC } = await import('apache-arrow')
  const sums = new ArrowSums()
  for (const batch of tableFromIPC(await readFile(file)).batches) sums.add(batch)
  return sums.columns
}

/** Read with hyparquet, which shares nothing with any of the writers. */
export async function parquetSums(file: string): Promise<ColumnSum[]> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema } = await import('hyparquet')
  const { compressors } = await import('hyparquet-compressors')
  const buffer = await asyncBufferFromFile(file)
  const metadata = await parquetMetadataAsync(buffer)
  const columns = parquetSchema(metadata).children.map(({ element }) => ({ name: element.name, count: 0, sum: 0 }))
  const byName = new Map(columns.map((column) => [column.name, column]))
  // Several columns a call, since each call looks through the whole schema; few enough not to hold the whole file.
  const columnsAtOnce = Math.ceil(CELLS_AT_ONCE / Math.max(1, Number(metadata.num_rows)))
  for (let first = 0; first < columns.length; first += columnsAtOnce) {
    await parquetRead({
      file: buffer,
      metadata,
      compressors,
      columns: columns.slice(first, first + columnsAtOnce).map(({ name }) => name),
      onChunk: ({ columnName, columnData, rowStart }) => {
        const column = byName.get(columnName)
        if (column !== undefined) addValues(column, columnData, rowStart)
      },
    })
  }
  return columns
}

const CELLS_AT_ONCE = 2_000_000

function addValues(column: ColumnSum, values: ArrayLike<unknown>, firstRow: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value !== null && value !== undefined) addCell(column, firstRow + i, cellHash(value, false))
  }
}
