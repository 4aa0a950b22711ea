import { isUtf8 } from 'node:buffer'
import { createRequire } from 'node:module'
import { type Data, type DataType, Field, makeData, Schema, tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { parquetMetadata } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { RowGroupEncoder } from '../src/sinks/parquet/index.ts'
import { encodeWithParquetWasm } from '../src/sinks/parquet/parquet-wasm.ts'
import { batchOf, columnData, FLOAT64, TIMESTAMP, UTF8 } from './arrow-columns.ts'
import { duckdbRows, hyparquetRows, parquetBytes, withFile } from './parquet-file.ts'

const wasm = createRequire(import.meta.url)('parquet-wasm') as typeof import('parquet-wasm')

type Value = string | number | bigint | null

const schemaOf = (type: DataType) => new Schema([new Field('x', type, true)])

function batchesOf(type: DataType, parts: readonly (readonly Value[])[]) {
  return parts.map((values) => batchOf(schemaOf(type), [columnData(type, values)]))
}

/** What parquet-rs, an independent implementation, reads. */
function wasmValues(bytes: Uint8Array): Value[] {
  const column = tableFromIPC(wasm.readParquet(bytes).intoIPCStream()).getChildAt(0)
  const values: Value[] = []
  for (const data of column?.data ?? []) {
    for (let row = 0; row < data.length; row++) {
      if (!data.getValid(row)) values.push(null)
      else if (data.valueOffsets === undefined) values.push(data.values[row])
      else values.push(Buffer.from(data.values.subarray(data.valueOffsets[row], data.valueOffsets[row + 1])).toString())
    }
  }
  return values
}

/** What the footer will say of the column. */
function chunkOf(type: DataType, parts: readonly (readonly Value[])[]) {
  const [chunk] = new RowGroupEncoder(schemaOf(type)).encode(batchesOf(type, parts)).columns
  const { nullCount, distinctCount, min, max, isMinExact, isMaxExact } = chunk?.statistics ?? {}
  return { nullCount, distinctCount, min, max, isMinExact, isMaxExact, encodings: chunk?.encodings }
}

const NOT_NAN = fc.double({ noNaN: true })
const NUMBERS = fc.oneof(NOT_NAN, fc.constantFrom(0, -0, 1, -1, Number.POSITIVE_INFINITY, 5e-324), fc.integer())
const TIMES = fc.oneof(
  fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  fc.bigInt({ min: -5n, max: 5n }),
  fc.bigInt({ min: 1_767_225_600_000_000n, max: 1_798_761_600_000_000n }),
)
const LAST = '\u{10ffff}'
const TEXTS = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ maxLength: 9 }),
  fc.constantFrom(
    '',
    '\0',
    'a\0',
    'same',
    `${'é'.repeat(40)}!`,
    `\ud7ff${LAST.repeat(20)}`,
    'z'.repeat(64),
    'z'.repeat(65),
  ),
)

/** Batches of one column; each value occurs up to `repeats` times in a row. */
function columns(values: fc.Arbitrary<Value>): fc.Arbitrary<Value[][]> {
  const runs = fc
    .array(fc.tuple(fc.option(values, { freq: 5 }), fc.integer({ min: 1, max: 3 })), { maxLength: 60 })
    .map((parts) => parts.flatMap(([value, times]) => new Array<Value>(times).fill(value)))
  return fc.array(runs, { minLength: 1, maxLength: 3 }).filter((parts) => parts.some((part) => part.length > 0))
}

const KINDS = [
  ['numbers', FLOAT64, columns(NUMBERS)],
  ['times', TIMESTAMP, columns(TIMES)],
  ['texts', UTF8, columns(TEXTS)],
] as const

const COMPRESSIONS = fc.constantFrom('none', 'snappy', 'gzip')

const ENCODINGS = fc.constantFrom('delta', 'plain')

const presentIn = (parts: readonly (readonly Value[])[]) => parts.flat().filter((value) => value !== null)

describe('values', () => {
  test.each(KINDS)('%s are what parquet-rs reads, bit for bit', async (_, type, parts) => {
    await fc.assert(
      fc.asyncProperty(parts, COMPRESSIONS, ENCODINGS, async (values, compression, encodings) => {
        const bytes = await parquetBytes(schemaOf(type), batchesOf(type, values), { compression, encodings })
        const read = wasmValues(bytes)
        expect(read.length).toBe(values.flat().length)
        for (const [i, value] of values.flat().entries()) if (!Object.is(read[i], value)) expect(read[i]).toBe(value)
      }),
      { numRuns: 150 },
    )
  })

  test.each(KINDS)('%s that parquet-wasm writes read the same, with the same statistics', async (_, type, parts) => {
    await fc.assert(
      fc.asyncProperty(parts, async (values) => {
        const schema = schemaOf(type)
        const batches = batchesOf(type, values)
        const theirs = encodeWithParquetWasm(schema, batches, { compression: 'snappy', coding: 'dictionary' })
        const read = await hyparquetRows(await parquetBytes(schema, batches))
        expect(read).toEqual(await hyparquetRows(theirs.bytes))
        const { nullCount, min, max, isMinExact } = theirs.columns[0]?.statistics ?? {}
        const ours = chunkOf(type, values)
        expect(ours).toMatchObject({ nullCount, min })
        if (min !== undefined) expect(ours.isMinExact).toBe(isMinExact)
        // There are several texts above one that is long.
        if (ours.isMaxExact === true) expect(ours.max).toEqual(max)
      }),
      { numRuns: 150 },
    )
  })
})

describe('bounds', () => {
  test('of numbers are the smallest and largest, a zero with the sign that holds both', () => {
    fc.assert(
      fc.property(columns(NUMBERS), (parts) => {
        const present = presentIn(parts) as number[]
        const { min, max } = chunkOf(FLOAT64, parts)
        if (present.length === 0) {
          expect([min, max]).toEqual([undefined, undefined])
          return
        }
        // -0 of a smallest and +0 of a largest value.
        const expected = [Math.min(...present, present.includes(0) ? -0 : present[0]!), Math.max(...present) + 0]
        expect([double(min), double(max)].map((bound) => Object.is(bound, 0) || bound)).toEqual(
          expected.map((bound) => Object.is(bound, 0) || bound),
        )
      }),
      { numRuns: 300 },
    )
    expect(chunkOf(FLOAT64, [[Number.NaN]]).min).toBeUndefined()
    expect(double(chunkOf(FLOAT64, [[Number.NaN, 3, 2]]).min)).toBe(2)
  })

  test('of times are the smallest and largest, with their sign', () => {
    fc.assert(
      fc.property(columns(TIMES), (parts) => {
        const present = presentIn(parts) as bigint[]
        const { min, max, nullCount } = chunkOf(TIMESTAMP, parts)
        expect(nullCount).toBe(parts.flat().length - present.length)
        const sorted = BigInt64Array.from(present).sort()
        expect([integer(min), integer(max)]).toEqual([sorted[0], sorted.at(-1)])
      }),
      { numRuns: 300 },
    )
  })

  test('of texts hold all of them, and are exact when they are short', () => {
    fc.assert(
      fc.property(columns(TEXTS), (parts) => {
        const present = (presentIn(parts) as string[]).map((text) => Buffer.from(text)).sort(Buffer.compare)
        const { min, max, isMinExact, isMaxExact, distinctCount } = chunkOf(UTF8, parts)
        const [smallest, largest] = [present[0], present.at(-1)]
        if (smallest === undefined || largest === undefined) {
          expect([min, max]).toEqual([undefined, undefined])
          return
        }
        expect(Buffer.compare(min!, smallest)).toBe(isMinExact === true ? 0 : -1)
        expect(Buffer.compare(max!, largest)).toBe(isMaxExact === true ? 0 : 1)
        if (smallest.length <= 64) expect(isMinExact).toBe(true)
        if (largest.length <= 64) expect(isMaxExact).toBe(true)
        expect(Math.max(min!.length, max!.length)).toBeLessThanOrEqual(65)
        for (const bound of [min!, max!]) expect(isUtf8(bound)).toBe(true)
        if (distinctCount !== undefined) expect(distinctCount).toBe(new Set(presentIn(parts)).size)
      }),
      { numRuns: 500 },
    )
  })

  test('of texts that nothing short is above are left out', () => {
    const { min, max, isMaxExact } = chunkOf(UTF8, [[LAST.repeat(20), 'a']])
    expect([min, max, isMaxExact]).toEqual([Uint8Array.of(97), undefined, undefined])
  })
})

const double = (bytes: Uint8Array | undefined) => new DataView(bytes!.slice().buffer).getFloat64(0, true)
const integer = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? undefined : new DataView(bytes.slice().buffer).getBigInt64(0, true)

/** Numbers without a pattern. */
const scattered = (i: number) => Math.imul(i, 0x9e3779b1) >>> 8

/** Rows over several pages. */
const MANY = 45_000

describe('pages', () => {
  const rowsOf = (type: DataType, valueAt: (i: number) => Value, rows = MANY) => {
    const values = Array.from({ length: rows }, (_, i) => valueAt(i))
    // Batches that end within a byte of the bitmap, and within a page.
    const parts = [values.slice(0, 3), values.slice(3, 30_001), values.slice(30_001)]
    return { schema: schemaOf(type), values, parts, batches: batchesOf(type, parts) }
  }

  test.each<[string, DataType, (i: number) => Value, string]>([
    ['ids', UTF8, (i) => (i % 7 === 0 ? null : `id-${i * 7919}`), 'DELTA_LENGTH_BYTE_ARRAY'],
    ['texts that repeat', UTF8, (i) => (i % 7 === 0 ? null : `text ${scattered(i) % 3000}`), 'RLE_DICTIONARY'],
    ['runs of texts', UTF8, (i) => `owner ${Math.floor(i / 9)}`, 'RLE_DICTIONARY'],
    ['long texts', UTF8, (i) => (i % 3 === 0 ? `${i} ${'x'.repeat(i % 900)}` : null), 'DELTA_LENGTH_BYTE_ARRAY'],
    ['texts at the end', UTF8, (i) => (i < MANY - 2 ? null : `last ${i}`), 'DELTA_LENGTH_BYTE_ARRAY'],
    ['no texts', UTF8, () => null, 'PLAIN'],
    ['numbers', FLOAT64, (i) => (i % 5 === 0 ? null : i / 8), 'PLAIN'],
    ['numbers that repeat', FLOAT64, (i) => (i % 5 === 0 ? null : (i % 999) / 8), 'RLE_DICTIONARY'],
    ['times', TIMESTAMP, (i) => (i % 5 === 0 ? null : BigInt(i * i) - 9_000_000_000n), 'DELTA_BINARY_PACKED'],
    ['times far apart', TIMESTAMP, (i) => (BigInt(i) << 46n) * (i % 2 === 0 ? 1n : -1n), 'DELTA_BINARY_PACKED'],
    ['times that repeat', TIMESTAMP, (i) => BigInt(i % 40), 'RLE_DICTIONARY'],
    ['one time', TIMESTAMP, (i) => (i === 7 ? 7n : null), 'DELTA_BINARY_PACKED'],
  ])('%s', async (_, type, valueAt, encoding) => {
    const { schema, values, parts, batches } = rowsOf(type, valueAt)
    expect(chunkOf(type, parts).nullCount).toBe(values.filter((value) => value === null).length)
    for (const compression of ['snappy', 'none'] as const) {
      const bytes = await parquetBytes(schema, batches, { compression })
      const [column] = parquetMetadata(Uint8Array.from(bytes).buffer).row_groups[0]!.columns
      expect(column?.meta_data?.encodings.at(-1)).toBe(encoding)
      expect(wasmValues(bytes)).toEqual(values)
      const fromDuckdb = await withFile(bytes, (path) => duckdbRows(path, 'select x from $file'))
      const fromHyparquet = await hyparquetRows(bytes)
      expect(fromHyparquet.map(({ x }) => x ?? null)).toEqual(fromDuckdb.map(({ x }) => x))
    }
  })

  test('of a column whose dictionary becomes too large are written anew', async () => {
    // Two of each, side by side, look like many of few.
    const { schema, values, batches } = rowsOf(FLOAT64, (i) => Math.floor(i / 2), 140_000)
    expect(wasmValues(await parquetBytes(schema, batches, { rowGroupRows: 200_000 }))).toEqual(values)
  })

  test('filters find rows by their bounds', async () => {
    const { schema, values, batches } = rowsOf(UTF8, (i) => `${'long and alike '.repeat(6)}${i}`, 3000)
    const bytes = await parquetBytes(schema, batches, { rowGroupRows: 500 })
    for (const wanted of [values[2990], values[0], 'long and alike', 'm']) {
      const query = `select count(*)::int n from $file where x >= '${wanted}'`
      const count = values.filter((value) => value !== null && value >= wanted!).length
      expect(await withFile(bytes, (path) => duckdbRows(path, query))).toEqual([{ n: count }])
    }
  })
})

describe('texts', () => {
  const textData = (texts: readonly string[], validBits?: number): Data => {
    const bytes = texts.map((text) => Buffer.from(text))
    const valueOffsets = new Int32Array(texts.length + 1)
    for (const [i, { length }] of bytes.entries()) valueOffsets[i + 1] = valueOffsets[i]! + length
    const nulls = validBits === undefined ? { nullCount: 0 } : { nullBitmap: Uint8Array.of(validBits), nullCount: -1 }
    return makeData({ type: UTF8, length: texts.length, valueOffsets, data: Buffer.concat(bytes), ...nulls })
  }

  const forms = (['none', 'snappy', 'gzip', 'zstd', 'lz4'] as const).flatMap((compression) =>
    (['delta', 'plain'] as const).map((encodings) => ({ compression, encodings })),
  )

  test.each(forms)('longer than a page, $compression and $encodings', async (form) => {
    const long = 'some text, '.repeat(400_000)
    const texts = ['a', long, '', 'b'.repeat(1024 * 1024), 'b', `${long}z`]
    const schema = schemaOf(UTF8)
    const bytes = await parquetBytes(schema, [batchOf(schema, [textData(texts)])], form)
    expect(wasmValues(bytes)).toEqual(texts)
    expect((await hyparquetRows(bytes)).map(({ x }) => x)).toEqual(texts)
    const lengths = await withFile(bytes, (path) => duckdbRows(path, 'select length(x)::int n from $file'))
    expect(lengths.map(({ n }) => n)).toEqual(texts.map(({ length }) => length))
  })

  test('behind a null do not count, however long they are', async () => {
    const hidden = 'h'.repeat(3_000_000)
    const schema = schemaOf(UTF8)
    const bytes = await parquetBytes(schema, [batchOf(schema, [textData(['a', hidden, 'hid', 'b', hidden], 0b01001)])])
    expect(wasmValues(bytes)).toEqual(['a', null, null, 'b', null])
    expect(bytes.length).toBeLessThan(2000)
  })

  test('that are not UTF-8, and offsets outside of the bytes, are refused', () => {
    const schema = schemaOf(UTF8)
    const broken = makeData({ type: UTF8, length: 1, valueOffsets: Int32Array.of(0, 2), data: Uint8Array.of(97, 255) })
    const outside = makeData({ type: UTF8, length: 1, valueOffsets: Int32Array.of(0, 9), data: Uint8Array.of(97) })
    const encode = (data: Data) => new RowGroupEncoder(schema).encode([batchOf(schema, [data])])
    expect(() => encode(broken)).toThrow('expected UTF-8, found other bytes in column "x"')
    const falling = makeData({ type: UTF8, length: 2, valueOffsets: Int32Array.of(0, 3, 2), data: Buffer.from('abc') })
    expect(() => encode(falling)).toThrow('expected text offsets in rising order, found others in column "x"')
    expect(() => encode(outside)).toThrow('expected text offsets within 1 bytes, found offsets 0 to 9 in column "x"')
  })

  test('of a column that is not nullable have no levels, and no nulls', async () => {
    const required = new Schema([new Field('x', UTF8, false)])
    const bytes = await parquetBytes(required, [batchOf(required, [columnData(UTF8, ['b', 'a'])])])
    expect(wasmValues(bytes)).toEqual(['b', 'a'])
    const holes = batchOf(required, [columnData(UTF8, ['b', null])])
    expect(() => new RowGroupEncoder(required).encode([holes])).toThrow('expected a value, found null')
  })

  test('leave nothing behind: the same rows give the same bytes, whatever came before', () => {
    const values = Array.from({ length: 30_000 }, (_, i) => (i % 11 === 0 ? null : `text ${i * 13}`))
    const encode = () => Buffer.from(new RowGroupEncoder(schemaOf(UTF8)).encode(batchesOf(UTF8, [values])).bytes)
    const first = encode()
    new RowGroupEncoder(schemaOf(FLOAT64)).encode(batchesOf(FLOAT64, [values.map((_, i) => 1 / i)]))
    new RowGroupEncoder(schemaOf(UTF8)).encode(batchesOf(UTF8, [values.map(() => '\xff'.repeat(40))]))
    expect(encode().equals(first)).toBe(true)
  })
})
