/** What the command says where a person is likely to be wrong: which file, what to do, in the words that were typed. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, test } from 'vitest'
import { runCli } from './cli.ts'
import { SAMPLE } from './fixture-cases.ts'

const SAMPLE_PATH = fileURLToPath(SAMPLE)
const invalid = (name: string) => fileURLToPath(new URL(`../fixtures/invalid/${name}`, import.meta.url))

const root = mkdtempSync(join(tmpdir(), 'alida-arrow-messages-'))
afterAll(() => rmSync(root, { recursive: true }))
const newFolder = () => mkdtempSync(join(root, 'x'))

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
