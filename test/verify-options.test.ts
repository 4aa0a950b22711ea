/** Every option that convert has, in every layout and format: verify takes the same and finds no difference. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type ConvertOptions, convertExport } from '../src/convert/convert.ts'
import { isExportError } from '../src/errors.ts'
import { SHAPE_WORDS } from '../src/shape/options.ts'
import { writeStar } from '../src/star/star.ts'
import { verifyOutput } from '../src/verify/compare.ts'
import { verifyStar } from '../src/verify/star.ts'
import { runCli } from './cli.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'alida-arrow-verify-options-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

/** The sample with a few records, a value that does not fit, and a field that nobody knows. */
function oddSample(): Buffer {
  const whole = JSON.parse(readFileSync('fixtures/sample-export.json', 'utf8')) as {
    definition: { fields: { id: string; type: { dataType: string } }[] }
    records: { fields: { id: string; values: unknown }[] }[]
  }
  const records = whole.records.slice(0, 40)
  const double = whole.definition.fields.find(({ type }) => type.dataType === 'double')
  for (const answer of records[3]?.fields ?? []) if (answer.id === double?.id) answer.values = ['many']
  records[5]?.fields.push({ id: 'nobody knows', values: [{ a: 1 }] })
  return Buffer.from(JSON.stringify({ ...whole, records }))
}

const SAMPLE = oddSample()
const source = async function* () {
  yield SAMPLE
}

/** What every conversion here needs, since one value does not fit. */
const NEEDED: ConvertOptions = { onInvalid: 'null', hashKey: 'a key' }

const { layout: layouts, ...words } = SHAPE_WORDS

const CHOICES: ConvertOptions[] = [
  ...Object.entries(words).flatMap(([option, values]) => values.map((value) => ({ [option]: value }))),
  { stripHtml: true },
  { hashOwner: true },
  { hidden: false },
  { system: false },
  { keepUnknown: true },
  { fields: ['Gender', '*a*'] },
  { exclude: ['Gender', '*b*'] },
  { batchSize: 7 },
  { rowGroupSize: 11 },
  { threads: 2 },
  { encodings: 'plain' },
  ...(['snappy', 'zstd', 'gzip', 'lz4', 'none'] as const).map((compression) => ({ compression })),
]

/** Converts and verifies, with the options and by what the output says; undefined when the options contradict each other. */
async function verified(options: ConvertOptions, layout: string, name: string) {
  const output = join(FOLDER, name)
  const { hashKey } = options
  try {
    if (layout === 'star') {
      // Options of a single file.
      const { rowGroupSize: _, threads: __, ...ofFolder } = options
      await writeStar(SAMPLE, output, ofFolder)
      return {
        told: await verifyStar({ source, output, options }),
        read: await verifyStar({ source, output, options: { hashKey } }),
      }
    }
    const shape = { ...options, layout: layout as 'wide' | 'long' }
    await convertExport(SAMPLE, output, shape)
    return {
      told: await verifyOutput({ source, output, options: shape }),
      read: await verifyOutput({ source, output, options: { hashKey } }),
    }
  } catch (error) {
    if (isExportError(error, 'ERR_OPTION') && error.message.includes('contradicts')) return undefined
    throw error
  } finally {
    rmSync(output, { recursive: true, force: true })
  }
}

describe.each([
  ['wide', 'o.parquet'],
  ['wide', 'o.arrow'],
  ['wide', 'o.arrows'],
  ['long', 'o.parquet'],
  ['long', 'o.arrow'],
  ['star', 'o'],
])('layout %s as %s', (layout, name) => {
  test.each(CHOICES)('%j', async (choice) => {
    const reports = await verified({ ...NEEDED, ...choice, onInvalid: 'null' }, layout, name)
    if (reports === undefined) {
      expect(layout).not.toBe('wide')
      return
    }
    expect(reports.told.differences).toEqual([])
    expect(reports.told.cells).toBeGreaterThan(40)
    expect(reports.read).toEqual(reports.told)
  })
})

describe('an option that is not the one of the file is all that is reported', () => {
  test.each<[ConvertOptions, ConvertOptions, string, string, string]>([
    [{}, { sets: 'columns' }, 'sets', '"columns"', '"list"'],
    [{ sets: 'columns' }, { sets: 'list' }, 'sets', '"list"', '"columns"'],
    [{ layout: 'long' }, { sets: 'columns' }, 'sets', '"columns"', '"list"'],
    [{ keepUnknown: true }, { keepUnknown: false }, 'keepUnknown', 'false', 'true'],
    [{}, { keepUnknown: true }, 'keepUnknown', 'true', 'false'],
    [{}, { onInvalid: 'error' }, 'onInvalid', '"error"', '"null"'],
    [{}, { fields: ['Gender'] }, 'fields', '["Gender"]', 'nothing'],
    [{ exclude: ['Gender'] }, { exclude: ['Gen*', 'Comment'] }, 'exclude', '["Gen*","Comment"]', '["Gender"]'],
    [{ system: false }, { system: true }, 'system', 'true', 'false'],
    [{ sensitive: 'hash' }, { sensitive: 'keep' }, 'sensitive', '"keep"', '"hash"'],
  ])('%j, %j', async (written, given, key, expected, found) => {
    const output = join(FOLDER, 'other.parquet')
    await convertExport(SAMPLE, output, { ...NEEDED, ...written })
    const { differences } = await verifyOutput({ source, output, options: given })
    expect(differences).toEqual([{ kind: 'option', key, expected, found }])
  })

  test('even if they name many questions, the command shows both', async () => {
    const { definition } = JSON.parse(SAMPLE.toString()) as { definition: { fields: { id: string }[] } }
    const ids = definition.fields.slice(0, 12).map(({ id }) => id)
    const output = join(FOLDER, 'many.parquet')
    await convertExport('fixtures/sample-export.json', output, { fields: ids })
    const given = ids.slice(1).join(',')
    const { code, stderr } = await runCli(['verify', 'fixtures/sample-export.json', output, '--fields', given])
    expect(code).toBe(1)
    expect(stderr).toMatch(/many\.parquet was written with --fields .*; verify was run with --fields /)
    const { differences } = await verifyOutput({ source, output, options: { fields: ids.slice(1) } })
    expect(JSON.parse(differences[0]?.found ?? '')).toEqual(ids)
  })

  test('but a selection may be said in other words', async () => {
    const output = join(FOLDER, 'words.parquet')
    await convertExport(SAMPLE, output, { ...NEEDED, fields: ['Gender', 'Comment'], exclude: [] })
    const { differences, cells } = await verifyOutput({ source, output, options: { fields: ['Comm*', 'gend*'] } })
    expect(differences).toEqual([])
    expect(cells).toBeGreaterThan(40)
  })

  test('a file with hashes needs their key', async () => {
    const output = join(FOLDER, 'hashed.parquet')
    await convertExport(SAMPLE, output, { ...NEEDED, hashOwner: true })
    await expect(verifyOutput({ source, output })).rejects.toMatchObject({ code: 'ERR_OPTION' })
  })
})

test('a file names no question that it hides, not even in the words that chose its questions', async () => {
  const { definition } = JSON.parse(SAMPLE.toString()) as {
    definition: { fields: { name: string; isSensitive?: boolean }[] }
  }
  const { name = '' } = definition.fields.find(({ isSensitive }) => isSensitive === true) ?? {}
  expect(name).not.toBe('')
  const output = join(FOLDER, 'private.parquet')
  await convertExport(SAMPLE, output, { ...NEEDED, sensitive: 'drop', exclude: [name, 'Gender'] })
  expect(readFileSync(output).includes(name)).toBe(false)
  expect((await verifyOutput({ source, output })).differences).toEqual([])
})

test('all layouts were tried', () => {
  expect(layouts).toEqual(['wide', 'long'])
})

/** Options of a command as its help lists them. */
async function optionsOf(command: string): Promise<string[]> {
  const { stdout } = await runCli([command, '--help'])
  return stdout
    .toString()
    .split('\n')
    .flatMap((line) => /^ {2}(?:-\w, )?(--[\w-]+)/.exec(line)?.[1] ?? [])
}

test('verify has every option of convert that changes what a table holds', async () => {
  const about = new Set(await optionsOf('verify'))
  const missing = (await optionsOf('convert')).filter((option) => !about.has(option))
  const ofTheFileAlone = ['--output', '--format', '--batch-size', '--row-group-size', '--threads']
  ofTheFileAlone.push('--compression', '--encodings')
  expect(missing.sort()).toEqual([...ofTheFileAlone, '--verify'].sort())
  expect(about.size).toBeGreaterThan(20)
})

test('convert --verify refuses standard input before it writes anything', async () => {
  const output = join(FOLDER, 'unverified.parquet')
  const { code } = await runCli(['convert', '-', '-o', output, '--verify'], { stdin: SAMPLE })
  expect({ code, isThere: existsSync(output) }).toEqual({ code: 2, isThere: false })
})
