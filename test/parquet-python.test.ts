import { Field, Schema, Struct } from 'apache-arrow'
import { expect, test } from 'vitest'
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
import { parquetBytes, withFile } from './parquet-file.ts'
import { describeWithPython, runPython } from './python.ts'

const LABELS = ['red', 'green', 'blue', 'never; 1', 'löst']

/** Two row groups; the label `late` is known to the second one only. */
async function surveyFile(): Promise<Buffer> {
  const nullable = (name: string, type: Field['type']) => new Field(name, type, true, new Map([['question', 'Warum?']]))
  const choice = dictionaryType(8, 1)
  const set = listType(dictionaryType(16, 2))
  const grid = new Struct([nullable('row', dictionaryType(8, 3)), nullable('n', FLOAT64)])
  const unanswered = dictionaryType(8, 4)
  const many = dictionaryType(32, 5)
  const manyLabels = labelVector(Array.from({ length: 70_000 }, (_, i) => `place ${i}`))
  const schema = new Schema(
    [
      nullable('id', UTF8),
      nullable('at', TIMESTAMP),
      nullable('choice', choice),
      nullable('set', set),
      nullable('grid', grid),
      nullable('unanswered', unanswered),
      nullable('many', many),
    ],
    new Map([['export', '{"id":1}']]),
  )
  const batch = (labels: string[], choices: (string | null)[]) => {
    const vector = labelVector(labels)
    return batchOf(schema, [
      columnData(UTF8, ['a', null, 'c', 'd']),
      columnData(TIMESTAMP, [0n, 1n, null, 1_772_359_200_123_456n]),
      columnData(choice, choices, vector),
      columnData(set, [null, [], ['blue', null], ['red', 'blue']], vector),
      columnData(grid, [null, { row: null, n: 1 }, { row: 'green', n: null }, { row: 'red', n: 2.5 }], vector),
      columnData(unanswered, [null, null, null, null], labelVector([])),
      columnData(many, ['place 69999', null, 'place 0', 'place 300'], manyLabels),
    ])
  }
  const batches = [
    batch(LABELS, ['blue', null, 'red', 'blue']),
    batch([...LABELS, 'late'], [null, 'late', 'red', 'löst']),
  ]
  return parquetBytes(
    schema,
    batches,
    { rowGroupRows: 4 },
    new Map([
      ['definition', '{"ü":1}'],
      ['export', '{"id":1}'],
    ]),
  )
}

describeWithPython('readers in Python', () => {
  test('pyarrow validates the file in full and has dictionaries and metadata', async () => {
    const script = `
import pyarrow.parquet as pq
table = pq.read_table(path)
table.validate(full=True)
file = pq.ParquetFile(path).metadata
show({
  'types': {f.name: str(f.type) for f in table.schema},
  'question': table.schema.field('choice').metadata[b'question'].decode(),
  'metadata': {k.decode(): v.decode() for k, v in table.schema.metadata.items()},
  'kv': [k.decode() for k in file.metadata],
  'groups': file.num_row_groups,
  'dictionaries': [c.dictionary.to_pylist() for c in table.column('choice').chunks],
  'rows': table.drop(['at']).to_pylist(),
  'at': table.column('at').cast('int64').to_pylist(),
})`
    const shown = (await withFile(await surveyFile(), (path) => runPython(script, path))) as Record<string, unknown>
    expect(shown).toMatchObject({
      types: {
        id: 'string',
        at: 'timestamp[us, tz=UTC]',
        choice: 'dictionary<values=string, indices=int8, ordered=0>',
        set: 'list<element: dictionary<values=string, indices=int16, ordered=0>>',
        grid: 'struct<row: dictionary<values=string, indices=int8, ordered=0>, n: double>',
        unanswered: 'dictionary<values=string, indices=int8, ordered=0>',
        many: 'dictionary<values=string, indices=int32, ordered=0>',
      },
      question: 'Warum?',
      metadata: { export: '{"id":1}' },
      kv: expect.arrayContaining(['definition', 'export', 'ARROW:schema']),
      groups: 2,
      dictionaries: [LABELS, [...LABELS, 'late']],
      at: [0, 1, null, 1_772_359_200_123_456, 0, 1, null, 1_772_359_200_123_456],
    })
    const common = [
      { id: 'a', set: null, grid: null, unanswered: null, many: 'place 69999' },
      { id: null, set: [], grid: { row: null, n: 1 }, unanswered: null, many: null },
      { id: 'c', set: ['blue', null], grid: { row: 'green', n: null }, unanswered: null, many: 'place 0' },
      { id: 'd', set: ['red', 'blue'], grid: { row: 'red', n: 2.5 }, unanswered: null, many: 'place 300' },
    ]
    const choices = ['blue', null, 'red', 'blue', null, 'late', 'red', 'löst']
    expect(shown.rows).toEqual(choices.map((choice, i) => ({ ...common[i % 4], choice })))
  })

  test('pandas has categories with all options in their order', async () => {
    const script = `
import pandas as pd
df = pd.read_parquet(path)
show({
  'dtypes': {k: str(v) for k, v in df.dtypes.items()},
  'categories': list(df['choice'].cat.categories),
  'unanswered': [list(df['unanswered'].cat.categories), int(df['unanswered'].isna().sum())],
  'counts': {k: int(v) for k, v in df['choice'].value_counts(sort=False).items()},
  'set': [None if v is None else list(v) for v in df['set']][:4],
})`
    expect(await withFile(await surveyFile(), (path) => runPython(script, path))).toMatchObject({
      dtypes: { id: 'str', at: 'datetime64[us, UTC]', choice: 'category', unanswered: 'category', many: 'category' },
      categories: [...LABELS, 'late'],
      unanswered: [[], 8],
      counts: { red: 2, green: 0, blue: 2, 'never; 1': 0, löst: 1, late: 1 },
      set: [null, [], ['blue', null], ['red', 'blue']],
    })
  })

  test('polars has enums with all options in their order', async () => {
    const script = `
import polars as pl
df = pl.read_parquet(path)
show({
  'types': {k: str(v) for k, v in df.schema.items()},
  'categories': df.schema['choice'].categories.to_list(),
  'choice': df['choice'].to_list(),
  'set': df['set'].to_list()[:4],
  'grid': df['grid'].to_list()[:4],
  'many': df['many'].to_list()[:4],
  'late': pl.scan_parquet(path).filter(pl.col('choice') == 'late').collect().height,
  'nulls': pl.scan_parquet(path).filter(pl.col('unanswered').is_null()).collect().height,
})`
    expect(await withFile(await surveyFile(), (path) => runPython(script, path))).toMatchObject({
      types: {
        id: 'String',
        at: "Datetime(time_unit='us', time_zone='UTC')",
        set: 'List(Categorical)',
        unanswered: 'Categorical',
        many: 'Categorical',
      },
      categories: [...LABELS, 'late'],
      choice: ['blue', null, 'red', 'blue', null, 'late', 'red', 'löst'],
      set: [null, [], ['blue', null], ['red', 'blue']],
      grid: [null, { row: null, n: 1 }, { row: 'green', n: null }, { row: 'red', n: 2.5 }],
      many: ['place 69999', null, 'place 0', 'place 300'],
      late: 1,
      nulls: 8,
    })
  })

  test('labels given at the end are those of a file without rows', async () => {
    const schema = new Schema([new Field('choice', dictionaryType(8, 1), true)])
    const bytes = await parquetBytes(schema, [], {}, new Map(), { labels: new Map([['choice', ['yes', 'no']]]) })
    const script = `
import polars as pl, pandas as pd
show([pl.read_parquet(path).schema['choice'].categories.to_list(), str(pd.read_parquet(path).dtypes['choice'])])`
    expect(await withFile(bytes, (path) => runPython(script, path))).toEqual([['yes', 'no'], 'category'])
  })

  test.each(['none', 'snappy', 'zstd', 'gzip', 'lz4'] as const)('all of them read %s', async (compression) => {
    const type = dictionaryType(8, 1)
    const schema = new Schema([new Field('choice', type, true), new Field('text', UTF8, true)])
    const values = Array.from({ length: 20_000 }, (_, i) => (i % 11 === 0 ? null : LABELS[i % 5 === 0 ? 1 : 0]!))
    const batch = batchOf(schema, [columnData(type, values, labelVector(LABELS)), columnData(UTF8, values)])
    const script = `
import pyarrow.parquet as pq, polars as pl, duckdb
file = pq.ParquetFile(path)
table = file.read()
table.validate(full=True)
same = table.column('choice').cast('string').equals(table.column('text'))
frame = pl.read_parquet(path)
query = "select count(*), count(choice), count(*) filter (choice is distinct from text) from '" + path + "'"
show([same, bool((frame['choice'].cast(str).eq_missing(frame['text'])).all()), list(duckdb.sql(query).fetchone()),
  sorted({file.metadata.row_group(0).column(i).compression for i in range(2)})])`
    const codec = { none: 'UNCOMPRESSED', snappy: 'SNAPPY', zstd: 'ZSTD', gzip: 'GZIP', lz4: 'LZ4' }[compression]
    const bytes = await parquetBytes(schema, [batch], { compression })
    expect(await withFile(bytes, (path) => runPython(script, path))).toEqual([true, true, [20_000, 18_181, 0], [codec]])
  })
})
