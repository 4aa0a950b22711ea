import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
// Worker threads run compiled code, so these tests do: `npm test` builds first.
import type { ConvertResult } from '../src/convert/convert.ts'
import { planPieces } from '../src/decode/cuts.ts'
import { isWorthAPool } from '../src/parallel/worth.ts'
import { convertCompiled } from './compiled.ts'

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-parallel-'))
const internals = { minPoolBytes: 0, minRecordsToCut: 0 }
const guid = (kind: number, n: number) =>
  `${String(kind).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

const definition = {
  fields: [
    {
      id: guid(1, 1),
      name: 'Pick',
      type: {
        dataType: 'enum',
        values: [
          { id: guid(2, 1), name: 'A' },
          { id: guid(2, 2), name: 'B' },
        ],
      },
    },
    {
      id: guid(1, 2),
      name: 'Many',
      type: {
        dataType: 'set',
        values: [
          { id: guid(3, 1), name: 'X' },
          { id: guid(3, 2), name: 'Y' },
        ],
      },
    },
    { id: guid(1, 3), name: 'Number', type: { dataType: 'double' } },
    { id: guid(1, 4), name: 'Text', type: { dataType: 'string' } },
  ],
}

function recordOf(i: number): Record<string, unknown> {
  const unknownOption = i % 97 === 0 ? guid(9, i % 5) : guid(2, 1 + (i % 2))
  const answers = [
    { id: guid(1, 1), values: [unknownOption] },
    { id: guid(1, 2), values: i % 3 === 0 ? null : [guid(3, 1), guid(3, 2)].slice(i % 2) },
    { id: guid(1, 3), values: [i] },
    { id: guid(1, 4), values: [`text {"ownerId": ${i} ${'é'.repeat(i % 50)}`] },
  ]
  const lastUpdateDate = new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString()
  return { ownerId: guid(7, i), lastUpdateDate, fields: answers.filter((_, k) => (i + k) % 7 !== 0) }
}

function exportOf(
  count: number,
  indent?: number,
  change: (record: Record<string, unknown>, i: number) => unknown = (r) => r,
): string {
  const records = Array.from({ length: count }, (_, i) => change(recordOf(i), i))
  return JSON.stringify(
    { id: guid(8, 1), exportDate: '2026-03-01T00:00:00Z', definition, records, lastSyncDate: 'later' },
    null,
    indent,
  )
}

function inputFile(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function convert(
  input: string,
  threads: number,
  rowGroupSize?: number,
): Promise<{ bytes: Buffer; result: ConvertResult }> {
  const output = join(folder, `out-${threads}.parquet`)
  const result = await convertCompiled(input, output, { threads, rowGroupSize }, internals)
  return { bytes: readFileSync(output), result }
}

beforeAll(() => expect(readdirSync('dist')).toContain('piece-worker.js'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('worker threads', () => {
  test.each([
    ['compact', undefined],
    ['pretty-printed', 2],
  ])('write the same bytes for any number of them (%s)', async (name, indent) => {
    const input = inputFile(`${name}.json`, exportOf(3000, indent))
    const one = await convert(input, 1, 400)
    for (const threads of [2, 3]) {
      const several = await convert(input, threads, 400)
      expect(several.bytes.equals(one.bytes)).toBe(true)
      expect(several.result.summary).toEqual(one.result.summary)
      expect(several.result.threads).toBe(threads)
    }
    expect(one.result.summary.records).toBe(3000)
    expect(one.result.summary.warnings.map(({ kind, count }) => [kind, count])).toEqual([['unknown-option', 26]])
  })

  test('share a file that is named by its URL', async () => {
    const input = inputFile('named by URL #1.json', exportOf(1000))
    const output = join(folder, 'url.parquet')
    const { threads } = await convertCompiled(
      pathToFileURL(input),
      output,
      { threads: 2, rowGroupSize: 200 },
      internals,
    )
    expect(threads).toBe(2)
    expect(readFileSync(output).equals((await convert(input, 1, 200)).bytes)).toBe(true)
  })

  test.each([
    [255, 0, false],
    [256, 0, true],
    [380, 40, true],
    [380, 400, false],
    [4000, 400, true],
    [4000, 5000, false],
  ])('are for %i MiB with %i columns: %s', (mebibytes, columns, isWorth) => {
    expect(isWorthAPool(mebibytes * 2 ** 20, columns)).toBe(isWorth)
  })

  test('leave to one thread what cannot be cut, with the same result', async () => {
    const nested = (record: Record<string, unknown>, i: number) =>
      i % 10 === 0 ? { ...record, more: [{ ownerId: 'inner' }] } : record
    const reordered = ({ ownerId, ...rest }: Record<string, unknown>) => ({ ...rest, ownerId })
    for (const [name, change] of Object.entries({ nested, reordered })) {
      const input = inputFile(`${name}.json`, exportOf(1500, undefined, change))
      const one = await convert(input, 1, 200)
      const two = await convert(input, 2, 200)
      expect(two.bytes.equals(one.bytes), name).toBe(true)
      expect(two.result.summary.records).toBe(1500)
    }
  })

  test('give the same error as one thread, and leave nothing', async () => {
    const text = exportOf(2000)
    const broken: Record<string, string> = {
      'bad value': text.replace('"values":[1500]', '"values":["many"]'),
      'cut off': text.slice(0, -2000),
      'garbage behind': `${text} x`,
      'second records': text.replace('"lastSyncDate":"later"', '"records":[]'),
    }
    for (const [name, content] of Object.entries(broken)) {
      const input = inputFile('broken.json', content)
      const output = join(folder, 'broken.parquet')
      writeFileSync(output, 'older')
      const errors = await Promise.all(
        [1, 3].map((threads) =>
          convertCompiled(input, output, { threads, rowGroupSize: 200 }, internals).then(
            () => undefined,
            (error: Error) => ({ message: error.message, code: (error as { code?: string }).code }),
          ),
        ),
      )
      expect(errors[0], name).toBeDefined()
      expect(errors[1]).toEqual(errors[0])
      expect(readFileSync(output, 'utf8')).toBe('older')
      expect(readdirSync(folder).filter((entry) => entry.includes('partial'))).toEqual([])
    }
  })

  test('stop when the signal fires', async () => {
    const input = inputFile('abort.json', exportOf(3000))
    const controller = new AbortController()
    const conversion = convertCompiled(
      input,
      join(folder, 'abort.parquet'),
      {
        threads: 2,
        rowGroupSize: 100,
        signal: controller.signal,
        onProgress: () => controller.abort(),
      },
      internals,
    )
    await expect(conversion).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(readdirSync(folder)).not.toContain('abort.parquet')
  })
})

test('are used for long records, of which the usual sample does not hold two', async () => {
  const long = (record: Record<string, unknown>) => ({ ...record, more: 'x'.repeat(300_000) })
  const input = inputFile('long.json', exportOf(40, undefined, long))
  const one = await convert(input, 1, 5)
  const two = await convert(input, 2, 5)
  expect(two.result.threads).toBe(2)
  expect(two.bytes.equals(one.bytes)).toBe(true)
  expect(two.result.summary.records).toBe(40)
})

describe('planPieces', () => {
  const sampleOf = (text: string) => new TextEncoder().encode(text)

  test('plans an even number of pieces by the size of the first records', () => {
    const sample = sampleOf(`[${'{"ownerId":"x"},'.repeat(100)}`)
    expect(planPieces(sample, 1000, 1001 + 16 * 300_000, 131_072)).toMatchObject({ first: 1001, count: 2 })
    expect(planPieces(sample, 1000, 1001 + 16 * 1_000_000, 131_072)).toMatchObject({ count: 8 })
  })

  test('plans none for few records, other key orders, or no records', () => {
    expect(planPieces(sampleOf(`[${'{"ownerId":"x"},'.repeat(100)}`), 0, 16 * 20_000, 131_072)).toBeUndefined()
    expect(planPieces(sampleOf('[{"fields":[],"ownerId":"x"},{"ownerId":"y"}]'), 0, 1e9, 100)).toBeUndefined()
    expect(planPieces(sampleOf('[ ]'), 0, 1e9, 100)).toBeUndefined()
  })
})
