import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { convertExport } from '../src/convert/convert.ts'
import type { ReadOptions } from '../src/reader.ts'
import { duckdbRows } from './parquet-file.ts'
import { describeWithPython, runPython } from './python.ts'

/** Each shape as other programs see it. */

const SAMPLE = 'fixtures/sample-export.json'
const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-shapes-'))
const file = (name: string) => join(folder, `${name}.parquet`)
const SHAPES: Record<string, ReadOptions> = {
  wide: {},
  states: { answerStates: 'columns' },
  flags: { sets: 'columns' },
  ids: { values: 'both' },
  struct: { groups: 'struct', answerStates: 'columns', values: 'both' },
  naive: { timezone: 'naive' },
  long: { layout: 'long' },
  hashed: { sensitive: 'hash', hashOwner: true, hashKey: 'k' },
  snake: { names: 'snake', sets: 'both' },
}

beforeAll(async () => {
  for (const [name, options] of Object.entries(SHAPES)) await convertExport(SAMPLE, file(name), options)
})
afterAll(() => rmSync(folder, { recursive: true }))

test('DuckDB: states, flags, ids, structs, naive times and long rows agree with the wide table', async () => {
  const wide = file('wide')
  const same = async (name: string, condition: string) => {
    const [row] = await duckdbRows(
      file(name),
      `SELECT count(*) AS n, count(*) FILTER (WHERE NOT coalesce(${condition}, false)) AS wrong
       FROM (FROM '${wide}' POSITIONAL JOIN (SELECT s FROM $file s)) AS t`.replaceAll('(FROM ', '(SELECT * FROM '),
    )
    expect([name, condition, row]).toEqual([name, condition, { n: 300n, wrong: 0n }])
  }
  await same(
    'states',
    `s."Comment__state" = CASE WHEN "Comment" IS NOT NULL THEN 'answered' WHEN list_contains(skipped, 'Comment') THEN 'skipped' ELSE 'not asked' END`,
  )
  await same('flags', `s."Channels used: App" IS NOT DISTINCT FROM list_contains("Channels used", 'App')`)
  await same(
    'flags',
    `len(s."otherOptions") = (SELECT count(*) FROM unnest("Brands seen") u(b) WHERE b LIKE '3b7521e5%')`,
  )
  await same('ids', `(s."DisplayType__id" = 'ea321fb1-a332-494c-960f-a6a4e5d2f163') = ("DisplayType" = 'Mobile')`)
  await same('struct', `s."Satisfaction"."Coffee" IS NOT DISTINCT FROM "Satisfaction_Coffee"`)
  await same('struct', `(s."Satisfaction"."Food__id" IS NULL) = ("Satisfaction_Food" IS NULL)`)
  await same('naive', `epoch_us(s."StartedDate") = epoch_us("StartedDate") AND typeof(s."StartedDate") = 'TIMESTAMP'`)
  await same('hashed', `length(s."ownerId") = 64 AND (s."Email" IS NULL) = ("Email" IS NULL)`)
  const [long] = await duckdbRows(
    file('long'),
    `SELECT count(*) FILTER (option_label = 'App')::INT AS app, (SELECT count(*)::INT FROM '${wide}' WHERE list_contains("Channels used", 'App')) AS expected
     FROM $file WHERE field_name = 'Channels used'`,
  )
  expect(long?.app).toBe(long?.expected)
})

test('DuckDB: snake names need no quotes', async () => {
  const rows = await duckdbRows(file('snake'), 'SELECT age_group, channels_used__app, satisfaction_coffee FROM $file')
  expect(rows).toHaveLength(300)
})

describeWithPython('in pandas', () => {
  test('types are those that analysts expect', () => {
    const found = runPython(
      `
import pandas as pd
read = lambda name: pd.read_parquet(f'{path}/{name}.parquet')
states, flags, naive, long, struct = read('states'), read('flags'), read('naive'), read('long'), read('struct')
show({
  'state': [str(states['Comment__state'].dtype), list(states['Comment__state'].cat.categories)],
  'flag': sorted({str(v) for v in flags['Channels used: App'].unique()}),
  'naive': str(naive['StartedDate'].dtype),
  'long': [len(long), str(long['option_label'].dtype), str(long['record'].dtype)],
  'struct': sorted(struct['Satisfaction'][0].keys())[:2],
})
`,
      folder,
    )
    expect(found).toEqual({
      state: ['category', ['answered', 'skipped', 'not asked']],
      flag: ['False', 'None', 'True'],
      naive: 'datetime64[us]',
      long: [8298, 'category', 'int32'],
      struct: ['App/website', 'App/website__id'],
    })
  })

  test('pyarrow finds every file valid', () => {
    const found = runPython(
      `
import glob, pyarrow.parquet as pq
for name in glob.glob(f'{path}/*.parquet'):
    pq.read_table(name).validate(full=True)
show(len(glob.glob(f'{path}/*.parquet')))
`,
      folder,
    )
    expect(found).toBe(Object.keys(SHAPES).length)
  })
})
