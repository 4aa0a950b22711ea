/** Input made to exhaust memory, time or stack: each is refused early, by both readers, and says which limit to raise. */

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, deflateRawSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { unpackGzip } from '../src/api/gunzip.ts'
import { convertWith } from '../src/convert/convert.ts'
import { isExportError } from '../src/errors.ts'
import { DEFAULT_LIMITS, type InputLimits, LIMIT_NAMES } from '../src/limits.ts'
import { type ReadOptions, readExport } from '../src/reader.ts'
import type { ShapeOptions } from '../src/shape/options.ts'
import { openReference } from '../src/verify/reference-reader.ts'
import { runCli } from './cli.ts'
import { readAll, refusalOf } from './reading.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'alida-arrow-hostile-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const MEBIBYTE = 2 ** 20

/** Chunks of a document, and how many of them were asked for. */
class Chunks {
  taken = 0
  readonly #chunks: () => Iterable<Uint8Array>

  constructor(chunks: () => Iterable<Uint8Array>) {
    this.#chunks = chunks
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (const chunk of this.#chunks()) {
      this.taken++
      yield chunk
    }
  }
}

/** `start`, then the filling as often as is needed for so many bytes, then `end`. */
function* long(start: string, filling: string, byteLength: number, end = ''): Generator<Uint8Array> {
  yield Buffer.from(start)
  const chunk = Buffer.from(filling.repeat(Math.ceil(MEBIBYTE / filling.length)))
  for (let sent = 0; sent < byteLength; sent += chunk.length) yield chunk
  yield Buffer.from(end)
}

async function mainRefusal(source: AsyncIterable<Uint8Array>, options: ReadOptions = {}): Promise<unknown> {
  try {
    for await (const _ of await readExport(source, options));
  } catch (error) {
    return error
  }
  return undefined
}

async function referenceRefusal(
  source: AsyncIterable<Uint8Array>,
  options: ShapeOptions & InputLimits = {},
): Promise<unknown> {
  try {
    const reader = await openReference(() => source, options)
    for await (const _ of reader.rows());
  } catch (error) {
    return error
  }
  return undefined
}

const READERS = [
  ['readExport', mainRefusal],
  ['the reference reader', referenceRefusal],
] as const

function raises(name: keyof InputLimits) {
  return { code: 'ERR_LIMIT', message: expect.stringMatching(new RegExp(`raise ${name}( \\(|$)`)) }
}

const DEFINITION = '{"fields":[{"id":"f","name":"F","type":{"dataType":"string"}}]}'

describe.each(READERS)('%s', (_, refusalBy) => {
  describe('refuses a text of 1 GiB after some of it', () => {
    test.each([
      ['an answer', `{"definition":${DEFINITION},"records":[{"fields":[{"id":"f","values":["`, 'maxRecordBytes'],
      ['an owner', `{"definition":${DEFINITION},"records":[{"ownerId":"`, 'maxRecordBytes'],
      ['a key of a record', `{"definition":${DEFINITION},"records":[{"`, 'maxRecordBytes'],
      ['a question', '{"definition":{"fields":[{"id":"f","name":"', 'maxDefinitionBytes'],
      ['a key of the definition', '{"definition":{"', 'maxDefinitionBytes'],
      ['a key of the document', '{"', 'maxDefinitionBytes'],
      ['a member that means nothing', '{"note":"', 'maxDefinitionBytes'],
    ] as const)('as %s', async (_, start, name) => {
      const limit = 4 * MEBIBYTE
      const chunks = new Chunks(() => long(start, 'x', 1024 * MEBIBYTE))
      expect(await refusalBy(chunks, { maxRecordBytes: limit, maxDefinitionBytes: limit })).toMatchObject(raises(name))
      expect(chunks.taken).toBeLessThan(20)
    })

    test('by default', async () => {
      const start = `{"definition":${DEFINITION},"records":[{"fields":[{"id":"f","values":["`
      const chunks = new Chunks(() => long(start, 'x', 1024 * MEBIBYTE))
      expect(await refusalBy(chunks)).toMatchObject(raises('maxRecordBytes'))
      expect(chunks.taken).toBeLessThan(260)
    })
  })

  test.each(['[', '{"a":', '[{"a":'])('refuses 200,000 levels of %s wherever they stand', async (open) => {
    const deep = open.repeat(200_000)
    for (const start of [
      `{"note":${deep}`,
      `{"definition":${deep}`,
      `{"exportOptions":${deep}`,
      `{"definition":${DEFINITION},"records":[${deep}`,
      `{"definition":${DEFINITION},"records":[{"note":${deep}`,
      `{"definition":${DEFINITION},"records":[{"fields":[{"id":"f","values":${deep}`,
    ]) {
      expect(await refusalBy(new Chunks(() => [Buffer.from(start)]))).toMatchObject(raises('maxNesting'))
    }
  })

  test('refuses 1,000,000 options, in one question or in many', async () => {
    const options = (count: number) => Array.from({ length: count }, (_, i) => `{"id":"o${i}"}`).join()
    const question = (id: number, count: number) =>
      `{"id":"${id}","type":{"dataType":"enum","values":[${options(count)}]}}`
    for (const fields of [question(1, 1e6), Array.from({ length: 1000 }, (_, i) => question(i, 1000)).join()]) {
      const bytes = Buffer.from(`{"definition":{"fields":[${fields}]},"records":[]}`)
      expect(await refusalBy(new Chunks(() => [bytes]))).toMatchObject(raises('maxOptions'))
    }
  })

  test.each(['[],', '{},', '{"a":[]},'])('refuses a definition of nothing but %s', async (filling) => {
    const chunks = new Chunks(() => long('{"definition":{"x":[', filling, 6 * MEBIBYTE, '1]},"records":[]}'))
    expect(await refusalBy(chunks)).toMatchObject(raises('maxOptions'))
  })

  test('refuses too many columns, those of a shape included', async () => {
    const values = '[{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"}]'
    const set = (id: string) => `{"id":"${id}","name":"${id}","type":{"dataType":"set","values":${values}}}`
    const bytes = Buffer.from(`{"definition":{"fields":[${set('p')},${set('q')}]},"records":[]}`)
    const chunks = () => new Chunks(() => [bytes])
    expect(await refusalBy(chunks(), { maxColumns: 5 })).toBeUndefined()
    expect(await refusalBy(chunks(), { maxColumns: 4 })).toMatchObject(raises('maxColumns'))
    expect(await refusalBy(chunks(), { maxColumns: 12, sets: 'columns' })).toBeUndefined()
    expect(await refusalBy(chunks(), { maxColumns: 11, sets: 'columns' })).toMatchObject(raises('maxColumns'))
  })

  test('refuses a bomb of 20 kB that gzip inside gzip makes 3 GiB', async () => {
    const bomb = gzipBomb(3072)
    expect(bomb.length).toBeLessThan(20_000)
    expect(await refusalBy(new Chunks(() => [bomb]))).toMatchObject(raises('maxGzipRatio'))
  })

  test('reads gzip of any ratio up to 64 MiB, and of a higher ratio when it may', async () => {
    const document = (mebibytes: number) =>
      gzipSync(Buffer.concat([...long('{"definition":{},"records":[', DULL_RECORD, mebibytes * MEBIBYTE, '{}]}')]))
    expect(await refusalBy(new Chunks(() => [document(60)]))).toBeUndefined()
    const larger = document(70)
    expect(await refusalBy(new Chunks(() => [larger]))).toMatchObject(raises('maxGzipRatio'))
    expect(await refusalBy(new Chunks(() => [larger]), { maxGzipRatio: 1100 })).toBeUndefined()
  })
})

/** A record of 32 KiB that gzip makes a thousandth. */
const DULL_RECORD = `{"note":"${'x'.repeat(32_000)}"},`

/** gzip of gzip of as many MiB of such records: blocks that stand for themselves are repeated. */
function gzipBomb(mebibytes: number): Uint8Array {
  const header = gzipSync('').subarray(0, 10)
  const start = deflateRawSync('{"definition":{},"records":[', { finishFlush: constants.Z_FULL_FLUSH })
  const block = deflateRawSync(DULL_RECORD.repeat(Math.ceil(MEBIBYTE / DULL_RECORD.length)), {
    finishFlush: constants.Z_FULL_FLUSH,
  })
  return gzipSync(Buffer.concat([header, start, ...Array<Uint8Array>(mebibytes).fill(block)]), { level: 9 })
}

describe('a gzip bomb', () => {
  test('leaves no output, whether it is a file or a stream, on one thread or two', async () => {
    const path = join(FOLDER, 'bomb.json.gz')
    writeFileSync(path, gzipBomb(256))
    const output = join(FOLDER, 'bomb.parquet')
    for (const source of [path, new Chunks(() => [gzipBomb(256)])]) {
      for (const threads of [1, 2]) {
        const conversion = convertWith(source, output, { threads }, { minStreamBytes: 1000 })
        await expect(conversion).rejects.toMatchObject(raises('maxGzipRatio'))
      }
    }
    expect(readdirSync(FOLDER)).toEqual(['bomb.json.gz'])
  })

  test('is refused in a download', async () => {
    const download = async (limits: InputLimits) => {
      let bytes = 0
      for await (const chunk of unpackGzip(new Chunks(() => [gzipBomb(100)]), limits)) bytes += chunk.length
      return bytes
    }
    await expect(download({})).rejects.toMatchObject(raises('maxGzipRatio'))
    // The bomb has no end: where the ratio is allowed, that is what is wrong.
    await expect(download({ maxGzipRatio: 1e6 })).rejects.toMatchObject({ code: 'ERR_GZIP' })
  })
})

describe('a key that is too long is refused, wherever it stands', () => {
  const key = `"${'k'.repeat(3000)}":1`
  test.each([
    ['the document', `{${key},"definition":${DEFINITION},"records":[]}`],
    ['the definition', `{"definition":{${key},"fields":[]},"records":[]}`],
    ['a record', `{"definition":${DEFINITION},"records":[{${key}}]}`],
    ['an answer', `{"definition":${DEFINITION},"records":[{"fields":[{"id":"f",${key}}]}]}`],
    ['a value', `{"definition":${DEFINITION},"records":[{"fields":[{"id":"gone","values":[{${key}}]}]}]}`],
  ])('%s', async (_, json) => {
    const bytes = Buffer.from(json)
    expect(await refusalOf(bytes, { maxKeyBytes: 1000 }, { windowBytes: [64, 1024] })).toMatchObject({
      ...raises('maxKeyBytes'),
      byteOffset: bytes.indexOf(key),
    })
    if (!json.includes('"values":[{')) await readAll(bytes)
  })
})

test('deeper nesting is read when it may', async () => {
  const deep = '['.repeat(1900) + ']'.repeat(1900)
  const bytes = Buffer.from(`{"x":${deep},"definition":${DEFINITION},"records":[{"x":${deep}}]}`)
  const options = { maxNesting: 2000 }
  expect(await mainRefusal(new Chunks(() => [bytes]), options)).toBeUndefined()
  expect(await referenceRefusal(new Chunks(() => [bytes]), options)).toBeUndefined()
  expect(await refusalOf(bytes)).toMatchObject(raises('maxNesting'))
})

test('100,000 options in one question are none too many', async () => {
  const values = Array.from({ length: 100_000 }, (_, i) => ({ id: `option ${i}`, name: `Option ${i}` }))
  const definition = { fields: [{ id: 'f', name: 'F', type: { dataType: 'enum', values } }] }
  const records = [{ ownerId: '1', fields: [{ id: 'f', values: ['option 99999'] }] }]
  const reader = await readExport(Buffer.from(JSON.stringify({ definition, records })))
  for await (const batch of reader) expect(batch.getChildAt(2)?.get(0)).toBe('Option 99999')
})

test('what is not in the definition takes no memory without end', async () => {
  const answers = (from: number) => Array.from({ length: 5000 }, (_, i) => `{"id":"x${from + i}","values":null}`)
  const record = (from: number) => `{"fields":[${answers(from).join()}]}`
  const records = [0, 5000, 10_000, 15_000].map(record).join()
  const reader = await readExport(Buffer.from(`{"definition":${DEFINITION},"records":[${records}]}`))
  for await (const _ of reader);
  const unknown = reader.warnings.filter(({ kind }) => kind === 'unknown-field')
  expect(unknown).toHaveLength(10_001 - 2)
  expect(unknown.reduce((sum, { count }) => sum + count, 0)).toBe(20_000)
  expect(unknown.at(-1)?.message).toMatch(/^more than 10000 fields are not in the definition; 10002 answers to further/)

  const long = 'y'.repeat(10_000_000)
  const options = [1, 2].map((i) => `{"fields":[{"id":"f","values":["${long}${i}"]}]}`)
  const definition = DEFINITION.replace('string', 'enum')
  const bytes = Buffer.from(`{"definition":${definition},"records":[${options.join()}]}`)
  expect(await mainRefusal(new Chunks(() => [bytes]))).toMatchObject({ code: 'ERR_DICTIONARY_FULL', record: 2 })
})

describe('limits', () => {
  test.each(LIMIT_NAMES)('%s must be a whole number above 0', async (name) => {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const error = await readExport(Buffer.from('{}'), { [name]: value }).catch((thrown: unknown) => thrown)
      expect(isExportError(error, 'ERR_OPTION')).toBe(true)
    }
    expect(DEFAULT_LIMITS[name]).toBeGreaterThan(0)
  })

  test.each([
    ['convert', '--max-columns', '3', 'maxColumns'],
    ['inspect', '--max-columns', '3', 'maxColumns'],
    ['codebook', '--max-options', '2', 'maxOptions'],
    ['convert', '--max-record-bytes', '1kB', 'maxRecordBytes'],
    ['convert', '--max-definition-bytes', '1kB', 'maxDefinitionBytes'],
    ['convert', '--max-key-bytes', '5', 'maxKeyBytes'],
    ['inspect', '--max-nesting', '1', 'maxNesting'],
  ] as const)('of the command line: %s %s %s', async (command, flag, value, name) => {
    const output = join(FOLDER, command === 'codebook' ? 'limited.csv' : 'limited.parquet')
    const target = command === 'inspect' ? [] : ['-o', output]
    const input = join(FOLDER, 'wide.json')
    const definition = DEFINITION.replace('"fields"', `"note":"${'n'.repeat(2 * MEBIBYTE)}","fields"`).replace(
      'string"',
      'enum","values":[{"id":"a"},{"id":"b"},{"id":"c"}]',
    )
    const record = `{"ownerId":"1","note":"${'n'.repeat(2 * MEBIBYTE)}","fields":[{"id":"f","values":[["a"]]}]}`
    const whole = command === 'convert' && name === 'maxRecordBytes' ? DEFINITION : definition
    writeFileSync(input, `{"definition":${whole},"records":[${record}]}`)
    const { code, stderr } = await runCli([command, input, ...target, flag, value])
    expect(stderr).toContain(`raise ${flag}`)
    expect(code).toBe(1)
    expect(existsSync(output)).toBe(false)
  })

  test('that cannot be are exit code 2', async () => {
    for (const args of [
      ['--max-record-bytes', '2GB'],
      ['--max-definition-bytes', '2GB'],
      ['--max-nesting', '5000'],
      ['--max-columns', 'many'],
    ]) {
      const { code } = await runCli(['inspect', 'fixtures/sample-export.json', ...args])
      expect(code).toBe(2)
    }
  })
})
