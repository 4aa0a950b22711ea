import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api'
import { afterAll, describe, expect, test } from 'vitest'
import { convertExport } from '../src/convert/convert.ts'
import { isExportError } from '../src/errors.ts'
import { writeStar } from '../src/star/star.ts'
import { runCli } from './cli.ts'
import { describeWithPython, runPython } from './python.ts'

const SAMPLE = 'fixtures/sample-export.json'
const FILES = ['answers.parquet', 'fields.parquet', 'groups.parquet', 'options.parquet', 'responses.parquet']
const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-star-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Rows of a query in which `name.parquet` stands for a file of the folder. */
async function query(sql: string): Promise<DuckDBValue[][]> {
  const connection = await (await DuckDBInstance.create()).connect()
  const reader = await connection.runAndReadAll(sql.replace(/'([\w/]+\.parquet)'/g, `'${folder}/$1'`))
  return reader.getRows()
}

test('answers join to the other tables by id and give the long layout again', async () => {
  await writeStar(SAMPLE, join(folder, 'star'), { batchSize: 7 })
  await convertExport(SAMPLE, join(folder, 'long.parquet'), { layout: 'long' })
  expect(readdirSync(join(folder, 'star')).sort()).toEqual(FILES)
  const joined = `
    SELECT r.ownerId, r.lastUpdateDate, record, a.field_id, f.column_name, g.name, a.state, a.option_id, o.label,
           a.value_double, a.value_datetime, a.value_string, a.position
    FROM 'star/answers.parquet' a JOIN 'star/responses.parquet' r USING (record) JOIN 'star/fields.parquet' f USING (field_id)
    LEFT JOIN 'star/options.parquet' o ON o.field_id = a.field_id AND o.option_id = a.option_id
    LEFT JOIN 'star/groups.parquet' g USING (group_id)`
  expect(await query(`(${joined}) EXCEPT ALL (FROM 'long.parquet')`)).toEqual([])
  expect(await query(`(FROM 'long.parquet') EXCEPT ALL (${joined})`)).toEqual([])
  expect(await query(`SELECT count(*) > 8000, count(DISTINCT record) FROM 'star/answers.parquet'`)).toEqual([
    [true, 300n],
  ])
})

test('responses and fields count the same answers', async () => {
  expect(
    await query(`SELECT (SELECT sum(answered) FROM 'star/responses.parquet') = (SELECT sum(answered) FROM 'star/fields.parquet'),
                        (SELECT sum(not_asked) FROM 'star/responses.parquet') = (SELECT sum(not_asked) FROM 'star/fields.parquet'),
                        (SELECT sum(skipped) FROM 'star/responses.parquet') = (SELECT count(*) FROM 'star/answers.parquet' WHERE state = 'skipped')`),
  ).toEqual([[true, true, true]])
})

describeWithPython('in pandas', () => {
  test('all tables load, with categories', () => {
    const found = runPython(
      `
import pandas as pd
tables = {name: pd.read_parquet(f'{path}/{name}.parquet') for name in ['answers', 'responses', 'fields', 'options', 'groups']}
answers = tables['answers'].merge(tables['fields'][['field_id', 'name']], on='field_id')
show([len(tables['responses']), str(tables['answers'].state.dtype), len(answers) == len(tables['answers']), list(tables['groups'].name)])
`,
      join(folder, 'star'),
    )
    expect(found).toEqual([300, 'category', true, ['Satisfaction']])
  })
})

describe('the folder', () => {
  test('is replaced when it was written before, and left alone when it holds anything else', async () => {
    const path = join(folder, 'again')
    await writeStar(SAMPLE, path)
    await writeStar(SAMPLE, path, { fields: ['Gender'] })
    expect(readdirSync(path).sort()).toEqual(FILES)
    writeFileSync(join(path, 'notes.txt'), 'mine')
    const error = await writeStar(SAMPLE, path).catch((thrown: unknown) => thrown)
    expect(isExportError(error, 'ERR_OUTPUT')).toBe(true)
    expect(readdirSync(path)).toContain('notes.txt')
  })

  test('is not there when the export is bad, nor is anything beside it', async () => {
    const parent = join(folder, 'bad')
    mkdirSync(parent)
    await expect(
      writeStar(Buffer.from('{"definition":{"fields":[]},"records":[{]}'), join(parent, 'star')),
    ).rejects.toThrow()
    await expect(writeStar(SAMPLE, join(parent, 'star'), { fields: ['Nothing'] })).rejects.toThrow()
    expect(readdirSync(parent)).toEqual([])
  })

  test.each([
    [['--layout', 'star', '--sets', 'columns'], 'star'],
    [['--layout', 'star', '--format', 'arrow'], 'star'],
    [['--layout', 'star'], 'star.parquet'],
    [['--layout', 'tall'], 'o.parquet'],
    [['--sets', 'flags'], 'o.parquet'],
  ])('exit code 2 and nothing written: %j', async (args, name) => {
    const output = join(folder, `none-${name}`)
    const { code, stderr } = await runCli(['convert', SAMPLE, '-o', output, ...args])
    expect(code).toBe(2)
    expect(stderr).toMatch(/expected|contradicts|invalid|writes/)
    expect(existsSync(output)).toBe(false)
  })
})
