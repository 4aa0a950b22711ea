import { createHmac } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type ReadOptions, readExport } from '../src/reader.ts'
import { encodeIpc } from '../src/sinks/ipc.ts'
import { writeStar } from '../src/star/star.ts'
import { runCli } from './cli.ts'
import { shapedRows, type Value } from './shape-model.ts'

const KEY = 'a key for tests'
const hash = (text: string) => createHmac('sha256', KEY).update(text).digest('hex')

const SECRET_OPTION = 'Very secret option'
const types: Record<string, unknown> = {
  text: { dataType: 'string' },
  choice: {
    dataType: 'enum',
    values: [
      { id: 'c1', name: SECRET_OPTION },
      { id: 'c2', name: 'Two' },
    ],
  },
  set: {
    dataType: 'set',
    values: [
      { id: 's2', name: 'S two' },
      { id: 's1', name: 'S one' },
    ],
  },
  number: { dataType: 'double' },
  time: { dataType: 'datetime' },
  open: { dataType: 'string' },
}
const fields = Object.entries(types).map(([name, type]) => ({
  id: `id-${name}`,
  name,
  type,
  isSensitive: name !== 'open',
}))
const answers = {
  text: ['näme@example.com'],
  choice: ['c1'],
  set: ['s2', 's1'],
  number: [12.5],
  time: ['1969-12-31T23:59:59.123456Z'],
  open: ['seen by all'],
}
const bytes = Buffer.from(
  JSON.stringify({
    definition: { fields, fieldGroups: [] },
    records: [
      { ownerId: 'owner-1', fields: Object.entries(answers).map(([name, values]) => ({ id: `id-${name}`, values })) },
      {
        ownerId: 'owner-2',
        fields: [
          { id: 'id-set', values: [] },
          { id: 'id-text', values: null },
        ],
      },
      {
        ownerId: 'owner-1',
        fields: [
          { id: 'id-set', values: ['s1', 's2'] },
          { id: 'id-choice', values: ['gone'] },
        ],
      },
    ],
  }),
)

async function columns(options: ReadOptions): Promise<Record<string, Value[]>> {
  const { names, rows } = await shapedRows(bytes, { hashKey: KEY, ...options })
  return Object.fromEntries(names.map((name, i) => [name, rows.map((row) => row[i] ?? null)]))
}

/** Everything that would reach the disk. */
async function outputOf(options: ReadOptions): Promise<string> {
  const written: Uint8Array[] = []
  const write = async (chunks: readonly Uint8Array[]) => void written.push(...chunks.map((chunk) => chunk.slice()))
  const output = { bytesWritten: 0, write, settle: async () => {}, commit: async () => {}, discard: async () => {} }
  await encodeIpc(await readExport(bytes, { hashKey: KEY, ...options }), output, 'arrows')
  return Buffer.concat(written).toString('latin1')
}

describe('sensitive questions', () => {
  test('hash: every type becomes the keyed hash of its value, nulls stay null', async () => {
    const found = await columns({ sensitive: 'hash' })
    expect(found.text).toEqual([hash('näme@example.com'), null, null])
    expect(found.choice).toEqual([hash('c1'), null, hash('gone')])
    expect(found.set).toEqual([hash('s1,s2'), hash(''), hash('s1,s2')])
    expect(found.number).toEqual([hash('12.5'), null, null])
    expect(found.time).toEqual([hash('1969-12-31T23:59:59.123456Z'), null, null])
    expect(found.open).toEqual(['seen by all', null, null])
    expect(found.skipped).toEqual([[], ['text'], []])
  })

  test('hash: it goes with every other shape', async () => {
    const wide = await columns({ sensitive: 'hash', sets: 'both', values: 'both', answerStates: 'columns' })
    expect(Object.keys(wide).filter((name) => name.startsWith('set'))).toEqual(['set', 'set__state'])
    expect(wide.set__state).toEqual(['answered', 'answered', 'answered'])
    const long = await columns({ sensitive: 'hash', hashOwner: true, layout: 'long' })
    expect(long.value_string).toContain(hash('s1,s2'))
    expect(long.option_id?.every((id) => id === null)).toBe(true)
    expect(new Set(long.ownerId)).toEqual(new Set([hash('owner-1'), hash('owner-2')]))
  })

  test.each<ReadOptions>([
    { sensitive: 'drop' },
    { sensitive: 'hash' },
    { sensitive: 'drop', answerStates: 'columns', sets: 'columns' },
    { sensitive: 'hash', layout: 'long' },
    { sensitive: 'drop', layout: 'long' },
  ])('nothing of them reaches the output: %o', async (options) => {
    const output = await outputOf(options)
    expect(await outputOf({})).toContain(SECRET_OPTION)
    for (const secret of ['example.com', SECRET_OPTION, 'S two', KEY]) expect(output).not.toContain(secret)
    if (options.sensitive === 'drop') for (const name of ['id-text', 'id-choice']) expect(output).not.toContain(name)
  })

  test('the policy is in the metadata, the key is not', async () => {
    const policyOf = async (options: ReadOptions) => {
      const { schema } = await readExport(bytes, { hashKey: KEY, ...options })
      return JSON.parse(schema.metadata.get('alida:privacy') ?? '')
    }
    expect(await policyOf({})).toEqual({ sensitive: 'keep', hashOwner: false })
    expect(await policyOf({ sensitive: 'drop' })).toEqual({ sensitive: 'drop', hashOwner: false })
    expect(await policyOf({ sensitive: 'hash', hashOwner: true })).toEqual({
      sensitive: 'hash',
      hashOwner: true,
      hash: 'HMAC-SHA-256',
    })
  })
})

describe('owners', () => {
  test('equal ids give equal hashes, in every export and with every shape', async () => {
    const [a, b] = [hash('owner-1'), hash('owner-2')]
    expect((await columns({ hashOwner: true })).ownerId).toEqual([a, b, a])
    expect((await columns({ hashOwner: true, fields: ['open'], groups: 'struct' })).ownerId).toEqual([a, b, a])
    expect((await columns({ hashOwner: true, hashKey: 'other' })).ownerId).not.toContain(a)
    expect(await outputOf({ hashOwner: true })).not.toContain('owner-1')
  })
})

describe('on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-privacy-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const convert = (args: string[], env: Record<string, string | undefined> = {}) =>
    runCli(['convert', '-', '-o', join(folder, 'o.parquet'), ...args], { stdin: bytes, env })

  test('a hash without its key is refused, and nothing is written', async () => {
    for (const args of [['--sensitive', 'hash'], ['--hash-owner']]) {
      const { code, stderr } = await convert(args, { ALIDA_HASH_KEY: undefined })
      expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 2, lines: 1 })
      expect(stderr).toContain('ALIDA_HASH_KEY')
      expect(readdirSync(folder)).toEqual([])
    }
  })

  test('convert and inspect warn of sensitive questions that are written as they are', async () => {
    expect((await convert([])).stderr).toContain(
      '5 sensitive questions are written as they are ("text", "choice", "set" and 2 more)',
    )
    expect((await convert(['--sensitive', 'drop'])).stderr).not.toContain('sensitive')
    expect((await convert(['--sensitive', 'hash'], { ALIDA_HASH_KEY: KEY })).stderr).not.toContain('sensitive')
    expect((await runCli(['inspect', '-'], { stdin: bytes })).stdout.toString()).toContain('5 sensitive questions')
  })

  test('the star layout keeps secrets, too', async () => {
    const star = join(folder, 'star')
    await writeStar(bytes, star, { sensitive: 'hash', hashOwner: true, hashKey: KEY, compression: 'none' })
    for (const name of readdirSync(star)) {
      const content = readFileSync(join(star, name), 'latin1')
      for (const secret of ['example.com', SECRET_OPTION, 'owner-1', KEY]) expect(content).not.toContain(secret)
    }
  })
})
