import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWithPython, pythonPath } from './python.ts'

/** Examples of the documentation, run as a reader would: in the repository's folder, after `npm run sample`. */

interface Example {
  readonly file: string
  readonly runner: string
  readonly code: string
  /** The ```text block behind the code, if there is one. */
  readonly output: string | undefined
}

const PAGES = ['README.md', 'docs/recipes.md']

function examplesOf(file: string): Example[] {
  const pattern = /<!-- test: (\S+) -->\n```\w+\n([\s\S]*?)```\n(?:\n```text\n([\s\S]*?)```)?/g
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, runner = '', code = '', output]) => {
    return { file, runner, code, output }
  })
}

const examples = PAGES.flatMap(examplesOf)
const folder = '.tmp/docs'

beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  execFileSync(process.execPath, [
    'dist/bin.js',
    'convert',
    'fixtures/sample-export.json',
    '-o',
    'sample.parquet',
    '-q',
  ])
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  rmSync('export.parquet', { force: true })
})

describe('examples of the documentation', () => {
  test('there are some', () => {
    expect(examples.length).toBeGreaterThan(5)
  })

  test.each(examples.filter(({ runner }) => runner.endsWith('.mjs')))(
    '$file: $runner prints what it says',
    (example) => {
      const path = `${folder}/${example.runner}`
      writeFileSync(path, example.code)
      const output = execFileSync(process.execPath, [path], { encoding: 'utf8' })
      expect(output).toBe(example.output)
    },
  )

  test.each(examples.filter(({ runner }) => runner === 'duckdb'))('$file in DuckDB: $code', async ({ code }) => {
    const connection = await (await DuckDBInstance.create()).connect()
    const rows = await connection.runAndReadAll(code)
    expect(rows.getRows().length).toBeGreaterThan(0)
  })
})

describeWithPython('examples of the documentation in Python', () => {
  test.each(examples.filter(({ runner }) => runner === 'python'))('$file: $code', ({ code }) => {
    const output = execFileSync(pythonPath() ?? '', ['-c', code], { encoding: 'utf8' })
    expect(output.trim()).not.toBe('')
  })
})

describe('the page of errors', () => {
  test('lists just the codes there are', () => {
    const codes = (text: string) => new Set(text.match(/ERR_[A-Z_]*[A-Z]/g))
    const union = readFileSync('src/errors.ts', 'utf8').split('/** Where in')[0] ?? ''
    expect(codes(readFileSync('docs/errors.md', 'utf8'))).toEqual(codes(union))
  })
})
