import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { type Codebook, readCodebook } from '../src/codebook/codebook.ts'
import { codebookText } from '../src/codebook/render.ts'
import { writeCodebook } from '../src/codebook/write-codebook.ts'
import { convertExport } from '../src/convert/convert.ts'
import { isExportError } from '../src/errors.ts'
import { type ReadOptions, readExport } from '../src/reader.ts'
import { writeStar } from '../src/star/star.ts'
import { runCli } from './cli.ts'
import { duckdbRows } from './parquet-file.ts'

const SAMPLE = 'fixtures/sample-export.json'
const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-codebook-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string) => join(folder, name)

/** Column names differ from shape to shape. */
function withoutColumns({ records, questions }: Codebook): unknown {
  return { records, questions: questions.map(({ column: _, ...question }) => question) }
}

describe('counts', () => {
  test('are those of the reader, and of the document itself', async () => {
    const codebook = await readCodebook(SAMPLE)
    const reader = await readExport(SAMPLE)
    for await (const _ of reader);
    expect(
      codebook.questions.map(({ id, answered, skipped, notAsked }) => ({ id, answered, skipped, notAsked })),
    ).toEqual(
      reader.summary.questions.map(({ column, answered, skipped, notAsked }) => ({
        id: column.field?.id,
        answered,
        skipped,
        notAsked,
      })),
    )
    const counts = new Map<string, number>()
    const { records } = JSON.parse(readFileSync(SAMPLE, 'utf8')) as {
      records: { fields: { id: string; values: unknown[] | null }[] }[]
    }
    for (const { id, values } of records.flatMap((record) => record.fields)) {
      for (const value of new Set(values ?? [])) counts.set(`${id} ${value}`, (counts.get(`${id} ${value}`) ?? 0) + 1)
    }
    for (const { id, options } of codebook.questions) {
      for (const option of options)
        expect([option.label, option.count]).toEqual([option.label, counts.get(`${id} ${option.id}`) ?? 0])
    }
    expect(codebook.questions.flatMap(({ options }) => options).some(({ count }) => count === 0)).toBe(true)
    expect(
      codebook.questions.flatMap(({ options }) => options).filter((option) => !option.isInDefinition),
    ).toHaveLength(2)
  })

  const shapes: ReadOptions[] = [
    {},
    { answerStates: 'columns', groups: 'struct' },
    { sets: 'columns', values: 'id' },
    { sets: 'both', values: 'both', names: 'snake' },
    { layout: 'long' },
  ]
  test.each(shapes)('are the same from the file alone, %o', async (options) => {
    const expected = await readCodebook(SAMPLE)
    for (const format of ['parquet', 'arrow', 'arrows'] as const) {
      // Small batches, so that options that left the definition come after the first of them.
      await convertExport(SAMPLE, file(`o.${format}`), { ...options, batchSize: 20 })
      const found = await readCodebook(file(`o.${format}`))
      expect(await readCodebook(pathToFileURL(file(`o.${format}`)))).toEqual(found)
      expect(withoutColumns(found)).toEqual(withoutColumns(expected))
      expect(found).toEqual(await readCodebook(SAMPLE, options))
    }
  })

  test('are the same from the star layout', async () => {
    await writeStar(SAMPLE, file('star'))
    expect(await readCodebook(file('star'))).toEqual(await readCodebook(SAMPLE))
  })

  test('of what a table does not tell are missing', async () => {
    await convertExport(SAMPLE, file('none.parquet'), { answerStates: 'none', fields: ['Comment'] })
    const [question] = (await readCodebook(file('none.parquet'))).questions
    expect(question).toMatchObject({ column: 'Comment', skipped: undefined, notAsked: undefined })
    expect(question?.answered).toBeGreaterThan(0)
  })
})

describe('formats', () => {
  test('CSV has a row a question, its options as JSON in their order', async () => {
    await writeCodebook(await readCodebook(SAMPLE), file('c.csv'))
    const rows = await duckdbRows(
      file('c.csv'),
      `SELECT "column", type, answered, skipped, not_asked, options FROM read_csv($file, all_varchar = true)`,
    )
    expect(rows).toHaveLength(30)
    const brands = rows.find((row) => row.column === 'Channels used')
    expect(JSON.parse(String(brands?.options)).map((option: { label: string }) => option.label)).toContain(
      'Vending machine, kiosk or "grab & go"',
    )
  })

  test('Parquet keeps options as structs', async () => {
    await writeCodebook(await readCodebook(SAMPLE), file('c.parquet'))
    const rows = await duckdbRows(
      file('c.parquet'),
      `SELECT "column", o.label AS label, o.count AS n FROM (SELECT "column", unnest(options) AS o FROM $file) WHERE "column" = 'DisplayType'`,
    )
    expect(rows.map(({ label, n }) => [label, n])).toEqual([
      ['Mobile', 199],
      ['Desktop', 101],
    ])
  })

  test('Markdown lets no text of the survey become markup', async () => {
    const text = codebookText(await readCodebook(SAMPLE, { names: 'description' }), 'md')
    expect(text).toContain('# Codebook')
    expect(text).not.toMatch(/[^\\]<p>/)
    expect(text.split('\n').filter((line) => line.startsWith('| ') && line.includes('enum')).length).toBeGreaterThan(5)
  })

  test('Frictionless: types, categories and labelled missing values', async () => {
    const schema = JSON.parse(codebookText(await readCodebook(SAMPLE), 'frictionless'))
    const field = (name: string) => schema.fields.find((entry: { name: string }) => entry.name === name)
    expect(field('DisplayType')).toMatchObject({
      type: 'string',
      categories: [{ value: 'Mobile' }, { value: 'Desktop' }],
    })
    expect(field('Spend')).toMatchObject({ type: 'number' })
    expect(field('Channels used')).toMatchObject({ type: 'list', itemType: 'string' })
    expect(schema.missingValues.map(({ value }: { value: string }) => value)).toEqual(['', 'skipped', 'not asked'])
  })
})

describe('on the command line', () => {
  test('writes what the name says, from an export and from a file', async () => {
    await convertExport(SAMPLE, file('cli.parquet'))
    for (const input of [SAMPLE, file('cli.parquet')]) {
      const { code, stdout } = await runCli(['codebook', input, '-o', '-', '--format', 'json'])
      expect(code).toBe(0)
      expect(JSON.parse(stdout.toString()).questions).toHaveLength(30)
    }
  })

  test('a name that does not tell the format, or a file that is none of ours, is refused', async () => {
    expect((await runCli(['codebook', SAMPLE, '-o', file('c.doc')])).code).toBe(2)
    await writeCodebook(await readCodebook(SAMPLE), file('foreign.parquet'))
    const error = await readCodebook(file('foreign.parquet')).catch((thrown: unknown) => thrown)
    expect(isExportError(error, 'ERR_SOURCE')).toBe(true)
  })
})

test('CSV holds nothing that a spreadsheet would run', async () => {
  const names = ['=1+1', '+1', '-1', '@sum', '\tx', 'plain']
  const fields = names.map((name, i) => ({
    id: `f${i}`,
    name,
    type: { dataType: 'string' },
    meta: { description: name },
  }))
  const codebook = await readCodebook(Buffer.from(JSON.stringify({ definition: { fields }, records: [] })))
  const rows = codebookText(codebook, 'csv').trim().split('\n').slice(1)
  expect(rows.map((row) => row.split(',')[0])).toEqual(["'=1+1", "'+1", "'-1", "'@sum", "'\tx", 'plain'])
  expect(rows.map((row) => row.split(',')[4])).toEqual(["'=1+1", "'+1", "'-1", "'@sum", "'\tx", 'plain'])
  expect(JSON.parse(codebookText(codebook, 'json')).questions.map(({ name }: { name: string }) => name)).toEqual(names)
})
