import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
// Worker threads run compiled code, so these tests do: `npm test` builds first.
import type { ConvertOptions } from '../src/convert/convert.ts'
import { convertCompiled } from './compiled.ts'
import { duckdbRows } from './parquet-file.ts'
import { OPTION_IDS, QUESTIONS, surveyRecords } from './survey.ts'

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-shape-parallel-'))
afterAll(() => rmSync(folder, { recursive: true }))

const RECORDS = 2000
const internals = { minPoolBytes: 0, minRecordsToCut: 0 }

/** Every hundredth record chose an option that left the definition, one of several. */
function exportFile(name: string, change: (record: object, n: number) => object = (record) => record): string {
  const path = join(folder, name)
  const records = surveyRecords(RECORDS).map((record, n) => {
    const text = JSON.stringify(change(record, n))
    return n % 100 === 0 ? text.replaceAll(OPTION_IDS[0]!, `c0000000-0000-4000-8000-00000000000${n % 7}`) : text
  })
  const definition = JSON.stringify({ fields: QUESTIONS.map((q) => ({ ...q, isSensitive: q.name === 'Code' })) })
  writeFileSync(path, `{"id":"e1","definition":${definition},"records":[${records.join()}]}`)
  return path
}

async function convertWith(threads: number, source: string, options: ConvertOptions) {
  const target = join(folder, 'out.parquet')
  const result = await convertCompiled(source, target, { batchSize: 150, ...options, threads }, internals)
  return { threads: result.threads, bytes: readFileSync(target) }
}

const SHAPES: ConvertOptions[] = [
  { answerStates: 'columns', values: 'both' },
  { sets: 'columns', names: 'snake' },
  { sets: 'both', values: 'id', timezone: 'naive', stripHtml: true },
  { layout: 'long' },
  { sensitive: 'hash', hashOwner: true, hashKey: 'k' },
]

test.each(SHAPES)('the same bytes for any number of threads: %o', async (options) => {
  const source = exportFile('export.json')
  const alone = await convertWith(1, source, options)
  const together = await convertWith(2, source, options)
  expect(together.threads).toBe(2)
  expect(together.bytes.equals(alone.bytes)).toBe(true)
})

test('the same bytes where pieces have no rows', async () => {
  const source = exportFile('silent.json', (record) => ({ ...record, fields: [] }))
  const alone = await convertWith(1, source, { layout: 'long' })
  const together = await convertWith(2, source, { layout: 'long' })
  expect(together.threads).toBe(2)
  expect(together.bytes.equals(alone.bytes)).toBe(true)
  expect(await duckdbRows(join(folder, 'out.parquet'), 'SELECT count(*)::INT AS n FROM $file')).toEqual([{ n: 0 }])
})

const numbersOf = async () =>
  duckdbRows(join(folder, 'out.parquet'), 'SELECT DISTINCT record, ownerId FROM $file ORDER BY record')

test('records are numbered through all pieces', async () => {
  await convertWith(2, exportFile('export.json'), { layout: 'long' })
  const rows = await numbersOf()
  const expected = surveyRecords(RECORDS).flatMap((record, n) => {
    const { ownerId, fields } = record as { ownerId: string; fields: unknown[] }
    return fields.length > 0 ? [{ record: n + 1, ownerId }] : []
  })
  expect(rows).toEqual(expected)
})

test('records are numbered right where a member that nobody knows looks like a record', async () => {
  const source = exportFile('nested.json', (record, n) =>
    n % 3 === 0 ? { ...record, more: { ownerId: 'no record' } } : record,
  )
  const { threads, bytes } = await convertWith(2, source, { layout: 'long' })
  expect((await numbersOf()).at(-1)?.record).toBe(RECORDS)
  expect(threads).toBe(1)
  expect(bytes.equals((await convertWith(1, source, { layout: 'long' })).bytes)).toBe(true)
})
