import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, describe, test } from 'vitest'
import { VERSION } from '../src/version.ts'
import { runCli } from './cli.ts'
import { SAMPLE } from './fixture-cases.ts'
import { surveyJson, surveyRecords } from './survey.ts'

const SAMPLE_PATH = fileURLToPath(SAMPLE)
const invalid = (name: string) => fileURLToPath(new URL(`../fixtures/invalid/${name}`, import.meta.url))
const valid = (name: string) => fileURLToPath(new URL(`../fixtures/valid/${name}`, import.meta.url))

const root = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
chmodSync(root, 0o755)
afterAll(() => rmSync(root, { recursive: true }))

function newFolder(): string {
  const folder = mkdtempSync(join(root, 'x'))
  chmodSync(folder, 0o755)
  return folder
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '')

describe.concurrent('help', () => {
  test('lists the commands and exit codes', async ({ expect }) => {
    const { code, stdout, stderr } = await runCli(['--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const word of ['convert', 'inspect', '--version', 'Exit codes']) expect(stdout.toString()).toContain(word)
  })

  test.for(['convert', 'inspect'])('of %s has examples', async (command, { expect }) => {
    const { code, stdout } = await runCli([command, '--help'])
    expect(code).toBe(0)
    expect(stdout.toString()).toContain(`Examples:\n  alida-arrow ${command} export.json`)
  })

  test('--version', async ({ expect }) => {
    expect(await runCli(['--version'])).toEqual({ code: 0, stdout: Buffer.from(`${VERSION}\n`), stderr: '' })
  })
})

describe.concurrent('convert', () => {
  test('writes Parquet, and says what it did on standard error', async ({ expect }) => {
    const path = join(newFolder(), 'out.parquet')
    const { code, stdout, stderr } = await runCli(['convert', SAMPLE_PATH, '-o', path])
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toMatch(
      /^.*out\.parquet: 300 records, \d+ columns, [\d.]+ kB\n {2}answers +[\d,]+ answered, [\d,]+ skipped/,
    )
    expect(stderr).toMatch(/time +[\d.]+ s, [\d.]+ [kM]B\/s of JSON, peak memory [\d.]+ MB/)
    expect(stderr).toMatch(/warnings .*/)
    expect(stderr).toContain('option that is not in the definition')
    const connection = await (await DuckDBInstance.create()).connect()
    const rows = await connection.runAndReadAll(`SELECT count(*)::INT FROM '${path}'`)
    expect(rows.getRows()).toEqual([[300]])
    connection.closeSync()
  })

  test.for(['arrow', 'arrows'])('writes .%s', async (extension, { expect }) => {
    const path = join(newFolder(), `out.${extension}`)
    expect(await runCli(['convert', SAMPLE_PATH, '--output', path, '--quiet'])).toMatchObject({ code: 0, stderr: '' })
    expect(tableFromIPC(readFileSync(path)).numRows).toBe(300)
  })

  test('reads standard input and writes standard output', async ({ expect }) => {
    const stdin = readFileSync(SAMPLE)
    for (const bytes of [stdin, gzipSync(stdin)]) {
      const { code, stdout, stderr } = await runCli(['convert', '-', '-o', '-'], { stdin: bytes })
      expect(code).toBe(0)
      expect(tableFromIPC(stdout).numRows).toBe(300)
      expect(stderr).toMatch(/^standard output: 300 records/)
    }
  })

  test('writes the format that is asked for, whatever the name', async ({ expect }) => {
    const folder = newFolder()
    const path = join(folder, 'data')
    expect(await runCli(['convert', SAMPLE_PATH, '-o', path, '--format', 'parquet', '-q'])).toMatchObject({ code: 0 })
    expect(readFileSync(path).subarray(0, 4).toString()).toBe('PAR1')
    const { code, stdout } = await runCli(['convert', SAMPLE_PATH, '-o', '-', '--format', 'parquet', '-q'])
    expect(code).toBe(0)
    expect(stdout).toEqual(readFileSync(path))
    expect(readdirSync(folder)).toEqual(['data'])
  })

  test('--json prints one line of facts', async ({ expect }) => {
    const path = join(newFolder(), 'out.parquet')
    const { code, stdout, stderr } = await runCli(['convert', SAMPLE_PATH, '-o', path, '--json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(linesOf(stdout.toString())).toHaveLength(1)
    const facts = JSON.parse(stdout.toString()) as Record<string, unknown>
    expect(facts).toMatchObject({
      input: SAMPLE_PATH,
      output: path,
      format: 'parquet',
      columns: expect.any(Number),
      records: 300,
      documentBytes: readFileSync(SAMPLE).length,
      outputBytes: readFileSync(path).length,
      milliseconds: expect.any(Number),
      peakMemoryBytes: expect.any(Number),
      warnings: expect.any(Array),
      questions: expect.any(Array),
    })
    const questions = facts.questions as { answered: number; skipped: number; notAsked: number }[]
    expect(questions).toHaveLength((facts.columns as number) - 3)
    for (const { answered, skipped, notAsked } of questions) expect(answered + skipped + notAsked).toBe(300)
    expect(facts.warnings).toContainEqual(
      expect.objectContaining({ kind: 'unknown-option', count: expect.any(Number) }),
    )
  })

  test('--json leaves standard output to the data', async ({ expect }) => {
    const { code, stdout, stderr } = await runCli(['convert', SAMPLE_PATH, '-o', '-', '--json'])
    expect(code).toBe(0)
    expect(tableFromIPC(stdout).numRows).toBe(300)
    expect(JSON.parse(stderr)).toMatchObject({ output: '-', format: 'arrows', records: 300 })
  })

  test('--fields keeps some questions', async ({ expect }) => {
    const path = join(newFolder(), 'out.arrow')
    const input = join(newFolder(), 'in.json')
    writeFileSync(input, surveyJson(5))
    const args = ['convert', input, '-o', path, '-q', '--fields', 'Why, Choice', '--fields', 'Code']
    expect(await runCli(args)).toMatchObject({ code: 0, stderr: '' })
    const names = tableFromIPC(readFileSync(path)).schema.fields.map(({ name }) => name)
    expect(names).toEqual(['ownerId', 'lastUpdateDate', 'Choice', 'Why', 'Code', 'skipped'])
  })

  test('replaces an older file', async ({ expect }) => {
    const folder = newFolder()
    const path = join(folder, 'out.arrow')
    writeFileSync(path, 'older')
    expect(await runCli(['convert', SAMPLE_PATH, '-o', path, '-q'])).toMatchObject({ code: 0 })
    expect(tableFromIPC(readFileSync(path)).numRows).toBe(300)
    expect(readdirSync(folder)).toEqual(['out.arrow'])
  })
})

describe.concurrent('what the command line cannot mean: exit code 2, nothing written', () => {
  const out = (folder: string) => join(folder, 'out.parquet')
  test.for<[string, (folder: string) => string[], RegExp]>([
    ['no command', () => [], /Usage: alida-arrow/],
    ['unknown command', () => ['konvert', SAMPLE_PATH], /unknown command "konvert"; did you mean convert\?/],
    ['unknown option', (f) => ['convert', SAMPLE_PATH, '-o', out(f), '--fast'], /unknown option --fast/],
    ['no output', () => ['convert', SAMPLE_PATH], /expected the option -o, --output <file>, found none/],
    ['no input', (f) => ['convert', '-o', out(f)], /expected <export>, found none/],
    [
      'too many inputs',
      (f) => ['convert', SAMPLE_PATH, SAMPLE_PATH, '-o', out(f)],
      /expected 1 argument for convert, found 2/,
    ],
    [
      'unknown codec',
      (f) => ['convert', SAMPLE_PATH, '-o', out(f), '--compression', 'rar'],
      /--compression: expected snappy, zstd, gzip, lz4, none, found "rar"/,
    ],
    ['batch size of none', (f) => ['convert', SAMPLE_PATH, '-o', out(f), '--batch-size', '0'], /whole number above 0/],
    [
      'batch size in words',
      (f) => ['convert', SAMPLE_PATH, '-o', out(f), '--batch-size', 'ten'],
      /whole number above 0/,
    ],
    [
      'an empty variable',
      (f) => ['convert', SAMPLE_PATH, '-o', out(f), '--fields', ''],
      /--fields: expected names or ids of questions, found none/,
    ],
    ['unknown question', (f) => ['convert', SAMPLE_PATH, '-o', out(f), '--fields', 'Nope'], /"Nope"/],
    ['no format', (f) => ['convert', SAMPLE_PATH, '-o', join(f, 'out.xlsx')], /cannot tell the format of .*out\.xlsx/],
  ])('%s', async ([, args, message], { expect }) => {
    const folder = newFolder()
    const { code, stdout, stderr } = await runCli(args(folder))
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(readdirSync(folder)).toEqual([])
  })

  test.for(['same path', 'link'])('the output would overwrite the input: %s', async (kind, { expect }) => {
    const folder = newFolder()
    const input = join(folder, 'export.arrow')
    const link = join(folder, 'link.arrow')
    writeFileSync(input, surveyJson(3))
    symlinkSync(input, link)
    const { code, stderr } = await runCli(['convert', input, '-o', kind === 'link' ? link : input])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^alida-arrow: the output would overwrite the export: .*\n$/)
    expect(readFileSync(input)).toEqual(surveyJson(3))
  })
})

describe.concurrent('what cannot be read or written: exit code 1, one line, nothing left', () => {
  test.for<[string, string, RegExp]>([
    [
      'cut off',
      invalid('truncated-download.json'),
      /unexpected end of input after \d+ complete records?: .*\(record \d+, byte \d+\)$/,
    ],
    ['HTML', invalid('html-page.json'), /an HTML or XML page/],
    ['UTF-16', invalid('utf16-le-bom.bin'), /expected UTF-8, found UTF-16/],
    ['no date', invalid('datetime-invalid.json'), /record \d+, owner .*, question ".*", field .*, byte \d+/],
    ['empty', invalid('empty-file.json'), /the input is empty/],
    ['gzip cut off', invalid('gzip-cut.bin'), /gzip stream .* cut off/],
    ['no such file', join(root, 'nowhere.json'), /no such file: .*nowhere\.json$/],
    ['a folder', root, /found a directory/],
  ])('%s', async ([, input, message], { expect }) => {
    const folder = newFolder()
    for (const older of [undefined, 'older']) {
      const path = join(folder, 'out.parquet')
      if (older !== undefined) writeFileSync(path, older)
      const { code, stdout, stderr } = await runCli(['convert', input, '-o', path])
      expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(/^alida-arrow: [^\n]+\n$/)
      expect(stderr.trimEnd()).toMatch(message)
      expect(readdirSync(folder)).toEqual(older === undefined ? [] : ['out.parquet'])
      if (older !== undefined) expect(readFileSync(path, 'utf8')).toBe(older)
    }
  })

  test('--json says it as JSON, on standard error', async ({ expect }) => {
    const args = ['convert', invalid('datetime-invalid.json'), '-o', join(newFolder(), 'out.arrow'), '--json']
    const { code, stdout, stderr } = await runCli(args)
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '' })
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'ERR_VALUE',
        message: expect.any(String),
        record: expect.any(Number),
        ownerId: expect.any(String),
        fieldId: expect.any(String),
        fieldName: expect.any(String),
        byteOffset: expect.any(Number),
        input: invalid('datetime-invalid.json'),
      },
    })
  })

  test('inspect, too', async ({ expect }) => {
    const { code, stdout, stderr } = await runCli(['inspect', invalid('cut-in-text.json')])
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^alida-arrow: .*cut-in-text\.json: unexpected end of input [^\n]+\n$/)
  })

  test('a missing output folder is found before a silent input is read', async ({ expect }) => {
    const args = ['convert', '-', '-o', join(root, 'nowhere', 'out.parquet')]
    const { code, stderr } = await runCli(args, { isStdinOpen: true })
    expect(code).toBe(1)
    expect(stderr).toMatch(/no such folder: .*nowhere\n$/)
  })

  test.runIf(process.getuid?.() === 0)('without permission', async ({ expect }) => {
    const nobody = { uid: 65534, gid: 65534 }
    const folder = newFolder()
    const output = await runCli(['convert', '-', '-o', join(folder, 'out.arrow')], { ...nobody, isStdinOpen: true })
    expect(output).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^alida-arrow: cannot write .*no permission\n$/),
    })
    const path = join(folder, 'older.arrow')
    chmodSync(folder, 0o777)
    writeFileSync(path, 'older', { mode: 0o644 })
    const older = await runCli(['convert', '-', '-o', path], { ...nobody, isStdinOpen: true })
    expect(older).toMatchObject({ code: 1, stderr: expect.stringMatching(/no permission\n$/) })
    const secret = join(folder, 'secret.json')
    writeFileSync(secret, surveyJson(1), { mode: 0o600 })
    const input = await runCli(['convert', secret, '-o', join(folder, 'new.arrow')], nobody)
    expect(input).toMatchObject({ code: 1, stderr: `alida-arrow: no permission to read ${secret}\n` })
    expect(readdirSync(folder).sort()).toEqual(['older.arrow', 'secret.json'])
  })
})

test('an error takes one line, whatever the data holds', async ({ expect }) => {
  const id = 'f\n\u001b[1m\u202e'
  const document = {
    definition: { fields: [{ id, name: 'Q\r\n', type: { dataType: 'double' } }] },
    records: [{ ownerId: 'p\n\u009b2J', fields: [{ id, values: ['\u001b[31m\u007f'] }] }],
  }
  const args = ['convert', '-', '-o', join(newFolder(), 'out.arrow')]
  const { code, stderr } = await runCli(args, { stdin: Buffer.from(JSON.stringify(document)) })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^alida-arrow: standard input: expected a number, .*owner p\\u000a.*field f\\u000a.*\n$/)
  for (const control of ['\r', '\u001b', '\u007f', '\u009b', '\u202e']) expect(stderr).not.toContain(control)
  expect(stderr.indexOf('\n')).toBe(stderr.length - 1)
})

describe.concurrent('a signal', () => {
  const HALF = surveyJson(100).subarray(0, 5000)

  const partialsIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('partial'))

  async function untilWriting(folder: string): Promise<void> {
    while (partialsIn(folder).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  test.for([
    ['SIGINT', 130, 'parquet'],
    ['SIGTERM', 143, 'arrow'],
    ['SIGHUP', 143, 'arrows'],
  ] as const)('%s ends it with %i while standard input is silent', async ([signal, code, extension], { expect }) => {
    const folder = newFolder()
    const path = join(folder, `out.${extension}`)
    writeFileSync(path, 'older')
    const result = await runCli(['convert', '-', '-o', path], {
      stdin: HALF,
      isStdinOpen: true,
      watch: (child) => void untilWriting(folder).then(() => child.kill(signal)),
    })
    expect(result.code).toBe(code)
    expect(result.stderr).toMatch(/^(alida-arrow: interrupted[^\n]*\n)?$/)
    expect(readdirSync(folder)).toEqual([`out.${extension}`])
    expect(readFileSync(path, 'utf8')).toBe('older')
  })

  test('ends it while a named pipe is silent', async ({ expect }) => {
    const folder = newFolder()
    const pipe = join(newFolder(), 'pipe')
    execFileSync('mkfifo', [pipe])
    const writer = await open(pipe, 'r+')
    await writer.write(HALF)
    const result = await runCli(['convert', pipe, '-o', join(folder, 'out.parquet')], {
      watch: (child) => void untilWriting(folder).then(() => child.kill('SIGINT')),
    })
    await writer.close()
    expect(result.code).toBe(130)
    expect(readdirSync(folder)).toEqual([])
  })

  test('a second one ends it at once', async ({ expect }) => {
    const folder = newFolder()
    const result = await runCli(['convert', '-', '-o', join(folder, 'out.parquet')], {
      isStdinOpen: true,
      watch: (child) =>
        void untilWriting(folder).then(() => {
          child.kill('SIGINT')
          child.kill('SIGINT')
        }),
    })
    expect(result.code).toBe(130)
    expect(readdirSync(folder)).toEqual([])
  })

  test('after SIGKILL one temporary file is left, and the next run removes it', async ({ expect }) => {
    const folder = newFolder()
    const path = join(folder, 'out.parquet')
    await runCli(['convert', '-', '-o', path], {
      isStdinOpen: true,
      watch: (child) => void untilWriting(folder).then(() => child.kill('SIGKILL')),
    })
    expect(partialsIn(folder)).toHaveLength(1)
    expect(await runCli(['convert', SAMPLE_PATH, '-o', path, '-q'])).toMatchObject({ code: 0, stderr: '' })
    expect(readdirSync(folder)).toEqual(['out.parquet'])
  })
})

describe.concurrent('standard output that its reader closes', () => {
  test.for([
    ['convert', ['convert', '-', '-o', '-']],
    ['inspect', ['inspect', '-']],
  ] as const)('is no error to talk about: %s', async ([, args], { expect }) => {
    const { code, stderr } = await runCli(args, {
      stdin: surveyJson(3000),
      watch: (child) => child.stdout?.destroy(),
    })
    expect(stderr).toBe('')
    expect([0, 141]).toContain(code)
  })
})

describe.concurrent('inspect', () => {
  test('prints a line a question', async ({ expect }) => {
    const { code, stdout, stderr } = await runCli(['inspect', SAMPLE_PATH])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const text = stdout.toString()
    expect(text).toMatch(/^300 records, \d+ questions · exported .* · export [\w-]+\n\n/)
    expect(text).toMatch(/question +type +options +group +flags +answered +skipped +not asked/)
    for (const word of [
      'enum',
      'set',
      'double',
      'datetime',
      'identifier',
      'sensitive',
      'system',
      'hidden',
      '█',
      '▒',
      '·',
    ]) {
      expect(text).toContain(word)
    }
    const rows = text.split('\n').filter((line) => / (enum|set|double|datetime|string|identifier) /.test(line))
    expect(rows).toHaveLength(Number(/(\d+) questions/.exec(text)?.[1]))
    expect(text).toMatch(/warning: question ".*": \d+ answers with an option that is not in the definition/)
    expect(text).not.toContain('\u001b')
  })

  test('--json prints the same for machines', async ({ expect }) => {
    const { code, stdout } = await runCli(['inspect', '-', '--json'], { stdin: readFileSync(SAMPLE) })
    expect(code).toBe(0)
    const facts = JSON.parse(stdout.toString()) as { records: number; questions: { answered: number }[] }
    expect(facts.records).toBe(300)
    expect(facts.questions[0]).toEqual(
      expect.objectContaining({ column: expect.any(String), id: expect.any(String), flags: expect.any(Array) }),
    )
  })

  test('of an export without records and questions', async ({ expect }) => {
    const { code, stdout } = await runCli(['inspect', valid('zero-fields-zero-records.json')])
    expect(code).toBe(0)
    expect(stdout.toString()).toMatch(/^0 records, 0 questions/)
  })

  test('has colours when they are forced, and none with NO_COLOR or where it is no terminal', async ({ expect }) => {
    const forced = await runCli(['inspect', SAMPLE_PATH], { env: { FORCE_COLOR: '1' } })
    expect(forced.stdout.toString()).toContain('\u001b[')
    for (const env of [{ NO_COLOR: '1' }, { NO_COLOR: '1', FORCE_COLOR: '1' }, { CI: 'true' }]) {
      const { stdout } = await runCli(['inspect', SAMPLE_PATH], { env })
      expect(stdout.toString()).not.toContain('\u001b')
    }
  })

  test('lets no control characters from the export reach the terminal', async ({ expect }) => {
    const document = {
      definition: { fields: [{ id: 'f', name: 'Q\u001b[31m\u0007', type: { dataType: 'x\u009b2J' } }] },
      records: [{ ownerId: 'p', fields: [{ id: 'gone\u001b[1m', values: ['x'] }] }],
    }
    const { code, stdout, stderr } = await runCli(['inspect', '-'], { stdin: Buffer.from(JSON.stringify(document)) })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const control of ['\u0007', '\u001b', '\u009b']) expect(stdout.toString()).not.toContain(control)
  })
})

describe.concurrent('the machine', () => {
  test.for(['datetime-no-zone', 'datetimes-far'])(
    'has a time zone that changes nothing: %s',
    async (name, { expect }) => {
      const zones = ['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Chatham']
      const results = await Promise.all(
        zones.map((TZ) =>
          runCli(['convert', valid(`${name}.json`), '-o', '-', '-q', '--format', 'parquet'], { env: { TZ } }),
        ),
      )
      for (const { code, stdout } of results) {
        expect(code).toBe(0)
        expect(stdout.equals(results[0]?.stdout ?? Buffer.alloc(0))).toBe(true)
      }
    },
  )

  test('needs no more memory for 60 MB than the bound', async ({ expect }) => {
    const folder = newFolder()
    const input = join(folder, 'big.json')
    const [head, tail] = surveyJson(0).toString().split('"records":[]') as [string, string]
    const records = `${JSON.stringify(surveyRecords(2000)).slice(1, -1)},`
    const file = await open(input, 'w')
    await file.write(`${head}"records":[`)
    for (let bytes = 0; bytes < 60e6; bytes += Buffer.byteLength(records)) await file.write(records)
    await file.write(`${records.slice(0, -1)}]${tail}`)
    await file.close()
    const { code, stdout, stderr } = await runCli(['convert', input, '-o', join(folder, 'out.parquet'), '--json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const facts = JSON.parse(stdout.toString()) as { documentBytes: number; peakMemoryBytes: number; records: number }
    expect(facts.documentBytes).toBeGreaterThan(60e6)
    expect(facts.records % 2000).toBe(0)
    expect(facts.peakMemoryBytes).toBeLessThan(400e6)
    rmSync(folder, { recursive: true })
  })

  test('peak memory is the command’s own, whoever starts it', async ({ expect }) => {
    const ballast = Buffer.alloc(600e6, 1)
    const output = join(newFolder(), 'ballast.parquet')
    const { stdout } = await runCli(['convert', SAMPLE_PATH, '-o', output, '--json'])
    expect(ballast[0]).toBe(1)
    const { peakMemoryBytes } = JSON.parse(stdout.toString()) as { peakMemoryBytes: number }
    expect(peakMemoryBytes).toBeGreaterThan(20e6)
    expect(peakMemoryBytes).toBeLessThan(400e6)
  })
})
