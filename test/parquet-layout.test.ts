import { createRequire } from 'node:module'
import * as arrow from 'apache-arrow'
import { type DataType, Field, RecordBatchStreamWriter, Schema, tableFromIPC } from 'apache-arrow'
import { parquetMetadata } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import {
  createdByText,
  type EncodedRowGroup,
  ParquetFileWriter,
  RowGroupEncoder,
  rowGroupsOf,
} from '../src/sinks/parquet/index.ts'
import {
  batchOf,
  columnData,
  dictionaryType,
  FLOAT64,
  labelVector,
  listType,
  TIMESTAMP,
  UTF8,
} from './arrow-columns.ts'
import { duckdbRows, hyparquetRows, parquetBytes, withFile } from './parquet-file.ts'

const wasm = createRequire(import.meta.url)('parquet-wasm') as typeof import('parquet-wasm')

const nullable = (name: string, type: DataType) => new Field(name, type, true)

function metadataOf(bytes: Uint8Array) {
  return parquetMetadata(Uint8Array.from(bytes).buffer)
}

function writtenByParquetRs(schema: Schema, batch?: arrow.RecordBatch): Uint8Array {
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, schema)
  if (batch !== undefined) writer.write(batch)
  writer.finish()
  return wasm.writeParquet(wasm.Table.fromIPCStream(writer.toUint8Array(true)))
}

const COLORS = ['red', 'green', 'blue', 'never chosen']

/** One row group with a column of each kind. */
function colors() {
  const labels = labelVector(COLORS)
  const [choice, set] = [dictionaryType(8, 1), listType(dictionaryType(16, 2))]
  const schema = new Schema(
    [nullable('id', UTF8), nullable('choice', choice), nullable('set', set), nullable('n', FLOAT64)],
    new Map([['definition', '{"a":1}']]),
  )
  const batch = batchOf(schema, [
    columnData(UTF8, ['a', 'b', null, 'd', 'e']),
    columnData(choice, ['red', null, 'blue', 'red', null], labels),
    columnData(set, [null, [], ['green', null], ['red'], ['blue', 'green']], labels),
    columnData(FLOAT64, [1.5, -2, null, null, 7]),
  ])
  return { schema, batch }
}

/** parquet-rs keeps Arrow's name of list elements; BigQuery and others know lists by the one of the format. */
function nameInParquet(name: string): string {
  return name === 'item' ? 'element' : name
}

describe('schema', () => {
  test('is the one that parquet-rs writes, for all types, but for the name of list elements', async () => {
    const types: Record<string, DataType> = {
      int8: new arrow.Int8(),
      int16: new arrow.Int16(),
      int32: new arrow.Int32(),
      int64: new arrow.Int64(),
      uint8: new arrow.Uint8(),
      uint16: new arrow.Uint16(),
      uint32: new arrow.Uint32(),
      uint64: new arrow.Uint64(),
      float32: new arrow.Float32(),
      float64: FLOAT64,
      bool: new arrow.Bool(),
      utf8: UTF8,
      largeUtf8: new arrow.LargeUtf8(),
      binary: new arrow.Binary(),
      date: new arrow.DateDay(),
      millis: new arrow.TimestampMillisecond('UTC'),
      micros: TIMESTAMP,
      microsNaive: new arrow.TimestampMicrosecond(),
      nanos: new arrow.TimestampNanosecond('UTC'),
      choice: dictionaryType(8, 1),
      set: listType(dictionaryType(16, 2)),
      numbers: listType(FLOAT64),
      grid: new arrow.Struct([nullable('row.1', dictionaryType(8, 3)), new Field('n', FLOAT64, false)]),
      gridList: listType(new arrow.Struct([nullable('choice', dictionaryType(8, 4))])),
    }
    const schema = new Schema(Object.entries(types).map(([name, type]) => new Field(name, type, name !== 'int32')))
    const [root, ...others] = metadataOf(writtenByParquetRs(schema)).schema
    expect(metadataOf(await parquetBytes(schema, [])).schema).toEqual([
      { ...root, name: 'schema' },
      ...others.map((element) => ({ ...element, name: nameInParquet(element.name) })),
    ])
  })

  test.each([
    ['a type without a place in Parquet', new arrow.TimestampSecond('UTC')],
    ['a struct without members', new arrow.Struct([])],
  ])('%s is refused', (_, type) => {
    expect(() => new RowGroupEncoder(new Schema([nullable('x', type)]))).toThrow(
      expect.objectContaining({ code: 'ERR_PARQUET', message: expect.stringContaining('"x"') }),
    )
  })

  test('two columns of one name are refused', () => {
    const schema = new Schema([nullable('a', UTF8), nullable('a', FLOAT64)])
    expect(() => new RowGroupEncoder(schema)).toThrow('expected columns of different names, found "a" twice')
  })

  test('is kept for Arrow readers, with the metadata of fields and schema', async () => {
    const field = new Field('choice', dictionaryType(8, 1), true, new Map([['question', 'Wörter?']]))
    const schema = new Schema([field], new Map([['b', '2']]))
    const bytes = await parquetBytes(
      schema,
      [],
      {},
      new Map([
        ['z', 'first'],
        ['b', '2'],
        ['a', 'last'],
      ]),
    )
    const entries = metadataOf(bytes).key_value_metadata ?? []
    expect(entries.map(({ key }) => key)).toEqual(['z', 'b', 'a', 'ARROW:schema'])
    const message = Buffer.from(entries[3]?.value ?? '', 'base64')
    const read = tableFromIPC(Buffer.concat([message, Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])])).schema
    expect(String(read.fields[0]?.type)).toBe('Dictionary<Int8, Utf8>')
    expect(read.fields[0]?.metadata).toEqual(new Map([['question', 'Wörter?']]))
    expect(read.metadata).toEqual(new Map([['b', '2']]))
  })

  test('the writer names itself in the form that readers parse', async () => {
    const { schema, batch } = colors()
    const metadata = metadataOf(await parquetBytes(schema, [batch]))
    expect(metadata.created_by).toBe('alida-arrow version 0.1.0 (build unknown)')
  })
})

describe('row groups', () => {
  test('no row gives a file without row groups, with typed columns', async () => {
    const { schema, batch } = colors()
    for (const batches of [[], [batch.slice(0, 0)]]) {
      const bytes = await parquetBytes(schema, batches)
      expect(metadataOf(bytes).row_groups).toEqual([])
      const columns = await withFile(bytes, (path) => duckdbRows(path, 'describe from $file'))
      expect(columns.map((column) => column.column_type)).toEqual(['VARCHAR', 'VARCHAR', 'VARCHAR[]', 'DOUBLE'])
    }
  })

  test('statistics and counts are those that parquet-rs gives', async () => {
    const { schema, batch } = colors()
    const columns = (bytes: Uint8Array) =>
      metadataOf(bytes).row_groups[0]?.columns.map(({ meta_data: column }) => ({
        path: column?.path_in_schema.map(nameInParquet),
        values: column?.num_values,
        encodings: column?.encodings,
        nulls: column?.statistics?.null_count,
        min: column?.statistics?.min_value,
        max: column?.statistics?.max_value,
        exact: [column?.statistics?.is_min_value_exact, column?.statistics?.is_max_value_exact],
      }))
    const expected = columns(writtenByParquetRs(schema, batch))
    const found = columns(await parquetBytes(schema, [batch]))
    const plain = found?.map((column, i) => ({ ...column, encodings: expected?.[i]?.encodings }))
    expect(plain).toEqual(expected)
  })

  test('DuckDB finds the names, codecs and statistics', async () => {
    const { schema, batch } = colors()
    const bytes = await parquetBytes(schema, [batch, batch], { compression: 'zstd', rowGroupRows: 5 })
    const query = `select row_group_id, path_in_schema, num_values, stats_null_count, stats_min_value, stats_max_value
      from parquet_metadata($file)`
    const rows = await withFile(bytes, (path) => duckdbRows(path, query))
    expect(rows.slice(4).map((row) => Object.values(row))).toEqual([
      [1n, 'id', 5n, 1n, 'a', 'e'],
      [1n, 'choice', 5n, 2n, 'blue', 'red'],
      [1n, 'set, list, element', 7n, 3n, 'blue', 'red'],
      [1n, 'n', 5n, 2n, '-2.0', '7.0'],
    ])
    // Filters use the statistics.
    const count = await withFile(bytes, (path) => duckdbRows(path, "select count(*) n from $file where choice = 'red'"))
    expect(count).toEqual([{ n: 4n }])
  })

  test('sizes in the footer are those of the file', async () => {
    const { schema, batch } = colors()
    for (const compression of ['none', 'snappy'] as const) {
      const bytes = await parquetBytes(schema, [batch, batch, batch], { compression, rowGroupRows: 5 })
      const { row_groups: groups } = metadataOf(bytes)
      let pos = 4
      for (const group of groups) {
        expect(Number(group.file_offset)).toBe(pos)
        for (const { meta_data: column } of group.columns) {
          expect(Number(column?.dictionary_page_offset ?? column?.data_page_offset)).toBe(pos)
          pos += Number(column?.total_compressed_size)
        }
        expect(Number(group.total_compressed_size)).toBe(pos - Number(group.file_offset))
      }
      expect(bytes.readUInt32LE(bytes.length - 8)).toBe(bytes.length - 8 - pos)
    }
  })

  test('constant columns and columns of nulls cost next to nothing', async () => {
    const type = dictionaryType(8, 1)
    const schema = new Schema([nullable('same', type), nullable('none', type)])
    const labels = labelVector(COLORS)
    const values = new Array<string>(50_000).fill('green')
    const batch = batchOf(schema, [
      columnData(type, values, labels),
      columnData(
        type,
        values.map(() => null),
        labels,
      ),
    ])
    const group = new RowGroupEncoder(schema, { compression: 'none' }).encode([batch])
    expect(group.bytes.length).toBeLessThan(220)
  })

  test('whole batches are gathered, and only one that is too large is cut', async () => {
    const schema = new Schema([nullable('x', UTF8)])
    const sized = (rows: number) => batchOf(schema, [columnData(UTF8, new Array<string>(rows).fill('0123456789'))])
    const sizes = async (rows: number[], limits: { rowGroupRows?: number; rowGroupBytes?: number }) => {
      const groups: number[][] = []
      for await (const group of rowGroupsOf(rows.map(sized), limits)) groups.push(group.map((batch) => batch.numRows))
      return groups
    }
    expect(await sizes([4, 4, 4, 1], { rowGroupRows: 10 })).toEqual([
      [4, 4],
      [4, 1],
    ])
    expect(await sizes([3, 25, 3], { rowGroupRows: 10 })).toEqual([[3], [10], [10], [5, 3]])
    // Ten bytes of text and four of offset a row.
    expect(await sizes([5, 5, 20, 21], { rowGroupBytes: 140 })).toEqual([[5, 5], [20], [10], [10], [1]])
    expect(await sizes([3], { rowGroupBytes: 1 })).toEqual([[1], [1], [1]])
    expect(await sizes([0, 0], {})).toEqual([])
  })

  test('an encoded row group is plain data that another thread can be sent', async () => {
    const { schema, batch } = colors()
    const group = new RowGroupEncoder(schema).encode([batch])
    const sent: EncodedRowGroup = structuredClone(group, { transfer: [group.bytes.buffer] })
    const parts: Uint8Array[] = []
    const output = { write: async (bytes: Uint8Array[]) => void parts.push(...bytes) }
    const writer = new ParquetFileWriter(schema, output, createdByText('0.1.0'))
    await writer.addRowGroup(sent)
    await writer.finish()
    const file = Buffer.concat(parts)
    expect(file).toEqual(await parquetBytes(schema, [batch]))
  })
})

describe('dictionaries', () => {
  const type = dictionaryType(8, 1)
  const schema = new Schema([nullable('choice', type)])
  const batchWith = (labels: string[], values: (string | null)[]) =>
    batchOf(schema, [columnData(type, values, labelVector(labels))])

  test('may grow from batch to batch', async () => {
    const batches = [
      batchWith(['a'], ['a', null]),
      batchWith(['a', 'b'], ['b']),
      batchWith(['a', 'b', 'c'], ['c', 'a']),
    ]
    const bytes = await parquetBytes(schema, batches)
    expect((await hyparquetRows(bytes)).map((row) => row.choice)).toEqual(['a', null, 'b', 'c', 'a'])
  })

  test('hold all labels in their order, over several chunks too', async () => {
    const chunks = [labelVector(['z', 'ä']), labelVector([]), labelVector(['', 'm'])].map((part) => part.data[0]!)
    const data = arrow.makeData({
      type,
      length: 2,
      nullCount: 0,
      data: Int8Array.of(3, 1),
      dictionary: new arrow.Vector(chunks),
    } as never)
    const read = tableFromIPC(wasm.readParquet(await parquetBytes(schema, [batchOf(schema, [data])])).intoIPCStream())
    const column = read.getChildAt(0)
    expect(column?.toArray()).toEqual(['m', 'ä'])
    expect(column?.data[0]?.dictionary?.toArray()).toEqual(['z', 'ä', '', 'm'])
  })

  test('whose labels change are refused', () => {
    const encoder = new RowGroupEncoder(schema)
    for (const labels of [['b', 'a'], ['ab'], ['a', 'x', 'c']]) {
      const batches = [batchWith(['a', 'b'], ['a']), batchWith(labels, [null])]
      expect(() => encoder.encode(batches)).toThrow('expected labels to be added at the end of a dictionary only')
    }
  })

  test('an index without a label is refused', () => {
    for (const index of [2, -1]) {
      const dictionary = labelVector(['a', 'b'])
      const data = arrow.makeData({ type, length: 1, nullCount: 0, data: Int8Array.of(index), dictionary } as never)
      expect(() => new RowGroupEncoder(schema).encode([batchOf(schema, [data])])).toThrow(
        `expected an index below 2, found ${index} in column "choice"`,
      )
    }
  })

  test('lists that are null may have elements, which do not count', async () => {
    const list = listType(dictionaryType(8, 1))
    const listSchema = new Schema([nullable('set', list)])
    const dictionary = labelVector(['a', 'b'])
    const child = arrow.makeData({
      type: list.children[0]!.type,
      length: 4,
      nullCount: 0,
      data: Int8Array.of(0, 1, 1, 0),
      dictionary,
    } as never)
    const data = arrow.makeData({
      type: list,
      length: 3,
      nullCount: 1,
      nullBitmap: Uint8Array.of(0b101),
      valueOffsets: Int32Array.of(0, 1, 3, 4),
      child,
    } as never)
    const bytes = await parquetBytes(listSchema, [batchOf(listSchema, [data])])
    expect((await hyparquetRows(bytes)).map((row) => row.set ?? null)).toEqual([['a'], null, ['a']])
  })

  test('a column that is not nullable has no levels, and no nulls', async () => {
    const required = new Schema([new Field('choice', type, false)])
    const labels = labelVector(['a', 'b'])
    const bytes = await parquetBytes(required, [batchOf(required, [columnData(type, ['b', 'a', 'b'], labels)])])
    expect((await hyparquetRows(bytes)).map((row) => row.choice)).toEqual(['b', 'a', 'b'])
    const holes = batchOf(required, [columnData(type, ['b', null], labels)])
    expect(() => new RowGroupEncoder(required).encode([holes])).toThrow('expected a value, found null')
  })

  test('of other columns are made when values repeat, and not for ids and times', async () => {
    const encodingOf = async (type: DataType, valueAt: (i: number) => unknown, rows = 9000, options = {}) => {
      const one = new Schema([nullable('x', type)])
      const values = Array.from({ length: rows }, (_, i) => valueAt(i))
      const bytes = await parquetBytes(one, [batchOf(one, [columnData(type, values)])], options)
      return metadataOf(bytes).row_groups[0]?.columns[0]?.meta_data?.encodings.at(-1)
    }
    expect(await encodingOf(UTF8, (i) => `id ${i}`)).toBe('DELTA_LENGTH_BYTE_ARRAY')
    expect(await encodingOf(UTF8, (i) => `city ${i % 300}`)).toBe('RLE_DICTIONARY')
    expect(await encodingOf(UTF8, (i) => (i % 3 === 0 ? 'n/a' : `answer ${i}`))).toBe('DELTA_LENGTH_BYTE_ARRAY')
    expect(await encodingOf(UTF8, (i) => (i % 3 === 0 ? null : `x${i % 2}`))).toBe('RLE_DICTIONARY')
    expect(await encodingOf(UTF8, (i) => `owner ${Math.floor(i / 40)}`)).toBe('RLE_DICTIONARY')
    expect(await encodingOf(UTF8, () => null)).toBe('PLAIN')
    expect(await encodingOf(TIMESTAMP, BigInt)).toBe('DELTA_BINARY_PACKED')
    const plain = { encodings: 'plain' } as const
    expect(await encodingOf(UTF8, (i) => `id ${i}`, 9000, plain)).toBe('PLAIN')
    expect(await encodingOf(TIMESTAMP, BigInt, 9000, plain)).toBe('PLAIN')
    expect(await encodingOf(UTF8, (i) => `city ${i % 300}`, 9000, plain)).toBe('RLE_DICTIONARY')
    expect(await encodingOf(FLOAT64, (i) => i)).toBe('PLAIN')
    expect(await encodingOf(FLOAT64, (i) => i % 90)).toBe('RLE_DICTIONARY')
    expect(await encodingOf(FLOAT64, (i) => i % 3, 6)).toBe('RLE_DICTIONARY')
    expect(await encodingOf(FLOAT64, (i) => i % 4, 6)).toBe('PLAIN')
  })

  test('of other columns are given up when there is more to them than the sample shows', async () => {
    // All that is looked at is alike.
    const one = new Schema([nullable('x', UTF8)])
    const texts = Array.from({ length: 9000 }, (_, i) => (i % 281 < 32 ? 'same' : `text ${i}`))
    const bytes = await parquetBytes(one, [batchOf(one, [columnData(UTF8, texts)])])
    expect(metadataOf(bytes).row_groups[0]?.columns[0]?.meta_data?.encodings).toContain('DELTA_LENGTH_BYTE_ARRAY')
    expect((await hyparquetRows(bytes)).map((row) => row.x)).toEqual(texts)
  })
})

describe('batches of another schema', () => {
  const { schema, batch } = colors()
  const other = (fields: Field[]) => {
    const changed = new Schema(fields)
    return batchOf(changed, batch.data.children)
  }

  test.each([
    ['another name', schema.fields.with(1, nullable('chosen', schema.fields[1]!.type)), 'found "chosen"'],
    ['another type', schema.fields.with(1, nullable('choice', dictionaryType(16, 1))), 'Dictionary<Int16'],
    ['other nullability', schema.fields.with(0, new Field('id', UTF8, false)), 'found "id" of type Utf8, not nullable'],
    ['a column less', schema.fields.slice(0, 3), 'expected column 4 of a batch to be "n"'],
  ])('%s is refused', (_, fields, message) => {
    const changed = other(fields)
    expect(() => new RowGroupEncoder(schema).encode([batch, changed])).toThrow(message)
  })

  test('other metadata and dictionary ids are not', () => {
    const fields = schema.fields.with(1, new Field('choice', dictionaryType(8, 99), true, new Map([['k', 'v']])))
    expect(new RowGroupEncoder(schema).encode([batch, other(fields)]).rowCount).toBe(10)
  })
})
