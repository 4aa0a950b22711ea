/** Whole numbers that no float64 holds are rounded, and counted. */

import { describe, expect, test } from 'vitest'
import { readExport } from '../src/reader.ts'
import { disagreement } from './three-readings.ts'

const exportOf = (values: readonly string[], dataType = 'double') =>
  Buffer.from(
    `{"definition":{"fields":[{"id":"f","name":"Panel id","type":{"dataType":"${dataType}"}}],"fieldGroups":[]},"records":[${values
      .map(
        (value, i) =>
          `{"ownerId":"${i}","lastUpdateDate":"2026-01-01T00:00:00Z","fields":[{"id":"f","values":[${value}]}]}`,
      )
      .join()}]}`,
  )

async function read(values: readonly string[], dataType?: string) {
  const reader = await readExport(exportOf(values, dataType))
  const cells: unknown[] = []
  for await (const batch of reader) cells.push(...batch.getChildAt(2)!.toArray())
  const [warning] = reader.warnings.filter(({ kind }) => kind === 'rounded-integer')
  return { cells, count: warning?.count ?? 0, message: warning?.message }
}

describe('a whole number', () => {
  test.for([
    '9007199254740993',
    '-9007199254740993',
    '1285704473650888702',
    '76561197980428154321',
    '123456789012345678901234567890',
    '"3791411052119578829"',
    '"\\u0039007199254740993"',
  ])('is rounded, and said to be: %s', async (value) => {
    const { cells, count } = await read([value])
    expect(cells).toEqual([Number(JSON.parse(value))])
    expect(count).toBe(1)
  })

  test.for([
    '0',
    '-1',
    '9007199254740991',
    '9007199254740992',
    '-9007199254740994',
    '1152921504606846976',
    '100000000000000000000',
    '"18014398509481984"',
  ])('is kept without a word: %s', async (value) => {
    const { cells, count } = await read([value])
    expect(cells).toEqual([Number(JSON.parse(value))])
    expect(count).toBe(0)
  })

  test('is counted wherever it stands among others', async () => {
    const values = Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? `90071992547409${93 + 2 * i}` : `${i}`))
    const { count, message } = await read(values)
    const rounded = values.filter((value) => BigInt(value) !== BigInt(Number(value)))
    expect(count).toBe(rounded.length)
    expect(message).toContain(`question "Panel id": ${rounded.length} whole numbers`)
  })

  test('keeps its digits in a text', async () => {
    expect((await read(['9007199254740993'], 'identifier')).count).toBe(0)
  })
})

test.for(['0.1', '0.30000000000000004441', '1e22', '1.7976931348623157e308', '12345678901234567.5', '1e-400'])(
  'a fraction or an exponent is a measurement, of which nothing is said: %s',
  async (value) => {
    expect((await read([value])).count).toBe(0)
  },
)

test.for([true, false])('all readers count alike, with the fast path or without: %s', async (useKernel) => {
  const values = ['9007199254740993', '"9007199254740993"', '1', '1e30', '9007199254740994', '-12345678901234567891']
  const way = { chunkBytes: 0, batchSize: undefined, windowBytes: undefined, useKernel, isStream: false }
  expect(await disagreement(exportOf(values), {}, way)).toBeUndefined()
})
