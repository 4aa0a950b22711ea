/** Names that mean something to JavaScript or to a file system are names like any other. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCodebook } from '../src/codebook/codebook.ts'
import { type CodebookFormat, writeCodebook } from '../src/codebook/write-codebook.ts'
import { convertExport } from '../src/convert/convert.ts'
import { readExport } from '../src/reader.ts'
import type { ShapeOptions } from '../src/shape/options.ts'
import { writeStar } from '../src/star/star.ts'
import { verifyOutput } from '../src/verify/compare.ts'
import { runCli } from './cli.ts'

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'length',
  'then',
  '../../escaped',
  '/etc/escaped',
  'C:\\escaped',
  '~/escaped',
  '..',
  '.',
  'nul\u0000byte',
  'CON',
]

/** `key` and its value as JSON; in an object literal `__proto__` would not be a member. */
function member(key: string, value: unknown): string {
  return `${JSON.stringify(key)}:${JSON.stringify(value)}`
}

const TYPES = ['enum', 'set', 'string', 'double', 'strange']

/** Every name as a question of each type, an option, a group, an owner, a text, and a key nobody asked for. */
function hostileExport(): string {
  const values = NAMES.map((name) => ({ id: name, name }))
  const fields = NAMES.map((name, i) => ({ id: name, name, type: { dataType: TYPES[i % TYPES.length], values } }))
  const fieldGroups = NAMES.map((name) => ({ id: name, name, fieldIds: [name] }))
  const strange = NAMES.map((name) => member(name, { deep: [name] })).join()
  const records = NAMES.map((owner) => {
    const answers = NAMES.map((id, i) => {
      const type = TYPES[i % TYPES.length]
      const value = type === 'double' ? 1 : owner
      const text = type === 'strange' ? `[{${strange}}]` : JSON.stringify(type === 'set' ? [owner, id] : [value])
      return `{"id":${JSON.stringify(id)},"values":${text},${strange}}`
    })
    return `{"ownerId":${JSON.stringify(owner)},"lastUpdateDate":"2026-01-01T00:00:00Z","fields":[${answers.join()}],${strange}}`
  })
  const definition = `{"fields":${JSON.stringify(fields)},"fieldGroups":${JSON.stringify(fieldGroups)},${strange}}`
  return `{${strange},"exportOptions":{${strange}},"definition":${definition},"records":[${records.join()}]}`
}

const FOLDER = mkdtempSync(join(tmpdir(), 'alida-arrow-names-'))
const INPUT = join(FOLDER, 'export.json')
const OUTPUTS = join(FOLDER, 'a', 'b', 'c')

beforeAll(() => {
  writeFileSync(INPUT, hostileExport())
  mkdirSync(OUTPUTS, { recursive: true })
})
afterAll(() => rmSync(FOLDER, { recursive: true }))

/** Files under the test's folder, but for the input: what an escaped path would have made is among them. */
function filesMade(): string[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((path) => path !== 'export.json' && !['a', 'a/b', 'a/b/c'].includes(path))
    .map((path) => path.replace(/^a\/b\/c\//, ''))
    .sort()
}

const SHAPES: ShapeOptions[] = [
  {},
  { answerStates: 'columns', sets: 'both', values: 'both' },
  { sets: 'columns', groups: 'struct' },
  { names: 'id', values: 'id' },
  { names: 'description' },
  { names: 'snake', sets: 'columns' },
  { layout: 'long' },
  { sensitive: 'hash', hashOwner: true, hashKey: 'key' },
  { fields: ['__proto__', 'constructor', 'toString'] },
  { exclude: ['__proto__'] },
]

describe.each(['parquet', 'arrow', 'arrows'] as const)('.%s', (format) => {
  test.each(SHAPES)('holds what the export says, shaped by %j', async (shape) => {
    const output = join(OUTPUTS, `table.${format}`)
    const { summary } = await convertExport(INPUT, output, shape)
    expect(summary.records).toBe(NAMES.length)
    const { differences, cells } = await verifyOutput({ source: INPUT, output, options: shape })
    expect(differences).toEqual([])
    expect(cells).toBeGreaterThan(0)
    expect(filesMade()).toEqual([`table.${format}`])
    rmSync(output)
  })
})

test('columns and labels have these names', async () => {
  const reader = await readExport(INPUT)
  expect(reader.schema.names.slice(2, -1)).toEqual(NAMES)
  expect(reader.columns[2]?.labels).toEqual(NAMES)
  for await (const batch of reader) {
    for (const [i, name] of NAMES.entries()) expect(batch.getChild('__proto__')?.get(i)).toBe(name)
  }
})

test('the star layout has its five files and no others', async () => {
  const folder = join(OUTPUTS, 'star')
  await writeStar(INPUT, folder)
  const names = ['answers', 'fields', 'groups', 'options', 'responses'].map((name) => `star/${name}.parquet`)
  expect(filesMade()).toEqual(['star', ...names])
  const codebook = await readCodebook(folder)
  expect(codebook.questions.map(({ name }) => name)).toEqual(NAMES)
  rmSync(folder, { recursive: true })
})

describe('a codebook', () => {
  test.each(['csv', 'json', 'md', 'parquet', 'frictionless'] as CodebookFormat[])('as %s', async (format) => {
    const codebook = await readCodebook(INPUT)
    expect(codebook.questions.map(({ name }) => name)).toEqual(NAMES)
    const first = codebook.questions[0]
    expect(first?.options.map(({ name, count }) => [name, count])).toEqual(NAMES.map((name) => [name, 1]))
    const output = join(OUTPUTS, `codebook.${format}`)
    await writeCodebook(codebook, output, format)
    expect(filesMade()).toEqual([`codebook.${format}`])
    if (format === 'json' || format === 'frictionless') {
      const text = readFileSync(output, 'utf8')
      for (const name of NAMES) expect(text).toContain(JSON.stringify(name))
      expect(() => JSON.parse(text)).not.toThrow()
    }
    rmSync(output)
  })
})

describe('JSON on standard output', () => {
  test('of inspect has all questions, options and the export’s own options', async () => {
    const { code, stdout } = await runCli(['inspect', INPUT, '--json'])
    expect(code).toBe(0)
    const { questions, exportOptions } = JSON.parse(stdout.toString()) as {
      questions: { name: string; options: { id: string }[] }[]
      exportOptions: object
    }
    expect(questions.map(({ name }) => name)).toEqual(NAMES)
    expect(questions[0]?.options.map(({ id }) => id)).toEqual(NAMES)
    expect(Object.keys(exportOptions)).toEqual(NAMES)
  })

  test('of convert and of errors', async () => {
    const output = join(OUTPUTS, 'table.parquet')
    const { stdout } = await runCli(['convert', INPUT, '-o', output, '--json', '--verify'])
    const { questions } = JSON.parse(stdout.toString()) as { questions: { name: string; answered: number }[] }
    expect(questions.map(({ name, answered }) => [name, answered])).toEqual(NAMES.map((name) => [name, NAMES.length]))
    expect(filesMade()).toEqual(['table.parquet'])
    const { code, stderr } = await runCli(['convert', INPUT, '-o', output, '--fields', 'missing', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ERR_OPTION' } })
    rmSync(output)
  })
})

test('nothing gets another prototype, or a member that all objects have', () => {
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(({} as { deep?: unknown }).deep).toBeUndefined()
})
