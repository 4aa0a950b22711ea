import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BIN } from './cli.ts'
import { describeWithPython, pythonPath } from './python.ts'
import { textTable } from './text-table.ts'

/**
 * The recipes of four pages, run as a reader would, in a folder with the sample as `export.json`. Their results are
 * compared with stored snapshots.
 */

/** This page gets a sample with invalid values and an unknown question, in a folder of its own. */
const INVALID_VALUES = 'docs/invalid-values.md'
const PAGES = ['docs/shapes.md', 'docs/codebook.md', 'docs/privacy.md', INVALID_VALUES]

interface Block {
  readonly page: string
  readonly language: string
  readonly code: string
}

const blocks = PAGES.flatMap((page): Block[] =>
  [...readFileSync(page, 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language = '', code = '']) => {
    return { page, language, code }
  }),
)
const blocksIn = (language: string) => blocks.filter((block) => block.language === language)

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-recipes-'))

function folderOf(page: string): string {
  return page === INVALID_VALUES ? join(folder, 'invalid') : folder
}

function idOf(json: string, question: string): string {
  const { definition } = JSON.parse(json) as { definition: { fields: { id: string; name: string }[] } }
  return definition.fields.find(({ name }) => name === question)?.id ?? ''
}

function withInvalidValues(json: string): string {
  return json
    .replaceAll(`"${idOf(json, 'Household size')}","values":[5]`, `"${idOf(json, 'Household size')}","values":["five"]`)
    .replaceAll(`{"id":"${idOf(json, 'Voucher')}","values"`, '{"id":"00000000-0000-4000-8000-000000000001","values"')
}

/** Commands of the shell blocks: `NAME=value alida-arrow …`. */
async function runShell({ page, code }: Block): Promise<void> {
  const script = code.replaceAll('alida-arrow ', `"${process.execPath}" "${BIN}" `)
  await promisify(execFile)('sh', ['-e', '-c', script], { cwd: folderOf(page) })
}

beforeAll(async () => {
  const sample = readFileSync('fixtures/sample-export.json', 'utf8')
  writeFileSync(join(folder, 'export.json'), sample)
  mkdirSync(folderOf(INVALID_VALUES))
  writeFileSync(join(folderOf(INVALID_VALUES), 'export.json'), withInvalidValues(sample))
  await Promise.all(blocksIn('sh').map(runShell))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('every section has a recipe for each reader', () => {
  expect(blocksIn('sh').length).toBeGreaterThanOrEqual(10)
  expect(blocksIn('sql').length).toBeGreaterThanOrEqual(11)
  expect(blocksIn('python').length).toBeGreaterThanOrEqual(11)
})

describe('DuckDB', () => {
  test.each(blocksIn('sql'))('$page: $code', async ({ page, code }) => {
    const connection = await (await DuckDBInstance.create()).connect()
    const placed = code.replace(/'([\w/]+\.(?:parquet|csv|jsonl))'/g, `'${folderOf(page)}/$1'`)
    for (const statement of placed.split(';').filter((text) => text.trim() !== '')) {
      expect(textTable(await connection.runAndReadAll(statement))).toMatchSnapshot()
    }
  })
})

describeWithPython('pandas', () => {
  test('every recipe prints what it did before', () => {
    // In one process: to load pandas takes longer than all of them.
    const script = blocksIn('python')
      .map(({ code }) => `${code}\nprint('--- end of recipe')`)
      .join('\n')
    const output = execFileSync(pythonPath() ?? '', ['-c', script], { cwd: folder, encoding: 'utf8' })
    const outputs = output.split('--- end of recipe\n').slice(0, -1)
    expect(outputs).toHaveLength(blocksIn('python').length)
    for (const printed of outputs) expect(printed).toMatchSnapshot()
  })
})
