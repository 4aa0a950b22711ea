import { createRequire } from 'node:module'
import { Field, type RecordBatch, Schema, Struct, type Table, tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Random } from '../fixtures/random.ts'
import type { Compression } from '../src/sinks/parquet/index.ts'
import {
  BOOL,
  batchOf,
  columnData,
  dictionaryType,
  FLOAT64,
  type IndexBits,
  labelVector,
  listType,
  TIMESTAMP,
  UTF8,
} from './arrow-columns.ts'
import { duckdbRows, hyparquetRows, parquetBytes, withFile } from './parquet-file.ts'

const wasm = createRequire(import.meta.url)('parquet-wasm') as typeof import('parquet-wasm')

const KINDS = ['enum', 'set', 'struct', 'utf8', 'double', 'timestamp', 'bool'] as const
// Not 128 with 8 bits: parquet-rs refuses to read as many labels as there are indices.
const LABEL_COUNTS = { 8: [0, 1, 2, 3, 4, 5, 126, 127], 16: [0, 9, 128, 129, 300], 32: [1, 17, 70_000] }
const ROW_COUNTS = [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 100, 500]

interface ColumnShape {
  kind: (typeof KINDS)[number]
  bits: IndexBits
  labelChoice: number
  nullShare: number
  longestList: number
  /** Values repeat this often on average. */
  repeats: number
}

const columnShape: fc.Arbitrary<ColumnShape> = fc.record({
  kind: fc.constantFrom(...KINDS),
  bits: fc.constantFrom<IndexBits>(8, 8, 16, 32),
  labelChoice: fc.nat({ max: 20 }),
  nullShare: fc.constantFrom(0, 0.1, 0.5, 0.97, 1),
  longestList: fc.constantFrom(0, 1, 3, 40),
  repeats: fc.constantFrom(1, 1, 30),
})

const tableShape = fc.record({
  columns: fc.array(columnShape, { minLength: 1, maxLength: 6 }),
  rowCounts: fc.array(fc.constantFrom(...ROW_COUNTS), { maxLength: 4 }),
  rowGroupRows: fc.constantFrom(20, 64, 100_000),
  compression: fc.constantFrom<Compression>('none', 'snappy', 'zstd', 'gzip', 'lz4'),
  seed: fc.nat(),
})

const labelLists = new Map<number, string[]>()

function labelsOf(count: number): string[] {
  let labels = labelLists.get(count)
  if (labels === undefined) {
    labels = Array.from({ length: count }, (_, i) => (i === 2 ? '' : `${i % 3 === 0 ? 'ß' : ''}option ${count - i}`))
    labelLists.set(count, labels)
  }
  return labels
}

const vectors = new Map<string, ReturnType<typeof labelVector>>()

function vectorOf(count: number, known: number) {
  const key = `${count}/${known}`
  let vector = vectors.get(key)
  if (vector === undefined) {
    vector = labelVector(labelsOf(count).slice(0, known))
    vectors.set(key, vector)
  }
  return vector
}

class RandomColumn {
  readonly #shape: ColumnShape
  readonly #random: Random
  readonly field: Field
  readonly #labelCount: number

  constructor(shape: ColumnShape, number: number, random: Random) {
    const { kind, bits, labelChoice } = shape
    this.#shape = shape
    this.#random = random
    this.#labelCount = LABEL_COUNTS[bits][labelChoice % LABEL_COUNTS[bits].length]!
    const dictionary = dictionaryType(bits, number)
    const struct = new Struct([new Field('choice', dictionary, true), new Field('n', FLOAT64, true)])
    const types = {
      enum: dictionary,
      set: listType(dictionary),
      struct,
      utf8: UTF8,
      double: FLOAT64,
      timestamp: TIMESTAMP,
      bool: BOOL,
    }
    this.field = new Field(`c.${number}`, types[kind], true)
  }

  /** Labels known to batch `number` of `count`: later batches know more. */
  dictionary(number: number, count: number) {
    const known = Math.max(Math.min(1, this.#labelCount), Math.ceil((this.#labelCount * (number + 1)) / count))
    return { known, vector: vectorOf(this.#labelCount, known) }
  }

  values(rows: number, known: number): unknown[] {
    const values: unknown[] = []
    while (values.length < rows) {
      const value = this.#random.unit() < this.#shape.nullShare ? null : this.#value(known)
      const times = 1 + this.#random.below(this.#shape.repeats * 2 - 1)
      for (let i = 0; i < times && values.length < rows; i++) values.push(value)
    }
    return values
  }

  #value(known: number): unknown {
    const random = this.#random
    const label = () => (known === 0 ? null : labelsOf(this.#labelCount)[random.below(known)])
    switch (this.#shape.kind) {
      case 'enum':
        return label()
      case 'set': {
        const length = random.below(this.#shape.longestList + 1)
        return Array.from({ length }, () => (random.unit() < this.#shape.nullShare / 2 ? null : label()))
      }
      case 'struct':
        return { choice: random.unit() < 0.3 ? null : label(), n: random.unit() < 0.3 ? null : random.below(5) }
      case 'utf8':
        return random.unit() < 0.3 ? 'same' : `text ${random.below(1e6)} ü`
      case 'double':
        return random.below(1000) / 8
      case 'timestamp':
        return BigInt(random.below(2 ** 31)) * 1_000_000n
      case 'bool':
        return random.unit() < 0.5
    }
  }
}

/** What all readers can be made to give: times in milliseconds, no undefined. */
function comparable(value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return Number(value / 1000n)
  if (value instanceof Date) return value.getTime()
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, comparable(v)]))
  return value
}

function wasmRows(bytes: Uint8Array): unknown[] {
  const table: Table = tableFromIPC(wasm.readParquet(bytes).intoIPCStream())
  return JSON.parse(JSON.stringify(table.toArray()))
}

function randomTable({ columns, rowCounts, seed }: { columns: ColumnShape[]; rowCounts: number[]; seed: number }) {
  const random = new Random(seed)
  const made = columns.map((shape, i) => new RandomColumn(shape, i, random))
  const schema = new Schema(made.map((column) => column.field))
  const rows: Record<string, unknown>[] = []
  const batches = rowCounts.map((count, number): RecordBatch => {
    const data = made.map((column) => {
      const { known, vector } = column.dictionary(number, rowCounts.length)
      return { column, vector, values: column.values(count, known) }
    })
    for (let i = 0; i < count; i++) {
      rows.push(Object.fromEntries(data.map(({ column, values }) => [column.field.name, values[i]])))
    }
    return batchOf(
      schema,
      data.map(({ column, vector, values }) => columnData(column.field.type, values, vector)),
    )
  })
  return { schema, batches, rows }
}

describe('random tables come back', () => {
  test('by hyparquet, DuckDB and parquet-wasm', async () => {
    await fc.assert(
      fc.asyncProperty(tableShape, async (shape) => {
        const { schema, batches, rows } = randomTable(shape)
        const { compression, rowGroupRows } = shape
        const bytes = await parquetBytes(schema, batches, { compression, rowGroupRows })
        const expected = comparable(rows)
        expect(comparable(await hyparquetRows(bytes))).toEqual(expected)
        expect(comparable(wasmRows(bytes))).toEqual(expected)
        const read = await withFile(bytes, (path) => duckdbRows(path, 'select * from $file'))
        expect(comparable(read)).toEqual(expected)
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 60) },
    )
  }, 3_600_000)

  test('slices of batches, at every offset', async () => {
    const columns: ColumnShape[] = KINDS.map((kind, i) => ({
      kind,
      bits: 8,
      labelChoice: 5,
      nullShare: i % 2 === 0 ? 0.5 : 0.2,
      longestList: 3,
      repeats: 1,
    }))
    const { schema, batches, rows } = randomTable({ columns, rowCounts: [40], seed: 5 })
    const [batch] = batches
    for (let start = 0; start < 18; start++) {
      const slices = [batch!.slice(start, start + 3), batch!.slice(start + 3, start + 12), batch!.slice(start + 12, 40)]
      const bytes = await parquetBytes(schema, slices)
      expect(comparable(await hyparquetRows(bytes))).toEqual(comparable(rows.slice(start)))
    }
  })

  test('many entries, over several pages of a row group', async () => {
    const columns: ColumnShape[] = (['enum', 'set'] as const).map((kind) => ({
      kind,
      bits: 16,
      labelChoice: 3,
      nullShare: 0.1,
      longestList: 40,
      repeats: 1,
    }))
    const { schema, batches, rows } = randomTable({ columns, rowCounts: [12_000, 9_000], seed: 7 })
    const bytes = await parquetBytes(schema, batches)
    expect(comparable(await hyparquetRows(bytes))).toEqual(comparable(rows))
    expect(comparable(wasmRows(bytes))).toEqual(comparable(rows))
  })

  test('a list with more elements than a page', async () => {
    const labels = Array.from({ length: 9000 }, (_, i) => `option ${i}`)
    const type = listType(dictionaryType(16, 1))
    const many = Array.from({ length: 150_000 }, (_, i) => labels[(i * 31) % 5000]!)
    const rows = [['option 8999'], many, null, [...many, null], ['option 7'], []]
    const schema = new Schema([new Field('x', type, true)])
    const bytes = await parquetBytes(schema, [batchOf(schema, [columnData(type, rows, labelVector(labels))])])
    expect((await hyparquetRows(bytes)).map(({ x }) => x ?? null)).toEqual(rows)
    const counts = await withFile(bytes, (path) => duckdbRows(path, 'select len(x)::int n from $file'))
    expect(counts.map(({ n }) => n)).toEqual(rows.map((row) => row?.length ?? null))
  })

  test('the same input gives the same bytes', async () => {
    const columns: ColumnShape[] = KINDS.map((kind) => ({
      kind,
      bits: 8,
      labelChoice: 4,
      nullShare: 0.3,
      longestList: 3,
      repeats: 1,
    }))
    const { schema, batches } = randomTable({ columns, rowCounts: [300, 300], seed: 3 })
    const first = await parquetBytes(schema, batches, { rowGroupRows: 300 })
    expect(await parquetBytes(schema, batches, { rowGroupRows: 300 })).toEqual(first)
  })
})
