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
