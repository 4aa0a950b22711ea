import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ExportClient } from '../src/api/client.ts'
import { readCodebook } from '../src/codebook/codebook.ts'
import { convertExport } from '../src/convert/convert.ts'
import { readExport } from '../src/reader.ts'
import { writeIpc } from '../src/sinks/ipc.ts'
import { writeParquet } from '../src/sinks/parquet.ts'
import { writeStar } from '../src/star/star.ts'
import { surveyJson } from './survey.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

const source = () => surveyJson(3)

const WAYS: [string, (options: object) => Promise<unknown>][] = [
  ['convertExport', (options) => convertExport(source(), join(folder, 'out.parquet'), options)],
  ['writeParquet', async (options) => writeParquet(await readExport(source()), join(folder, 'out.parquet'), options)],
  ['writeStar', (options) => writeStar(source(), join(folder, 'star'), options)],
]

/** A program in JavaScript may say these; Parquet files with them could be read by nobody. */
const WRONG: [object, string][] = [
  [{ compression: 'ZSTD' }, 'compression: expected none, snappy, gzip, zstd, lz4, found "ZSTD"'],
  [{ compression: 'toString' }, 'compression: expected none, snappy, gzip, zstd, lz4, found "toString"'],
  [{ compression: null }, 'compression: expected none, snappy, gzip, zstd, lz4, found null'],
  [{ encodings: 'rle' }, 'encodings: expected delta, plain, found "rle"'],
]

test.for(WAYS.flatMap(([way, run]) => WRONG.map(([options, message]) => ({ way, run, options, message }))))(
  '$way refuses $options',
  async ({ run, options, message }) => {
    await expect(run(options)).rejects.toMatchObject({ code: 'ERR_OPTION', message })
    expect(readdirSync(folder)).toEqual([])
  },
)

test.for([0, -1, 1.5, Number.NaN, '7'])('a row group of %j rows is refused', async (rowGroupSize) => {
  const options = { rowGroupSize } as object
  for (const run of [WAYS[0]![1], WAYS[1]![1]]) {
    await expect(run(options)).rejects.toMatchObject({ code: 'ERR_OPTION', message: /^rowGroupSize: / })
  }
})

test('formats and threads that are none are refused', async () => {
  const path = join(folder, 'out')
  const convert = (options: object) => convertExport(source(), path, options)
  await expect(convert({ format: 'csv' })).rejects.toThrow('format: expected parquet, arrow, arrows, found "csv"')
  await expect(convert({ format: 'arrow', threads: 0 })).rejects.toThrow('threads: expected a whole number above 0')
  const ipc = readExport(source()).then((reader) => writeIpc(reader, path, { format: 'parquet' } as object))
  await expect(ipc).rejects.toThrow('format: expected arrow, arrows, found "parquet"')
  expect(readdirSync(folder)).toEqual([])
})

describe('options that are not known', () => {
  test.for<[string, (options: object) => unknown]>([
    ['readExport', (options) => readExport(source(), options)],
    ['readCodebook', (options) => readCodebook(source(), options)],
    ...WAYS,
    ['writeIpc', async (options) => writeIpc(await readExport(source()), join(folder, 'out'), options)],
    ['ExportClient', (options) => new ExportClient({ community: 'c', region: 'na1', token: 't', ...options })],
    ['its retry', (retry) => new ExportClient({ community: 'c', region: 'na1', token: 't', retry })],
    ['createExport', (options) => client().createExport('a', options)],
    ['waitForExport', (options) => client().waitForExport('b', options)],
    ['download', (options) => client().download('b', options)],
  ])('are refused by %s', async ([, run]) => {
    await expect((async () => run({ feilds: ['Q'] }))()).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringMatching(/^unknown option "feilds"/),
    })
    expect(readdirSync(folder)).toEqual([])
  })

  const client = () => new ExportClient({ community: 'c', region: 'na1', token: 't' })

  test('get the nearest name', async () => {
    await expect(readExport(source(), { sensitiv: 'drop' } as object)).rejects.toThrow(
      'unknown option "sensitiv"; the nearest is "sensitive"',
    )
    await expect(readExport(source(), { feilds: [] } as object)).rejects.toThrow('"fields"')
    await expect(readExport(source(), { xylophone: 1 } as object)).rejects.toThrow(/^unknown option "xylophone"$/)
  })

  test('are refused where they would be dropped: inherited from another object', async () => {
    const inherited = Object.create({ sensitive: 'drop' }) as object
    await expect(readExport(source(), inherited)).rejects.toThrow(
      'options: expected a plain object, found one that inherits from another',
    )
    const plain = Object.assign(Object.create(null) as object, { batchSize: 1 })
    await (await readExport(source(), plain)).close()
  })

  test('do no harm where their value is undefined', async () => {
    const reader = await readExport(source(), { layouts: undefined } as object)
    await reader.close()
    expect(reader.schema.fields.length).toBeGreaterThan(0)
  })

  test('are those of a method on the way to every object', async () => {
    await expect(readExport(source(), { constructor: 1 } as object)).rejects.toThrow('unknown option "constructor"')
    await expect(readExport(source(), [] as object)).rejects.toThrow('options: expected an object, found an array')
    await expect(readExport(source(), null as unknown as object)).rejects.toThrow('found null')
  })
})

test.for<[object, string]>([
  [{ fields: 'AgeGroup' }, 'fields: expected an array of texts, found "AgeGroup"'],
  [{ exclude: [7] }, 'exclude: expected an array of texts, found 7'],
  [{ fields: null }, 'fields: expected an array of texts, found null'],
  [{ hashOwner: 'yes' }, 'hashOwner: expected true or false, found a text'],
  [{ system: 0 }, 'system: expected true or false, found 0'],
  [{ hashOwner: true, hashKey: 7 }, 'hashKey: expected a text, found a number'],
  [{ layout: 'star' }, 'layout: expected wide, long (writeStar writes the star layout), found "star"'],
  [{ maxNesting: '10' }, 'maxNesting: expected a whole number from 1 to 2000, found "10"'],
  [{ onReject: 'log' }, 'onReject: expected a function, found "log"'],
  [{ signal: {} }, 'signal: expected an AbortSignal, found an object'],
])('readExport and convertExport refuse %j', async ([options, message]) => {
  await expect(readExport(source(), options)).rejects.toMatchObject({ code: 'ERR_OPTION', message })
  const target = join(folder, 'out.parquet')
  await expect(convertExport(source(), target, options)).rejects.toMatchObject({ code: 'ERR_OPTION', message })
  expect(readdirSync(folder)).toEqual([])
})

test.for([-1, Number.NaN, '10', null])('a deadline of %j is refused', async (deadlineMs) => {
  const client = new ExportClient({ community: 'c', region: 'na1', token: 't' })
  await expect(client.getExportStatus('b', { deadlineMs } as object)).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringMatching(/^deadlineMs: expected a number of milliseconds from 0 on, found /),
  })
})

test('a secret in the wrong place is not shown', async () => {
  expect(() => new ExportClient('secret-word' as never)).toThrow('options: expected an object, found a string')
  const url = new URL('https://user:secret-word@example.com/out?sig=secret-word')
  const failed = await convertExport(source(), url).catch(String)
  expect(failed).toContain('cannot tell the format of /out')
  expect(failed).not.toContain('secret-word')
})

test('a target or source that is none is refused', async () => {
  const none = undefined as unknown as string
  const expected = {
    code: 'ERR_OPTION',
    message: 'target: expected a path, a file: URL, or a Node stream, found undefined',
  }
  await expect(convertExport(source(), none)).rejects.toMatchObject(expected)
  await expect(readExport(source()).then((reader) => writeIpc(reader, none))).rejects.toMatchObject(expected)
  await expect(writeStar(source(), none)).rejects.toMatchObject({ message: 'folder: expected a path, found undefined' })
  await expect(readExport(none)).rejects.toMatchObject({ code: 'ERR_OPTION', message: /^source: expected a path/ })
  const url = new URL('https://example.com/out.parquet')
  await expect(convertExport(source(), url)).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: /expected a file: URL/,
  })
})
