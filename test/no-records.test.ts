import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Data, type Field, type RecordBatch, RecordBatchReader } from 'apache-arrow'
import { ParquetFile } from 'parquet-wasm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ConvertOptions, convertExport } from '../src/convert/convert.ts'
import { readExport } from '../src/reader.ts'
import { writeIpc } from '../src/sinks/ipc.ts'
import { writeStar } from '../src/star/star.ts'
import { verifyOutput } from '../src/verify/compare.ts'
import { verifyStar } from '../src/verify/star.ts'
import { duckdbRows, hyparquetRows } from './parquet-file.ts'
import { describeWithPython, runPython } from './python.ts'

/** Tables without rows: their columns have the labels that they have with rows. */

const GROUP = { id: 'g1', name: 'Grid', fieldIds: ['f1', 'f2'] }
const optionsOf = (kind: string, names: readonly string[]) => names.map((name, i) => ({ id: `${kind}${i}`, name }))
const definition = {
  fields: [
    { id: 'f1', name: 'Pick', type: { dataType: 'enum', values: optionsOf('p', ['red', 'löst', 'blue']) } },
    { id: 'f2', name: 'Many', type: { dataType: 'set', values: optionsOf('m', ['X', 'Y', 'blue']) } },
    { id: 'f3', name: 'Free', type: { dataType: 'enum', values: [] } },
    { id: 'f4', name: 'Text', type: { dataType: 'string' } },
    { id: 'f5', name: 'Number', type: { dataType: 'double' } },
  ],
  fieldGroups: [GROUP],
}
const answers = [
  { id: 'f1', values: ['p1'] },
  { id: 'f2', values: ['m0', 'm2'] },
  { id: 'f4', values: null },
]
const documentOf = (...records: object[]) => Buffer.from(JSON.stringify({ id: 'e1', definition, records }))
const recordOf = (fields: object[]) => ({ ownerId: 'o', lastUpdateDate: '2026-03-01T10:00:00Z', fields })
const EMPTY = documentOf()
const FULL = documentOf(recordOf(answers), recordOf([]))
/** Records of which the long layout has nothing to say. */
const SILENT = documentOf(recordOf([]), recordOf([]))

const SHAPES: [string, ConvertOptions][] = [
  ['wide', {}],
  ['wide, one question', { fields: ['Pick'] }],
  ['wide, with states and ids', { answerStates: 'columns', values: 'both' }],
  ['wide, with flags', { sets: 'both' }],
  ['wide, in structs', { groups: 'struct' }],
  ['wide, where invalid values are left out', { onInvalid: 'null', keepUnknown: true }],
  ['long', { layout: 'long' }],
]
const FORMATS = ['parquet', 'arrow', 'arrows'] as const

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-no-records-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function converted(source: Buffer, format: (typeof FORMATS)[number], options: ConvertOptions = {}) {
  const path = join(mkdtempSync(join(folder, 'x')), `out.${format}`)
  await convertExport(source, path, options)
  return path
}

/** Labels of all dictionaries, by the paths of their columns. */
function labelsOf(batch: RecordBatch): Map<string, string[]> {
  const labels = new Map<string, string[]>()
  const walk = (data: Data, path: string) => {
    if (data.dictionary !== undefined) labels.set(path, Array.from(data.dictionary, String))
    const fields: readonly Field[] = data.type.children ?? []
    for (const [i, { name }] of fields.entries()) walk(data.children[i]!, `${path}.${name}`)
  }
  walk(batch.data, '')
  return labels
}

function batchesIn(path: string): RecordBatch[] {
  return [...RecordBatchReader.from(readFileSync(path))]
}

describe.each(['arrow', 'arrows'] as const)('a file %s without rows', (format) => {
  test.each(SHAPES)('has the labels of one with rows: %s', async (_name, options) => {
    const [batch, ...others] = batchesIn(await converted(EMPTY, format, options))
    const [withRows] = batchesIn(await converted(FULL, format, options))
    if (batch === undefined || withRows === undefined) throw new Error('expected a batch each')
    expect(others).toEqual([])
    expect(batch.numRows).toBe(0)
    expect(labelsOf(withRows).size).toBeGreaterThan(0)
    expect(labelsOf(batch)).toEqual(labelsOf(withRows))
  })

  test('also when there are records, but no answer to make a row of', async () => {
    const [batch] = batchesIn(await converted(SILENT, format, { layout: 'long' }))
    if (batch === undefined) throw new Error('expected a batch')
    expect(batch.numRows).toBe(0)
    expect(labelsOf(batch).get('.option_label')).toEqual(['red', 'löst', 'blue', 'X', 'Y'])
  })

  test('is not what a reader gives, and one with rows has no batch more', async () => {
    const given: RecordBatch[] = []
    for await (const batch of await readExport(EMPTY)) given.push(batch)
    expect(given).toEqual([])
    expect(batchesIn(await converted(FULL, format)).map(({ numRows }) => numRows)).toEqual([2])
  })
})

describe('a Parquet file without rows', () => {
  test.each(SHAPES)('is read by DuckDB, hyparquet and parquet-wasm: %s', async (_name, options) => {
    const path = await converted(EMPTY, 'parquet', options)
    expect(await duckdbRows(path, 'SELECT count(*) AS n FROM $file')).toEqual([{ n: 0n }])
    expect(await hyparquetRows(readFileSync(path))).toEqual([])
    const file = await ParquetFile.fromFile(new Blob([readFileSync(path)]))
    expect((await file.read()).numBatches).toBe(0)
    // Some readers refuse row groups of no rows.
    expect(file.metadata().numRowGroups()).toBe(0)
  })
})

describe('verify', () => {
  test.each(FORMATS.flatMap((format) => SHAPES.map(([name, options]) => [format, name, options] as const)))(
    'finds a file without rows the same: %s, %s',
    async (format, _name, options) => {
      const { differences, rows } = await verifyOutput({
        source: () => Readable.from([EMPTY]),
        output: await converted(EMPTY, format, options),
        options,
      })
      expect({ differences, rows }).toEqual({ differences: [], rows: 0 })
    },
  )

  test.each(['arrow', 'arrows'] as const)('finds other labels in a file without rows: %s', async (format) => {
    const output = await converted(Buffer.from(String(EMPTY).replaceAll('löst', 'lost')), format)
    const { differences } = await verifyOutput({ source: () => Readable.from([EMPTY]), output })
    expect(differences).toContainEqual(
      expect.objectContaining({ kind: 'labels', column: 'Pick', found: '["red","lost","blue"]' }),
    )
  })

  test.each(['arrow', 'arrows'] as const)('finds that a %s without a batch has no labels', async (format) => {
    const { schema } = await readExport(EMPTY)
    const output = join(folder, `no-batch-${format}`)
    await writeIpc(Object.assign((async function* (): AsyncGenerator<RecordBatch> {})(), { schema }), output, {
      format,
    })
    const { differences } = await verifyOutput({ source: () => Readable.from([EMPTY]), output })
    expect(differences).toContainEqual(expect.objectContaining({ kind: 'labels', column: 'Pick', found: '[]' }))
  })

  test('finds a star without rows the same', async () => {
    for (const [name, source] of Object.entries({ EMPTY, SILENT })) {
      const output = join(folder, `star-${name}`)
      await writeStar(source, output)
      expect((await verifyStar({ source: () => Readable.from([source]), output })).differences).toEqual([])
    }
  })
})

describeWithPython('readers in Python', () => {
  const files = join(folder, 'python')

  beforeAll(async () => {
    mkdirSync(files)
    for (const format of FORMATS) {
      for (const [name, source] of Object.entries({ empty: EMPTY, full: FULL, silent: SILENT })) {
        await convertExport(source, join(files, `${name}.${format}`))
        await convertExport(source, join(files, `${name}-long.${format}`), { layout: 'long' })
      }
    }
    await writeStar(EMPTY, join(files, 'empty-star'))
    await writeStar(FULL, join(files, 'full-star'))
  })

  test('pyarrow and pandas have all labels of an Arrow file without rows', () => {
    const script = `
import pandas as pd, pyarrow as pa
def labels(name):
    with pa.ipc.open_file(f'{path}/{name}.arrow') as reader:
        table = reader.read_all()
    with pa.ipc.open_stream(f'{path}/{name}.arrows') as reader:
        stream = reader.read_all()
    table.validate(full=True)
    stream.validate(full=True)
    values = lambda column: column.type.value_type if pa.types.is_list(column.type) else column.type
    plain = lambda array: array.values if pa.types.is_list(array.type) else array
    dictionaries = lambda t: {
        n: plain(t.column(n).chunk(0)).dictionary.to_pylist()
        for n in t.column_names if pa.types.is_dictionary(values(t.column(n)))}
    frame = pd.read_feather(f'{path}/{name}.arrow')
    categories = lambda f: {n: list(f[n].cat.categories) for n in f if isinstance(f[n].dtype, pd.CategoricalDtype)}
    return [dictionaries(table), dictionaries(stream), categories(frame), categories(stream.to_pandas()), len(frame)]
show({name: labels(name) for name in ['empty', 'full', 'empty-long', 'full-long', 'silent-long']})`
    const found = runPython(script, files) as Record<string, [object, object, object, object, number]>
    expect(found.empty?.[0]).toEqual({
      Pick: ['red', 'löst', 'blue'],
      Many: ['X', 'Y', 'blue'],
      Free: [],
      skipped: ['Pick', 'Many', 'Free', 'Text', 'Number'],
    })
    expect(found.empty).toEqual([...(found.full?.slice(0, 4) ?? []), 0])
    expect(found['empty-long']).toEqual([...(found['full-long']?.slice(0, 4) ?? []), 0])
    expect(found['silent-long']).toEqual(found['empty-long'])
    expect(found['empty-long']?.[2]).toMatchObject({ option_label: ['red', 'löst', 'blue', 'X', 'Y'] })
  })

  test('polars has the same types, labels included, of a Parquet file without rows and of one with rows', () => {
    const script = `
import polars as pl
def enums(name):
    frame = pl.read_parquet(f'{path}/{name}.parquet')
    same = frame.schema == pl.scan_parquet(f'{path}/{name}.parquet').collect().schema
    return [{n: t.categories.to_list() if t == pl.Enum else str(t) for n, t in frame.schema.items()}, frame.height, same]
names = ['empty', 'full', 'empty-long', 'full-long', 'silent-long', 'empty-star/answers', 'full-star/answers']
both = pl.concat([pl.read_parquet(f'{path}/{name}.parquet') for name in ['empty', 'full']])
arrow = [pl.read_ipc(f'{path}/empty.arrow', memory_map=False).height, pl.read_ipc_stream(f'{path}/empty.arrows').height]
show([{name: enums(name) for name in names}, both.height, arrow])`
    const [found, height, arrow] = runPython(script, files) as [
      Record<string, [object, number, boolean]>,
      number,
      unknown,
    ]
    expect(found.empty?.[0]).toMatchObject({ Pick: ['red', 'löst', 'blue'], Many: 'List(Categorical)' })
    expect(found.empty).toEqual([found.full?.[0], 0, true])
    expect(found['empty-long']).toEqual([found['full-long']?.[0], 0, true])
    expect(found['silent-long']).toEqual(found['empty-long'])
    expect(found['empty-long']?.[0]).toMatchObject({ option_label: ['red', 'löst', 'blue', 'X', 'Y'] })
    expect(found['empty-star/answers']).toEqual([found['full-star/answers']?.[0], 0, true])
    expect([height, arrow]).toEqual([2, [0, 0]])
  })

  test('pyarrow and pandas read a Parquet file without rows; labels are in its metadata', () => {
    const script = `
import json, pandas as pd, pyarrow.parquet as pq, duckdb
found = {}
for name in ['empty', 'empty-long', 'silent-long', 'empty-star/answers', 'empty-star/responses', 'empty-star/groups']:
    file = f'{path}/{name}.parquet'
    table = pq.read_table(file)
    table.validate(full=True)
    found[name] = [table.num_rows, len(pd.read_parquet(file)), duckdb.sql(f"select count(*) from '{file}'").fetchone()[0]]
frame = pd.read_parquet(f'{path}/empty.parquet')
field = pq.read_schema(f'{path}/empty.parquet').field('Pick')
show([found, {n: str(t) for n, t in frame.dtypes.items()}, list(frame['Pick'].cat.categories),
  [option['label'] for option in json.loads(field.metadata[b'alida:options'])],
  list(pd.read_parquet(f'{path}/silent.parquet')['Pick'].cat.categories)])`
    const [found, dtypes, categories, options, ofNulls] = runPython(script, files) as unknown[]
    expect(found).toEqual({
      empty: [0, 0, 0],
      'empty-long': [0, 0, 0],
      'silent-long': [0, 0, 0],
      'empty-star/answers': [0, 0, 0],
      'empty-star/responses': [0, 0, 0],
      'empty-star/groups': [1, 1, 1],
    })
    expect(dtypes).toMatchObject({ Pick: 'category', Many: 'object', Number: 'float64' })
    // Arrow C++ takes labels from row groups that it reads, and from no others.
    expect(categories).toEqual([])
    expect(options).toEqual(['red', 'löst', 'blue'])
    expect(ofNulls).toEqual(['red', 'löst', 'blue'])
  })
})
