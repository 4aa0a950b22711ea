/**
 * Parsed records → the wide table as Parquet, the way the packages' documentation shows: arrow-js builders, one batch
 * after another as IPC into parquet-wasm. Shared by the rivals that differ only in how they parse.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import * as arrow from 'apache-arrow'
import * as parquet from 'parquet-wasm'
import type { FieldOfInterest } from './record-slices.ts'

export interface ParsedRecord {
  ownerId: string
  lastUpdateDate: string
  fields: { id: string; values: (string | number | null)[] | null }[]
}

const BATCH_ROWS = 20_000
const ROW_GROUP_ROWS = 122_880

type Convert = (values: readonly (string | number | null)[]) => unknown

interface Column {
  name: string
  type: arrow.DataType
  convert: Convert
}

/** Writes all records and returns their number. */
export async function writeWideTable(
  fields: readonly FieldOfInterest[],
  records: Iterable<ParsedRecord> | AsyncIterable<ParsedRecord>,
  out: string,
): Promise<number> {
  let rows = 0
  async function* batches(): AsyncGenerator<parquet.RecordBatch> {
    const table = new BatchBuilder(fields)
    for await (const record of records) {
      rows++
      table.append(record)
      if (table.rows === BATCH_ROWS) yield table.take()
    }
    if (table.rows > 0) yield table.take()
  }
  const properties = new parquet.WriterPropertiesBuilder()
    .setCompression(parquet.Compression.SNAPPY)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .build()
  const encoded = await parquet.transformParquetStream(streamOf(batches()), properties)
  const file = createWriteStream(out)
  const reader = encoded.getReader()
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    if (!file.write(chunk.value)) await once(file, 'drain')
  }
  file.end()
  await finished(file)
  return rows
}

function streamOf<T>(items: AsyncGenerator<T>): ReadableStream<T> {
  return new ReadableStream<T>({
    async pull(controller) {
      const { done, value } = await items.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
}

class BatchBuilder {
  rows = 0
  private builders: arrow.Builder[] = []
  private readonly columns: Column[]
  private readonly indexById: Map<string, number>
  private readonly cells: unknown[]

  constructor(fields: readonly FieldOfInterest[]) {
    this.columns = [
      { name: 'ownerId', type: new arrow.Utf8(), convert: first },
      { name: 'lastUpdateDate', type: new arrow.TimestampMillisecond('UTC'), convert: time },
      ...fields.map(columnOf),
    ]
    this.indexById = new Map(fields.map((field, i) => [field.id, i + 2]))
    this.cells = this.columns.map(() => null)
  }

  append(record: ParsedRecord): void {
    if (this.rows === 0) {
      this.builders = this.columns.map(({ type }) => arrow.makeBuilder({ type, nullValues: [null, undefined] }))
    }
    const { cells } = this
    cells.fill(null)
    cells[0] = record.ownerId
    cells[1] = Date.parse(record.lastUpdateDate)
    for (const { id, values } of record.fields) {
      const index = this.indexById.get(id)
      if (index !== undefined && values !== null) cells[index] = this.columns[index]?.convert(values)
    }
    for (let i = 0; i < cells.length; i++) this.builders[i]?.append(cells[i])
    this.rows++
  }

  take(): parquet.RecordBatch {
    const vectors = this.builders.map((builder) => builder.finish().toVector())
    const table = new arrow.Table(
      Object.fromEntries(this.columns.map((column, i) => [column.name, vectors[i]])) as never,
    )
    this.rows = 0
    const imported = parquet.Table.fromIPCStream(arrow.tableToIPC(table, 'stream'))
    const batch = imported.recordBatch(0)
    imported.free()
    if (batch === undefined) throw new Error('expected one batch in the stream')
    return batch
  }
}

const first: Convert = (values) => values[0]
const time: Convert = (values) => Date.parse(String(values[0]))

function columnOf(field: FieldOfInterest): Column {
  const { name } = field
  const labels = new Map(field.type.values?.map((option) => [option.id, option.name]))
  switch (field.type.dataType) {
    case 'enum':
      return { name, type: dictionary(), convert: (values) => labels.get(String(values[0])) }
    case 'set': {
      const type = new arrow.List(new arrow.Field('item', dictionary(), true))
      return { name, type, convert: (values) => values.map((id) => labels.get(String(id))) }
    }
    case 'double':
      return { name, type: new arrow.Float64(), convert: first }
    case 'datetime':
      return { name, type: new arrow.TimestampMillisecond('UTC'), convert: time }
    default:
      return { name, type: new arrow.Utf8(), convert: first }
  }
}

function dictionary(): arrow.Dictionary {
  return new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())
}
