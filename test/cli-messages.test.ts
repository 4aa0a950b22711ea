/** What the command says where a person is likely to be wrong: which file, what to do, in the words that were typed. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, test } from 'vitest'
import { BIN, runCli } from './cli.ts'
import { SAMPLE } from './fixture-cases.ts'
import { describeWithPython, pythonPath } from './python.ts'

const SAMPLE_PATH = fileURLToPath(SAMPLE)
const invalid = (name: string) => fileURLToPath(new URL(`../fixtures/invalid/${name}`, import.meta.url))

const root = mkdtempSync(join(tmpdir(), 'alida-arrow-messages-'))
afterAll(() => rmSync(root, { recursive: true }))
const newFolder = () => mkdtempSync(join(root, 'x'))

describe.concurrent('help', () => {
  test.for(['convert', 'fetch', 'activities', 'inspect', 'codebook', 'verify'])(
    'of %s has its examples first, on lines of their own',
    async (command, { expect }) => {
      const { stdout } = await runCli([command, '--help'])
      const lines = stdout.toString().split('\n')
      const start = lines.indexOf('Examples:')
      expect(start).toBeGreaterThan(0)
      expect(start).toBeLessThan(7)
      const examples = lines.slice(start + 1, lines.indexOf('', start))
      for (const line of examples) expect(line).toMatch(/^ {2}(alida-arrow |export |ALIDA_\w+=… alida-arrow )/)
    },
  )

  test('has what is common before what is not, and limits on a page of their own', async ({ expect }) => {
    const convert = (await runCli(['convert', '--help'])).stdout.toString()
    const places = ['--output', 'Which questions', '--strip-html', 'Privacy', 'Advanced', '--threads'].map((word) =>
      convert.indexOf(word),
    )
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(convert).not.toContain('--max-nesting')
    expect((await runCli(['help', 'limits'])).stdout.toString()).toContain('--max-nesting <levels>')
    const fetch = (await runCli(['fetch', '--help'])).stdout.toString()
    expect(fetch.indexOf('exactly one of --activity and --batch')).toBeLessThan(fetch.indexOf('--region'))
  })
})

describe.concurrent('names in capitals', () => {
  test('are the format of rejects for verify, too', async ({ expect }) => {
    const folder = newFolder()
    const [output, rejects] = [join(folder, 'o.parquet'), join(folder, 'r.PARQUET')]
    const options = ['--on-invalid', 'null', '--rejects', rejects]
    const input = invalid('double-text.json')
    expect(await runCli(['convert', input, '-o', output, ...options])).toMatchObject({ code: 0 })
    expect(readFileSync(rejects).subarray(0, 4).toString()).toBe('PAR1')
    expect(await runCli(['verify', input, output, ...options])).toMatchObject({ code: 0, stderr: '' })
  })

  test.for(['x.PARQUET', 'x.Feather', 'x.pq'])('are no folder for the star layout: %s', async (name, { expect }) => {
    const output = join(newFolder(), name)
    const { code, stderr } = await runCli(['convert', SAMPLE_PATH, '-o', output, '--layout', 'star'])
    expect(code).toBe(2)
    expect(stderr).toContain('expected the name of one')
  })
})

describe.concurrent('inspect of an export with values that do not fit', () => {
  test('counts them in a column, and says what convert needs', async ({ expect }) => {
    const { code, stdout, stderr } = await runCli(['inspect', invalid('double-text.json')])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.toString()).toMatch(/answered +skipped +invalid +not asked/)
    expect(stdout.toString()).toMatch(/× invalid/)
    expect(stdout.toString()).toMatch(/\n1 invalid value; convert needs --on-invalid null\n$/)
  })

  test('has them in its JSON', async ({ expect }) => {
    const { code, stdout } = await runCli(['inspect', invalid('double-text.json'), '--json'])
    expect(code).toBe(0)
    const facts = JSON.parse(stdout.toString()) as { invalid: unknown; questions: { invalid: number }[] }
    expect(facts.invalid).toEqual({ total: 1, codes: { ERR_VALUE: 1 } })
    expect(facts.questions.map((question) => question.invalid)).toContain(1)
  })

  test('has no such column where all values fit', async ({ expect }) => {
    const { stdout } = await runCli(['inspect', SAMPLE_PATH])
    expect(stdout.toString()).not.toContain('invalid')
  })

  test('flags as hidden what --no-hidden leaves out, whatever the case of the words', async ({ expect }) => {
    const field = (id: string, visibility: string) => ({
      id,
      name: id,
      type: { dataType: 'string' },
      meta: { visibility },
    })
    const definition = { fields: [field('a', 'Active'), field('b', 'Hidden')] }
    const { stdout } = await runCli(['inspect', '-', '--json'], {
      stdin: Buffer.from(JSON.stringify({ definition, records: [] })),
    })
    const { questions } = JSON.parse(stdout.toString()) as { questions: { flags: string[] }[] }
    expect(questions.map(({ flags }) => flags)).toEqual([[], ['Hidden']])
  })
})

describe.concurrent('verify', () => {
  const converted = async (...options: string[]) => {
    const output = join(newFolder(), 'good.parquet')
    await runCli(['convert', SAMPLE_PATH, '-o', output, '-q', ...options])
    return output
  }

  test('takes the options from the file', async ({ expect }) => {
    const output = await converted('--sets', 'columns', '--names', 'snake', '--keep-unknown', '--no-system')
    expect(await runCli(['verify', SAMPLE_PATH, output, '-q'])).toMatchObject({ code: 0, stderr: '' })
  })

  test('takes the layout from a folder', async ({ expect }) => {
    const output = join(newFolder(), 'star')
    await runCli(['convert', SAMPLE_PATH, '-o', output, '--layout', 'star', '-q'])
    expect(await runCli(['verify', SAMPLE_PATH, output, '-q'])).toMatchObject({ code: 0, stderr: '' })
    const { code, stdout, stderr } = await runCli(['verify', SAMPLE_PATH, output, '--layout', 'long'])
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^alida-arrow: .*star was written with --layout star; verify was run with --layout long\n$/)
  })

  test.for([
    [[], ['--sets', 'columns'], 'was written with --sets list; verify was run with --sets columns'],
    [['--sets', 'columns'], ['--sets', 'list'], 'was written with --sets columns; verify was run with --sets list'],
    [[], ['--keep-unknown'], 'was written without --keep-unknown; verify was run with --keep-unknown'],
    [
      ['--fields', 'Gender', '--no-hidden'],
      ['--fields', 'Gender,Brands seen'],
      'was written with --fields Gender; verify was run with --fields "Gender,Brands seen"',
    ],
    [
      ['--on-invalid', 'null'],
      ['--on-invalid', 'error', '--strip-html'],
      'was written with --on-invalid null, without --strip-html; verify was run with --on-invalid error, with --strip-html',
    ],
  ] as const)('says in one line that %j was not %j', async ([written, given, message], { expect }) => {
    const output = await converted(...written)
    const { code, stdout, stderr } = await runCli(['verify', SAMPLE_PATH, output, ...given])
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(`alida-arrow: ${output} ${message}\n`)
  })

  test('says which file is missing, a folder, or in the place of the other', async ({ expect }) => {
    const output = await converted()
    const missing = join(root, 'nope.json')
    const lineOf = async (...args: string[]) => (await runCli(['verify', ...args])).stderr
    expect(await lineOf(missing, output)).toBe(`alida-arrow: no such file: ${missing}\n`)
    expect(await lineOf(SAMPLE_PATH, missing)).toBe(`alida-arrow: no such file: ${missing}\n`)
    expect(await lineOf(root, output)).toBe(`alida-arrow: expected an export, found a directory: ${root}\n`)
    expect(await lineOf(output, SAMPLE_PATH)).toBe(
      `alida-arrow: expected an export as the first file, found a Parquet file: ${output}; are the export and the output swapped?\n`,
    )
    const rejects = ['--on-invalid', 'null', '--rejects', missing]
    expect(await lineOf(SAMPLE_PATH, await converted('--on-invalid', 'null'), ...rejects)).toBe(
      `alida-arrow: no such file: ${missing}\n`,
    )
  })

  test('has a code for a missing file in its JSON', async ({ expect }) => {
    const { stderr } = await runCli(['verify', join(root, 'nope.json'), SAMPLE_PATH, '--json'])
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ERR_SOURCE' } })
  })
})

describe.concurrent('a command line that cannot be read', () => {
  const out = ['-o', join(root, 'out.parquet')]
  test.for<[string[], string]>([
    [['convert', 'x.json', ...out, '--compresion', 'zstd'], 'unknown option --compresion; did you mean --compression?'],
    [['convert', 'x.json', ...out, '--tokn=secret'], 'unknown option --tokn'],
    [
      ['convert', 'x.json', ...out, '--batch-size', 'ten'],
      '--batch-size: expected a whole number above 0, found "ten"',
    ],
    [['convert', 'x.json', '-o'], 'expected a value for -o, --output <file>, found none'],
    [
      ['convert', 'x.json', ...out, '--rejects', 'r.jsonl'],
      '--rejects needs --on-invalid null: otherwise the first invalid value is an error',
    ],
    [
      ['convert', 'x.json', ...out, '--layout', 'long', '--sets', 'columns'],
      '--layout long contradicts --sets columns: it has a row for each chosen option',
    ],
    [
      ['convert', 'x.json', ...out, '--layout', 'star', '--values', 'id'],
      '--layout star contradicts --values id: it has both ids and labels',
    ],
    [
      ['convert', SAMPLE_PATH, ...out, '--fields', 'Gendr'],
      '--fields: expected the name or id of a question, found "Gendr"; the nearest are "Gender"',
    ],
    [
      ['convert', SAMPLE_PATH, '-o', 'out.xlsx'],
      'cannot tell the format of out.xlsx: expected a name ending in .parquet, .arrow or .arrows, or the option --format',
    ],
    [
      ['convert', SAMPLE_PATH, ...out, '--hash-owner'],
      '--hash-owner needs a key: expected one in ALIDA_HASH_KEY, found none',
    ],
    [
      ['convert', SAMPLE_PATH, ...out, '--max-record-bytes', '2GiB'],
      '--max-record-bytes: expected a whole number from 1 to 1342177280, found 2147483648',
    ],
  ])('%j', async ([args, message], { expect }) => {
    const { code, stderr } = await runCli(args, { env: { ALIDA_HASH_KEY: undefined } })
    expect(stderr).toContain(`alida-arrow: ${message}`)
    expect(stderr).not.toContain('secret')
    expect(code).toBe(2)
    const json = await runCli([...args.filter((word) => word !== '-o' || args.at(-1) !== '-o'), '--json'])
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'ERR_OPTION' } })
  })
})

describe.concurrent('what is no export is named, with its file', () => {
  test.for<[string, string | Buffer, string]>([
    [
      'x.csv',
      'Name,Age\nAda,36\n',
      'expected the JSON of an export, found text that begins with "Name,Age" (a CSV file?)',
    ],
    ['x.csv', '"Name";"Age"\n"Ada";36\n', 'found text that begins with "\\"Name\\";\\"Age\\"" (a CSV file?)'],
    ['x.txt', 'Not found', 'found text that begins with "Not found" (byte 0)'],
    [
      'x.json',
      `[${'{"a":1},'.repeat(9)}`,
      'expected a JSON object with "definition" and "records", found a JSON array',
    ],
    ['x.json', '12', 'found another JSON value'],
    ['x.json', 'true', 'found another JSON value'],
    ['x.xlsx', Buffer.from('PK\u0003\u0004 and more'), 'a ZIP archive; unpack it (an Excel file is one, too)'],
    ['x.json', '{"definition": {', 'unexpected end of input'],
  ])('%s: %s', async ([name, content, message], { expect }) => {
    const folder = newFolder()
    const path = join(folder, name)
    writeFileSync(path, content)
    for (const args of [
      ['inspect', path],
      ['convert', path, '-o', join(folder, 'out.arrow')],
    ]) {
      const { code, stderr } = await runCli(args)
      expect(code).toBe(1)
      expect(stderr.startsWith(`alida-arrow: ${path}: `)).toBe(true)
      expect(stderr).toContain(message)
    }
  })

  test('a limit is named by its option, and takes the units that the help has', async ({ expect }) => {
    const long = await runCli(['inspect', SAMPLE_PATH, '--max-record-bytes', '1KiB'])
    expect(long.stderr).toMatch(
      /sample-export\.json: expected .* of at most 1024 bytes, .*; raise --max-record-bytes \(/,
    )
    expect(await runCli(['inspect', SAMPLE_PATH, '--max-record-bytes', '1.5 MiB', '-q'])).toMatchObject({ code: 0 })
  })
})

test('a folder that takes no files is not said to be missing', async ({ expect }) => {
  const { stderr } = await runCli(['convert', SAMPLE_PATH, '-o', '/proc/x.parquet'])
  expect(stderr).toBe('alida-arrow: cannot write /proc/x.parquet: no file can be made in /proc\n')
})

test('the JSON of an error has the member of the record', async ({ expect }) => {
  const records = [{ ownerId: 'a', lastUpdateDate: 'yesterday', fields: [] }]
  const stdin = Buffer.from(JSON.stringify({ definition: { fields: [] }, records }))
  const { stderr } = await runCli(['inspect', '-', '--json', '--max-columns', '1'], { stdin })
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ERR_LIMIT', input: 'standard input' } })
  const converted = await runCli(['convert', '-', '-o', join(newFolder(), 'o.parquet'), '--json'], { stdin })
  expect(JSON.parse(converted.stderr)).toMatchObject({
    error: { code: 'ERR_VALUE', member: 'lastUpdateDate', record: 1, ownerId: 'a', input: 'standard input' },
  })
})

/** Runs the command with a terminal as its standard output. */
const ON_TERMINAL = `
import os, pty, sys
status = pty.spawn(sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(status))
`

describeWithPython('on a terminal', () => {
  test.for([
    ['convert', SAMPLE_PATH],
    ['codebook', SAMPLE_PATH, '--format', 'parquet'],
    ['fetch', '--batch', 'b', '--region', 'na1', '--community', 'c', '--token', 'x'],
  ])('bytes are not written: %s', ([command = '', ...args], { expect }) => {
    const words = ['-c', ON_TERMINAL, process.execPath, BIN, command, ...args, '-o', '-']
    const { status, stdout } = spawnSync(pythonPath() ?? '', words, { encoding: 'utf8', input: '' })
    expect(stdout.trimEnd()).toMatch(
      /alida-arrow: standard output is a terminal: give a file as --output, or pipe it on$/,
    )
    expect(status).toBe(2)
  })

  test('text is', ({ expect }) => {
    const words = ['-c', ON_TERMINAL, process.execPath, BIN, 'codebook', SAMPLE_PATH, '-o', '-', '--format', 'csv']
    const { status, stdout } = spawnSync(pythonPath() ?? '', words, { encoding: 'utf8', input: '' })
    expect(stdout).toContain('Gender')
    expect(status).toBe(0)
  })
})
