import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ERROR_CODES } from '../src/errors.ts'
import { runCli } from './cli.ts'
import { describeWithPython, pythonPath } from './python.ts'
import { textTable } from './text-table.ts'

/**
 * Examples of the documentation, run as a reader would: in the repository's folder, after `npm run sample`. Their results
 * are compared with the text block below them, where there is one, or with a stored snapshot.
 */

interface Example {
  readonly file: string
  readonly runner: string
  readonly code: string
  /** The ```text block after the code, if there is one. */
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
const examplesFor = (runner: string) => examples.filter((example) => example.runner === runner)
const folder = '.tmp/docs'
let sampleOutput = ''

beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  const sample = ['dist/bin.js', 'convert', 'fixtures/sample-export.json', '-o', 'sample.parquet']
  const { stdout, stderr, status } = spawnSync(process.execPath, sample, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  sampleOutput = stdout + stderr
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  rmSync('export.parquet', { force: true })
})

function expectOutput(output: string, example: Example): void {
  if (example.output === undefined) expect(output).toMatchSnapshot()
  else expect(output).toBe(example.output)
}

describe('examples of the documentation', () => {
  test('are found', () => {
    expect(examples.length).toBeGreaterThan(13)
    for (const runner of ['sample', 'sample.mjs', 'duckdb', 'python']) expect(examplesFor(runner)).not.toEqual([])
  })

  test.each(examplesFor('sample'))('$file: npm run sample prints what it says, times aside', ({ output }) => {
    const withoutTimes = (text = '') => text.replace(/^ {2}time .*$/m, '  time')
    expect(withoutTimes(sampleOutput)).toBe(withoutTimes(output))
  })

  test.each(examples.filter(({ runner }) => runner.endsWith('.mjs')))(
    '$file: $runner prints what it says',
    (example) => {
      const path = `${folder}/${example.runner}`
      writeFileSync(path, example.code)
      expectOutput(execFileSync(process.execPath, [path], { encoding: 'utf8' }), example)
    },
  )

  test.each(examplesFor('duckdb'))('$file in DuckDB: $code', async (example) => {
    const connection = await (await DuckDBInstance.create()).connect()
    expectOutput(textTable(await connection.runAndReadAll(example.code)), example)
  })
})

describeWithPython('examples of the documentation in Python', () => {
  test.each(examplesFor('python'))('$file: $code', (example) => {
    expectOutput(execFileSync(pythonPath() ?? '', ['-c', example.code], { encoding: 'utf8' }), example)
  })
})

test('the page of errors lists exactly the codes there are', () => {
  const listed = readFileSync('docs/errors.md', 'utf8').match(/(?<=^\| `)ERR_[A-Z_]+(?=`)/gm)
  expect(listed?.toSorted()).toEqual(ERROR_CODES.toSorted())
})

describe('the examples of errors', () => {
  const page = readFileSync('docs/errors.md', 'utf8')
  const shown = [...page.matchAll(/^# (ERR_\w+)\n\$ alida-arrow (.+)\n(.+\n)/gm)].map(
    ([, code, command = '', message]) => ({ code, command, message }),
  )

  test('are found', () => expect(shown.length).toBeGreaterThan(10))

  test.each(shown)('$code: $command', async ({ code, command, message }) => {
    const args = command.split(' ')
    const [plain, json] = await Promise.all([runCli(args), runCli([...args, '--json'])])
    expect(plain.stderr).toBe(message)
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code } })
  })
})

test('the functions that ARCHITECTURE.md follows a value through are where it says', () => {
  const [, example = ''] = readFileSync('ARCHITECTURE.md', 'utf8').split('<!-- test: functions -->')
  const rows = [...example.matchAll(/^\| `([\w.]+)` +\| `([\w./-]+)` +\|/gm)]
  expect(rows.length).toBeGreaterThan(9)
  for (const [, name = '', file = ''] of rows) {
    expect(existsSync(`src/${file}`), file).toBe(true)
    for (const part of name.split('.')) expect(readFileSync(`src/${file}`, 'utf8'), `${file}: ${part}`).toContain(part)
  }
})
