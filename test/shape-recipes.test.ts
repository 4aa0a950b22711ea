import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BIN } from './cli.ts'
import { describeWithPython, pythonPath } from './python.ts'
import { textTable } from './text-table.ts'

/**
 * The recipes of three pages, run as a reader would, in a folder with the sample as `export.json`. Their results are
 * compared with stored snapshots.
 */

const PAGES = ['docs/shapes.md', 'docs/codebook.md', 'docs/privacy.md']

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

/** Commands of the shell blocks: `NAME=value alida-arrow …`. */
async function runShell(code: string): Promise<void> {
  const script = code.replaceAll('alida-arrow ', `"${process.execPath}" "${BIN}" `)
  await promisify(execFile)('sh', ['-e', '-c', script], { cwd: folder })
}

beforeAll(async () => {
  copyFileSync('fixtures/sample-export.json', join(folder, 'export.json'))
  await Promise.all(blocksIn('sh').map(({ code }) => runShell(code)))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('every section has a recipe for each reader', () => {
  expect(blocksIn('sh').length).toBeGreaterThanOrEqual(10)
  expect(blocksIn('sql').length).toBeGreaterThanOrEqual(11)
  expect(blocksIn('python').length).toBeGreaterThanOrEqual(11)
})

describe('DuckDB', () => {
  test.each(blocksIn('sql'))('$page: $code', async ({ code }) => {
    const connection = await (await DuckDBInstance.create()).connect()
    const placed = code.replace(/'([\w/]+\.(?:parquet|csv))'/g, `'${folder}/$1'`)
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
