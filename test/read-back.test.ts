/** Every fixture, the sample and some larger tables, written in every format and read by every reader: all cells. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, DuckDBListValue } from '@duckdb/node-api'
import { type RecordBatch, tableFromIPC } from 'apache-arrow'
import { parquetMetadata, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXPORT_METADATA_KEY } from '../src/plan/schema.ts'
import { readExport } from '../src/reader.ts'
import { writeIpc } from '../src/sinks/ipc.ts'
import { writeParquet } from '../src/sinks/parquet.ts'
import { expectSame } from './expect-same.ts'
import { SAMPLE, validCases } from './fixture-cases.ts'
import { type Cell, instantText, type PlainTable, plainTable } from './plain-table.ts'
import { describeWithPython, runPython } from './python.ts'
import { readOnce } from './reading.ts'
import { surveyJson } from './survey.ts'

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
const FORMATS = ['parquet', 'arrow', 'arrows'] as const

interface Case {
  name: string
  bytes: Uint8Array
  /** Rows of a batch and of a row group: few, so that dictionaries grow between batches. */
  batchSize: number
}

const CASES: Case[] = [
  ...validCases().map(({ name, bytes }) => ({ name, bytes, batchSize: 2 })),
  { name: 'sample', bytes: readFileSync(SAMPLE), batchSize: 100 },
  { name: 'survey', bytes: surveyJson(500), batchSize: 64 },
  { name: 'one-batch', bytes: surveyJson(50), batchSize: 1000 },
  { name: 'growing', bytes: growingExport(), batchSize: 7 },
  { name: 'wide-5000', bytes: wideExport(5000), batchSize: 3 },
]

/** Every record brings an option of its own, which no batch before it knew. */
function growingExport(): Buffer {
  const fields = ['enum', 'set'].map((dataType) => ({
    id: dataType,
    name: dataType,
    type: {
      dataType,
      values: [
        { id: 'o1', name: 'Known' },
        { id: 'o2', name: 'Never chosen' },
      ],
    },
  }))
  const records = Array.from({ length: 40 }, (_, n) => ({
    ownerId: `p${n}`,
    lastUpdateDate: '2026-03-01T10:00:00Z',
    fields: [
      { id: 'enum', values: [n % 3 === 0 ? 'o1' : `unknown ${n}`] },
      { id: 'set', values: n % 5 === 0 ? [] : [`only ${n}`, 'o1', `only ${n - 1}`] },
    ],
  }))
  return Buffer.from(JSON.stringify({ definition: { fields }, records }))
}

function wideExport(columns: number): Buffer {
  const dataTypes = ['enum', 'set', 'double', 'datetime', 'string']
  const fields = Array.from({ length: columns }, (_, i) => ({
    id: `f${i}`,
    name: `Question ${i}`,
    type: { dataType: dataTypes[i % 5], ...(i % 5 < 2 ? { values: [{ id: 'o1', name: `Label ${i}` }] } : {}) },
  }))
  const values = (i: number, n: number) => [['o1'], ['o1'], [i + n], ['2026-03-01'], [`Text ${i}`]][i % 5]
  const records = [0, 1, 2].map((n) => ({
    ownerId: `p${n}`,
    lastUpdateDate: '2026-03-01T10:00:00Z',
    fields: fields
      .map((field, i) => ({ id: field.id, values: (i + n) % 11 === 0 ? null : values(i, n) }))
      .filter((_, i) => (i + n) % 3 !== 0),
  }))
  return Buffer.from(JSON.stringify({ definition: { fields }, records }))
}

const expected = new Map<string, PlainTable>()

beforeAll(async () => {
  for (const { name, bytes, batchSize } of CASES) {
    expected.set(name, await readOnce(bytes))
    for (const format of FORMATS) {
      const reader = await readExport(bytes, { batchSize })
      const path = join(folder, `${name}.${format}`)
      const { outputBytes } =
        format === 'parquet'
          ? await writeParquet(reader, path, { rowGroupSize: batchSize })
          : await writeIpc(reader, path)
      expect(outputBytes).toBeGreaterThan(0)
    }
  }
})

afterAll(() => rmSync(folder, { recursive: true }))

function tableOf(name: string): PlainTable {
  const table = expected.get(name)
  if (table === undefined) throw new Error(`unreachable: no case ${name}`)
  return table
}

const columnsOf = (table: PlainTable): Cell[][] => table.columns.map((_, i) => table.rows.map((row) => row[i] ?? null))

describe('apache-arrow', () => {
  test.for(CASES.flatMap(({ name }) => [`${name}.arrow`, `${name}.arrows`]))('%s', async (file) => {
    const table = tableFromIPC(readFileSync(join(folder, file)))
    const { columns, rows, dictionaries } = tableOf(file.replace(/\.arrows?$/, ''))
    const found = plainTable(table.schema, table.batches as RecordBatch[])
    expectSame(found.columns, columns)
    expectSame(found.rows, rows)
    if (rows.length > 0 && file.endsWith('.arrow')) expect(found.dictionaries).toEqual(dictionaries)
  })
})

describe('DuckDB', () => {
  const TYPES: Record<string, string> = {
    utf8: 'VARCHAR',
    float64: 'DOUBLE',
    'timestamp[us, UTC]': 'TIMESTAMP WITH TIME ZONE',
    'dictionary<utf8>': 'VARCHAR',
    'list<dictionary<utf8>>': 'VARCHAR[]',
  }

  test('every Parquet file', async () => {
    const connection = await (await DuckDBInstance.create()).connect()
    try {
      for (const { name } of CASES) {
        const { columns, rows } = tableOf(name)
        const from = `FROM '${join(folder, name)}.parquet'`
        const described = await connection.runAndReadAll(`DESCRIBE SELECT * ${from}`)
        expect(
          described.getRows().map(([column, type]) => [column, type]),
          name,
        ).toEqual(columns.map(([column, type]) => [column, TYPES[type]]))
        const instants = columns.map(([column, type]) => {
          const quoted = `"${column.replaceAll('"', '""')}"`
          return type.startsWith('timestamp') ? `epoch_us(${quoted})` : quoted
        })
        const found = await connection.runAndReadAll(`SELECT ${instants.join()} ${from}`)
        const cells = found.getRows().map((row) =>
          row.map((value) => {
            if (typeof value === 'bigint') return instantText(value)
            return value instanceof DuckDBListValue ? [...value.items] : value
          }),
        )
        expectSame(cells, rows, name)
      }
      const metadata = await connection.runAndReadAll(
        `SELECT decode(value) FROM parquet_kv_metadata('${join(folder, 'sample.parquet')}') WHERE decode(key) = '${EXPORT_METADATA_KEY}'`,
      )
      const told = JSON.parse(String(metadata.getRows()[0]?.[0])) as { definition: { fields: unknown[] } }
      expect(told.definition.fields).toHaveLength(tableOf('sample').columns.length - 3)
    } finally {
      connection.closeSync()
    }
  })
})

describe('hyparquet', () => {
  test.for(CASES.map(({ name }) => name))('%s.parquet', async (name) => {
    const { columns, rows } = tableOf(name)
    const file = readFileSync(join(folder, `${name}.parquet`))
    const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer
    const metadata = parquetMetadata(buffer)
    expect(Number(metadata.num_rows)).toBe(rows.length)
    let found: unknown[][] = []
    await parquetRead({ file: buffer, metadata, compressors, rowFormat: 'array', onComplete: (all) => (found = all) })
    // hyparquet gives Dates, which hold milliseconds.
    const isInstant = columns.map(([, type]) => type.startsWith('timestamp'))
    const cells = found.map((row) =>
      row.map((value, i) => (isInstant[i] && value instanceof Date ? value.getTime() : (value ?? null))),
    )
    const wanted = rows.map((row) =>
      row.map((value, i) => (isInstant[i] && typeof value === 'string' ? Date.parse(`${value.slice(0, 23)}Z`) : value)),
    )
    expectSame(cells, wanted)
  })
})

interface Seen {
  error?: string
  types: [string, string][]
  cells: unknown[][]
  labels: Record<string, string[]>
  metadata?: Record<string, string>
  fieldMetadata?: Record<string, Record<string, string>>
}

describeWithPython('Python', () => {
  let seen: Record<string, Record<'pyarrow' | 'pandas' | 'polars', Seen>>

  beforeAll(() => {
    seen = runPython(readFileSync(new URL('read_back.py', import.meta.url), 'utf8'), folder) as typeof seen
  })

  const READERS = {
    pyarrow: {
      utf8: /^string$/,
      float64: /^double$/,
      'timestamp[us, UTC]': /^timestamp\[us, tz=UTC\]$/,
      'dictionary<utf8>': /^dictionary<values=string, indices=int(8|16|32), ordered=0>$/,
      'list<dictionary<utf8>>': /^list<(?:item|element): dictionary<values=string, indices=int(8|16|32), ordered=0>>$/,
    },
    pandas: {
      utf8: /^str$/,
      float64: /^float64$/,
      'timestamp[us, UTC]': /^datetime64\[us, UTC\]$/,
      'dictionary<utf8>': /^category$/,
      'list<dictionary<utf8>>': /^object$/,
    },
    polars: {
      utf8: /^String$/,
      float64: /^Float64$/,
      'timestamp[us, UTC]': /^Datetime\(time_unit='us', time_zone='UTC'\)$/,
      'dictionary<utf8>': /^(Categorical|Enum)$/,
      'list<dictionary<utf8>>': /^List\((Categorical|Enum)\)?$/,
    },
  } as const

  const files = CASES.flatMap(({ name }) => FORMATS.map((format) => ({ name, format })))

  describe.each(Object.keys(READERS) as (keyof typeof READERS)[])('%s', (reader) => {
    test.for(files)('$name $format', ({ name, format }) => {
      const table = tableOf(name)
      const { error, types, cells, labels } = seen[`${name}.${format}`]?.[reader] ?? ({ error: 'not read' } as Seen)
      expect(error).toBeUndefined()
      expectSame(
        types.map(([column]) => column),
        table.columns.map(([column]) => column),
      )
      for (const [i, [, type]] of table.columns.entries()) {
        const pattern = READERS[reader][type as keyof (typeof READERS)['pandas']]
        if (!pattern.test(types[i]?.[1] ?? '')) expect(types[i]?.[1]).toMatch(pattern)
      }
      const found = cells.map((column, i) =>
        table.columns[i]?.[1].startsWith('timestamp')
          ? column.map((value) => (typeof value === 'string' ? instantText(BigInt(value)) : value))
          : column,
      )
      expectSame(found, columnsOf(table))
      // A file without batches has no dictionaries either.
      if (table.rows.length === 0) return
      for (const [column, found] of Object.entries(labels)) expect(found).toEqual(table.dictionaries.get(column))
    })
  })

  test('pandas has a category of all options, in the definition’s order, for every single choice', () => {
    for (const format of FORMATS) {
      const { columns, dictionaries } = tableOf('sample')
      const single = columns.filter(([, type]) => type === 'dictionary<utf8>').map(([column]) => column)
      expect(single.length).toBeGreaterThan(5)
      const { labels } = seen[`sample.${format}`]!.pandas
      expect(Object.keys(labels)).toEqual(single)
      for (const column of single) expect(labels[column]).toEqual(dictionaries.get(column))
    }
  })

  test('what the definition says is in every file', () => {
    for (const format of FORMATS) {
      const { metadata = {}, fieldMetadata = {} } = seen[`sample.${format}`]!.pyarrow
      expect(JSON.parse(metadata[EXPORT_METADATA_KEY] ?? '')).toMatchObject({ tool: { name: 'alida-arrow' } })
      const told = Object.values(fieldMetadata).filter((of) => 'alida:description' in of)
      expect(told).toHaveLength(tableOf('sample').columns.length - 3)
    }
  })
})
