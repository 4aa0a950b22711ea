import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isExportError } from '../src/errors.ts'
import { type ReadOptions, readExport } from '../src/reader.ts'
import { exportArbitrary } from './shape-export.ts'
import { expectedLong, expectedWide, shapedRows } from './shape-model.ts'
import { surveyJson } from './survey.ts'

const SAMPLE = readFileSync('fixtures/sample-export.json')
const EXPORTS: [string, Uint8Array][] = [
  ['the sample', SAMPLE],
  ['a survey of every type', surveyJson(150)],
  ['an export without records', surveyJson(0)],
]

const WIDE: ReadOptions[] = [
  {},
  { answerStates: 'columns' },
  { answerStates: 'none' },
  { sets: 'columns' },
  { sets: 'both' },
  { values: 'id' },
  { values: 'both' },
  { groups: 'struct' },
  { answerStates: 'columns', sets: 'both', values: 'both', groups: 'struct' },
  { answerStates: 'none', sets: 'columns', values: 'id', groups: 'struct' },
  { answerStates: 'list', sets: 'columns', values: 'both' },
]

const BATCH_SIZES = [1, 3, undefined]

describe.each(EXPORTS)('%s', (_, bytes) => {
  test.each(WIDE)('wide, %o', async (options) => {
    const expected = await expectedWide(bytes, options)
    for (const batchSize of BATCH_SIZES) {
      const found = await shapedRows(bytes, { ...options, batchSize })
      expect(found.rows).toEqual(expected.rows)
      if (expected.rows.length > 0) expect(found.names).toEqual(expected.names)
    }
  })

  test('long', async () => {
    const expected = await expectedLong(bytes, {})
    for (const batchSize of BATCH_SIZES) {
      expect((await shapedRows(bytes, { layout: 'long', batchSize })).rows).toEqual(expected)
    }
  })

  test('naive times have the same microseconds, and no zone', async () => {
    const reader = await readExport(bytes, { timezone: 'naive' })
    const zones = reader.schema.fields.map(({ type }) => ('timezone' in type ? (type.timezone ?? 'none') : undefined))
    expect(zones.filter((zone) => zone !== undefined).every((zone) => zone === 'none')).toBe(true)
    expect((await shapedRows(bytes, { timezone: 'naive' })).rows).toEqual((await shapedRows(bytes, {})).rows)
  })
})

test('random exports: every shape is that of its plain rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      exportArbitrary,
      fc.record({
        answerStates: fc.constantFrom('list', 'columns', 'none'),
        sets: fc.constantFrom('list', 'columns', 'both'),
        values: fc.constantFrom('label', 'id', 'both'),
        groups: fc.constantFrom('flat', 'struct'),
        batchSize: fc.constantFrom(1, 2, 5, undefined),
      }),
      async (bytes, drawn) => {
        const options = drawn as ReadOptions
        const found = await shapedRows(bytes, options)
        expect(found.rows).toEqual((await expectedWide(bytes, options)).rows)
        const long = await shapedRows(bytes, { layout: 'long', batchSize: options.batchSize })
        expect(long.rows).toEqual(await expectedLong(bytes, {}))
      },
    ),
    { numRuns: 60 },
  )
})

describe('the default shape', () => {
  test('says nothing of itself, and has the columns that are decoded', async () => {
    const { schema, columns } = await readExport(SAMPLE)
    expect(schema.metadata.has('alida:shape')).toBe(false)
    expect(schema.fields.map((field) => field.name)).toEqual(columns.map((column) => column.name))
  })
})

describe('never-chosen and unknown options', () => {
  test('flags exist for every option in the definition’s order, also where nobody chose it', async () => {
    const { names, rows } = await shapedRows(SAMPLE, { sets: 'columns', fields: ['Channels used'] })
    const flags = names.filter((name) => name.startsWith('Channels used: '))
    const { columns } = await readExport(SAMPLE)
    const plan = columns.find((column) => column.name === 'Channels used')
    expect(flags).toEqual(plan?.labels.map((label) => `Channels used: ${label}`))
    const never = flags.filter((name) => !rows.some((row) => row[names.indexOf(name)] === true))
    expect(never).toEqual(['Channels used: Fax'])
  })

  test('options that the definition lacks stand in otherOptions, empty where there are none', async () => {
    const { names, rows } = await shapedRows(SAMPLE, { sets: 'columns', fields: ['Brands seen'] })
    const others = rows.map((row) => row[names.indexOf('otherOptions')] as string[])
    expect(others.filter((list) => list.length > 0)).toHaveLength(12)
    expect(new Set(others.flat())).toEqual(new Set(['Brands seen: 3b7521e5-8a20-4052-bc71-0b1ba19c2928']))
  })
})

describe('options that cannot be', () => {
  const refused: [ReadOptions, RegExp][] = [
    [{ layout: 'long', sets: 'columns' }, /layout: 'long' contradicts sets: 'columns'/],
    [{ layout: 'long', groups: 'struct' }, /layout: 'long' contradicts groups: 'struct'/],
    [{ layout: 'long', answerStates: 'none' }, /layout: 'long' contradicts answerStates: 'none'/],
    [{ layout: 'long', values: 'id' }, /layout: 'long' contradicts values: 'id'/],
    [{ layout: 'star' as 'long' }, /layout: expected wide, long \(writeStar writes the star layout\), found "star"/],
    [{ sensitive: 'hash' }, /needs a key/],
    [{ hashOwner: true, hashKey: '' }, /needs a key/],
    [{ fields: ['AgeGrup'] }, /found "AgeGrup"; the nearest is "AgeGroup"/],
    [{ fields: ['Zzz*'] }, /expected a glob that matches a question, found "Zzz\*"/],
    [{ exclude: ['Nothing like it at all'] }, /exclude: expected the name or id of a question/],
  ]
  test.each(refused)('%o', async (options, message) => {
    const error = await readExport(SAMPLE, options).catch((thrown: unknown) => thrown)
    expect(isExportError(error, 'ERR_OPTION')).toBe(true)
    expect((error as Error).message).toMatch(message)
  })
})

test('long batches are cut between records, and none is lost', async () => {
  const bytes = surveyJson(40_000)
  const reader = await readExport(bytes, { layout: 'long' })
  const sizes: number[] = []
  const answers = new Map<number, number>()
  for await (const batch of reader) {
    sizes.push(batch.numRows)
    const records = batch.data.children[2]?.values as Int32Array
    for (const record of records) answers.set(record, (answers.get(record) ?? 0) + 1)
  }
  expect(sizes.length).toBeGreaterThan(1)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(131_072)
  const expected = await expectedLong(surveyJson(700), {})
  for (const record of new Set(expected.map((row) => row[2] as number))) {
    expect(answers.get(record)).toBe(expected.filter((row) => row[2] === record).length)
  }
})
