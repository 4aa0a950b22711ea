import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { StreamPipeline } from '../dist/parallel/stream-pipeline.js'
// Worker threads run compiled code, so these tests do: `npm test` builds first.
import type { ConvertOptions, ConvertResult } from '../src/convert/convert.ts'
import { SourceError } from '../src/errors.ts'
import { convertCompiled } from './compiled.ts'

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-stream-'))
const internals = { minStreamBytes: 1 }
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const guid = (kind: number, n: number) =>
  `${String(kind).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

const options = (kind: number, names: string[]) => names.map((name, i) => ({ id: guid(kind, i), name }))

const definition = {
  fields: [
    { id: guid(1, 1), name: 'Pick', type: { dataType: 'enum', values: options(2, ['A', 'B', 'never']) } },
    { id: guid(1, 2), name: 'Many', type: { dataType: 'set', values: options(3, ['X', 'Y', 'Z']) }, isSensitive: true },
    { id: guid(1, 3), name: 'Number', type: { dataType: 'double' } },
    { id: guid(1, 4), name: 'Text', type: { dataType: 'string' } },
    { id: guid(1, 5), name: 'When', type: { dataType: 'datetime' } },
    { id: guid(1, 6), name: 'Never answered', type: { dataType: 'string' } },
  ],
}

function recordOf(i: number): object {
  const answers = [
    { id: guid(1, 1), values: [i % 97 === 0 ? guid(9, i % 5) : guid(2, i % 2)] },
    { id: guid(1, 2), values: i % 3 === 0 ? null : [guid(3, 0), guid(3, 1), guid(3, 2)].slice(i % 4) },
    { id: guid(1, 3), values: [i / 4] },
    { id: guid(1, 4), values: [`text ${i} ${'é'.repeat(i % 50)}`] },
    { id: guid(1, 5), values: ['2026-02-03T04:05:06.789Z'] },
  ]
  const lastUpdateDate = new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString()
  return { ownerId: guid(7, i), lastUpdateDate, fields: answers.filter((_, k) => (i + k) % 7 !== 0) }
}

function documentOf(count: number): Record<string, unknown> {
  const records = Array.from({ length: count }, (_, i) => recordOf(i))
  return { id: guid(8, 1), exportDate: '2026-03-01T00:00:00Z', definition, records, lastSyncDate: 'later' }
}

const DOCUMENT = JSON.stringify(documentOf(3000))
const SILENT = JSON.stringify({
  ...documentOf(0),
  records: Array.from({ length: 1000 }, (_, i) => ({ ...recordOf(i), fields: [] })),
})
const [HEAD = '', ...TAIL] = DOCUMENT.split('"records":')
const PRETTY = JSON.stringify(documentOf(1000), null, 2)
const { definition: _, ...rest } = documentOf(1000)
const RECORDS_FIRST = JSON.stringify({ ...rest, definition })

async function* stream(bytes: Uint8Array | string, size = 10_007): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.from(bytes)
  for (let at = 0; at < buffer.length; at += size) yield buffer.subarray(at, at + size)
}

async function convert(
  source: Parameters<typeof convertCompiled>[0],
  threads: number,
  more: ConvertOptions = {},
): Promise<{ bytes: Buffer; result: ConvertResult }> {
  const output = join(mkdtempSync(join(folder, 'x')), 'out.parquet')
  const result = await convertCompiled(source, output, { threads, rowGroupSize: 400, ...more }, internals)
  return { bytes: readFileSync(output), result }
}

describe('a stream in two worker threads', () => {
  test.each<[string, string | Buffer, ConvertOptions]>([
    ['compact', DOCUMENT, {}],
    ['pretty-printed', PRETTY, {}],
    ['gzip', gzipSync(DOCUMENT), {}],
    ['batches that make no whole row group', DOCUMENT, { batchSize: 150 }],
    ['row groups of the usual size', DOCUMENT, { rowGroupSize: undefined }],
    ['rows of choices', DOCUMENT, { layout: 'long' }],
    ['choices as columns', DOCUMENT, { sets: 'both', answerStates: 'columns', values: 'both' }],
    ['hashed', DOCUMENT, { sensitive: 'hash', hashOwner: true, hashKey: 'a key of enough length' }],
    ['names in snake case', DOCUMENT, { names: 'snake' }],
    ['few questions', DOCUMENT, { fields: ['Pick', 'Text'] }],
    ['no records', JSON.stringify({ ...documentOf(0) }), {}],
    ['no records, and rows of choices', JSON.stringify({ ...documentOf(0) }), { layout: 'long' }],
    ['no answers to make rows of', SILENT, { layout: 'long' }],
  ])('gives the bytes of one thread: %s', async (_name, document, more) => {
    const one = await convert(stream(document), 1, more)
    const two = await convert(stream(document), 2, more)
    expect(two.result.threads).toBe(2)
    expect(one.result.threads).toBe(1)
    expect(two.bytes.equals(one.bytes)).toBe(true)
    expect(two.result.summary).toEqual(one.result.summary)
    expect(two.result.documentBytes).toBe(one.result.documentBytes)
  })

  test('is read by one thread once it is kept on the disk, its records before the definition', async () => {
    const one = await convert(stream(RECORDS_FIRST), 1)
    const two = await convert(stream(RECORDS_FIRST), 2)
    expect(two.result.threads).toBe(1)
    expect(two.bytes.equals(one.bytes)).toBe(true)
  })

  test('reads a gzipped file and bytes alike', async () => {
    const path = join(folder, 'export.json.gz')
    writeFileSync(path, gzipSync(DOCUMENT))
    const expected = await convert(stream(DOCUMENT), 1)
    expect((await convert(path, 2)).bytes.equals(expected.bytes)).toBe(true)
    expect((await convert(Buffer.from(DOCUMENT), 2)).bytes.equals(expected.bytes)).toBe(true)
  })

  test('leaves a short stream to one thread', async () => {
    const output = join(folder, 'short.parquet')
    const { threads, summary } = await convertCompiled(stream(DOCUMENT), output, { threads: 2 })
    expect({ threads, records: summary.records }).toEqual({ threads: 1, records: 3000 })
  })

  test.each([
    ['a bad value', DOCUMENT.replace('"values":[501]', '"values":["many"]')],
    ['cut off', DOCUMENT.slice(0, -5000)],
    ['garbage behind', `${DOCUMENT} x`],
    [
      'a second records',
      `${HEAD}"records":${TAIL.join('"records":').replace('"lastSyncDate":"later"', '"records":[]')}`,
    ],
    ['a record that is too long', DOCUMENT.replace('text 1500 ', 'x'.repeat(3_000_000))],
  ])('gives the error of one thread: %s', async (_name, document) => {
    const failures = await Promise.all(
      [1, 2].map((threads) => convert(stream(document), threads, { maxRecordBytes: 100_000 }).catch((error) => error)),
    )
    const [one, two] = failures.map((error) => ({ ...error, message: error.message, name: error.name }))
    expect(one).toMatchObject({ code: expect.stringMatching(/^ERR_/) })
    expect(two).toEqual(one)
  })

  test('passes on the failure of its source, and leaves an older file as it was', async () => {
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield* stream(DOCUMENT.slice(0, 500_000))
      throw new SourceError('ERR_SOURCE', 'the line was cut')
    }
    const path = join(mkdtempSync(join(folder, 'x')), 'out.parquet')
    writeFileSync(path, 'older')
    const conversion = convertCompiled(breaking(), path, { threads: 2, rowGroupSize: 100 }, internals)
    await expect(conversion).rejects.toMatchObject({ message: 'the line was cut' })
    expect(readFileSync(path, 'utf8')).toBe('older')
    expect(readdirSync(join(path, '..'))).toEqual(['out.parquet'])
  })

  test('stops when the signal fires, while its source is silent', async () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield* stream(DOCUMENT.slice(0, 500_000))
      await new Promise(() => undefined)
    }
    const controller = new AbortController()
    const path = join(mkdtempSync(join(folder, 'x')), 'out.parquet')
    const conversion = convertCompiled(silent(), path, { threads: 2, signal: controller.signal }, internals)
    setTimeout(() => controller.abort(), 300)
    await expect(conversion).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(readdirSync(join(path, '..'))).toEqual([])
  })

  test('fails when a worker dies', async () => {
    const pipeline = new StreamPipeline()
    const rowGroups = pipeline.encode({} as never, async () => 0, undefined)
    await expect(rowGroups.next()).rejects.toMatchObject({ code: 'ERR_WORKER' })
    await pipeline.close()
  })
})
