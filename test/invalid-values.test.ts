import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RejectedValue } from '../src/decode/rejects.ts'
import { openReader, type ReaderInternals, type ReadOptions, readExport } from '../src/reader.ts'
import { FIELDS, guid, invalidExport, type RecordPlan, type WrittenExport, writtenExport } from './invalid-export.ts'
import { chunksOf } from './reading.ts'
import { shown, type Value } from './shape-model.ts'

interface Outcome {
  rejects: RejectedValue[]
  columns: Record<string, Value[]>
  counts: Record<string, string>
  invalid: unknown
  warnings: string[]
  metadata: unknown
}

async function outcomeOf(
  source: Parameters<typeof readExport>[0],
  options: ReadOptions = {},
  internals: ReaderInternals = {},
): Promise<Outcome> {
  const rejects: RejectedValue[] = []
  const reader = await openReader(
    source,
    { onInvalid: 'null', onReject: (value) => void rejects.push(value), ...options },
    internals,
  )
  const { names, rows } = await shown(reader)
  const { questions, invalid, warnings } = reader.summary
  return {
    rejects,
    columns: Object.fromEntries(names.map((name, i) => [name, rows.map((row) => row[i] ?? null)])),
    counts: Object.fromEntries(
      questions.map((q) => [q.column.name, `${q.answered}/${q.skipped}/${q.invalid}/${q.notAsked}`]),
    ),
    invalid,
    warnings: warnings.map(({ message }) => message),
    metadata: JSON.parse(reader.finalMetadata.get('alida:invalid') ?? 'null'),
  }
}

const record = (answers: RecordPlan['answers'], more: Partial<RecordPlan> = {}): RecordPlan => ({
  ownerId: 'p1',
  isOwnerLast: false,
  isIdLast: false,
  date: { json: '"2026-03-01T10:00:00Z"' },
  answers,
  ...more,
})

const MANY_UNKNOWN = '["never seen","nor this"]'

describe('with onInvalid null', () => {
  const { bytes, rejects } = writtenExport([
    record([
      { field: 0, first: { json: MANY_UNKNOWN, code: 'ERR_TOO_MANY_VALUES' } },
      { field: 1, first: { json: `["${guid(3, 1)}","new"]` } },
      { field: 2, first: { json: '["many"]', code: 'ERR_VALUE' } },
      { field: 4, first: { json: '["said"]' }, again: { json: '["said otherwise"]' } },
    ]),
    record([{ field: 2, first: { json: '[2]' } }], {
      ownerId: 'p2',
      isOwnerLast: true,
      date: { json: '"soon"', code: 'ERR_VALUE' },
    }),
    record([
      { field: 2, first: { json: 'null' }, again: { json: '[2]' } },
      { field: 3, first: { json: '["never"]', code: 'ERR_VALUE' }, again: { json: '["2026-03-01"]' } },
    ]),
  ])

  test('each value is null, named by the column invalid, and told with its place', async () => {
    const found = await outcomeOf(bytes)
    expect(found.rejects.map(({ reason: _, ...rest }) => rest)).toEqual(rejects)
    expect(found.rejects.map(({ reason }) => reason)).toEqual([
      'expected one value for enum, found 2 values',
      'expected a number, found "many"',
      'expected one answer per question, found two that differ',
      'expected a date-time such as "2026-03-01T10:00:00Z", found "soon"',
      'expected one answer per question, found two that differ',
      'expected a date-time such as "2026-03-01T10:00:00Z", found "never"',
      'expected one answer per question, found two that differ',
    ])
    expect(found.rejects[3]).toMatchObject({ record: 2, ownerId: 'p2', fieldId: null, fieldName: 'lastUpdateDate' })
    expect(found.columns.Pick).toEqual([null, null, null])
    expect(found.columns.Many).toEqual([['Option 3.1', 'new'], null, null])
    expect(found.columns.Number).toEqual([null, 2, null])
    expect(found.columns.When).toEqual([null, null, null])
    expect(found.columns.Text).toEqual(['said', null, null])
    expect(found.columns.lastUpdateDate?.[1]).toBeNull()
    expect(found.columns.skipped).toEqual([[], [], ['Number']])
    expect(found.columns.invalid).toEqual([['Pick', 'Number'], ['lastUpdateDate'], ['When']])
    expect(found.counts).toEqual({
      Pick: '0/0/1/2',
      Many: '1/0/0/2',
      Number: '1/1/1/0',
      When: '0/0/1/2',
      Text: '1/0/0/2',
    })
  })

  test('they are counted: in the summary, in warnings, and for the file', async () => {
    const found = await outcomeOf(bytes)
    const counts = { total: 7, codes: { ERR_FIELD_REPEATED: 3, ERR_TOO_MANY_VALUES: 1, ERR_VALUE: 3 } }
    expect(found.invalid).toEqual(counts)
    expect(found.metadata).toEqual(counts)
    expect(found.warnings).toEqual([
      'question "Pick": 1 invalid value left out (ERR_TOO_MANY_VALUES 1)',
      'question "Many": 1 answer with an option that is not in the definition; its id is the label ("new")',
      'question "Number": 2 invalid values left out (ERR_VALUE 1, ERR_FIELD_REPEATED 1)',
      'question "Text": 1 invalid value left out (ERR_FIELD_REPEATED 1)',
      'lastUpdateDate: 1 invalid value left out (ERR_VALUE 1)',
      'question "When": 2 invalid values left out (ERR_VALUE 1, ERR_FIELD_REPEATED 1)',
    ])
  })

  test('an option of a rejected answer is no label', async () => {
    const reader = await readExport(bytes, { onInvalid: 'null' })
    for await (const { data } of reader) {
      expect(data.children[2]?.dictionary?.toJSON()).toEqual(['Option 2.0', 'Option 2.1', 'Option 2.2'])
    }
  })

  test('the state of such an answer is invalid', async () => {
    const { columns } = await outcomeOf(bytes, { answerStates: 'columns' })
    expect(columns.Pick__state).toEqual(['invalid', 'not asked', 'not asked'])
    expect(columns.Number__state).toEqual(['invalid', 'answered', 'skipped'])
    expect(columns.Text__state).toEqual(['answered', 'not asked', 'not asked'])
    expect(columns.invalid).toBeUndefined()
    const long = await outcomeOf(bytes, { layout: 'long' })
    const rows = long.columns.state?.map(
      (state, i) => `${long.columns.record?.[i]} ${long.columns.field_name?.[i]} ${state}`,
    )
    expect(rows).toEqual([
      '1 Pick invalid',
      '1 Many answered',
      '1 Many answered',
      '1 Number invalid',
      '1 Text answered',
      '2 Number answered',
      '3 Number skipped',
      '3 When invalid',
    ])
    const none = await outcomeOf(bytes, { answerStates: 'none' })
    expect(Object.keys(none.columns)).toEqual(['ownerId', 'lastUpdateDate', ...FIELDS.map(({ name }) => name)])
  })

  test('JSON that is broken is an error as ever', async () => {
    const broken = Buffer.from(bytes.toString().replace('["many"]', '["many",NaN]'))
    await expect(outcomeOf(broken)).rejects.toMatchObject({ code: 'ERR_JSON_SYNTAX' })
    const badRecord = Buffer.from(bytes.toString().replace('"p1"', '{}'))
    await expect(outcomeOf(badRecord)).rejects.toMatchObject({ code: 'ERR_RECORD' })
  })

  test('nothing is told that may only be written as a hash', async () => {
    const secret = bytes.toString().replace('"name":"Number"', '"name":"Number","isSensitive":true')
    const found = await outcomeOf(Buffer.from(secret), { sensitive: 'hash', hashOwner: true, hashKey: 'key' })
    const number = found.rejects.find(({ fieldName }) => fieldName === 'Number')
    expect(number).toMatchObject({ raw: null, reason: 'expected a number' })
    expect(JSON.stringify(found.rejects)).not.toContain('"p1"')
    expect(number?.ownerId).toBe(found.columns.ownerId?.[0])
  })

  test('a question may be called invalid or _extra: it keeps its name', async () => {
    const named = bytes.toString().replace('"Pick"', '"Invalid"').replace('"Many"', '"_extra"')
    for (const options of [{}, { groups: 'struct' }, { names: 'snake' }] as const) {
      const { columns } = await outcomeOf(Buffer.from(named), { ...options, keepUnknown: true })
      expect(Object.keys(columns).slice(-2)).toEqual(
        options.names ? ['invalid_2', '_extra'] : ['invalid_2', '_extra_2'],
      )
    }
  })
})

describe('the fixture of every reason', () => {
  const file = (ending: string) => readFileSync(new URL(`../fixtures/rejects/every-reason.${ending}`, import.meta.url))
  const bytes = file('json')
  const rejects = file('rejects.jsonl').toString().trimEnd().split('\n')
  const { columns, rows } = JSON.parse(file('expected.json').toString()) as { columns: string[]; rows: Value[][] }

  test.each([0, 1, 2, 3, 7, 64, 1000])('in chunks of %i bytes', async (chunkBytes) => {
    for (const useKernel of [true, false]) {
      for (const batchSize of [1, 3, undefined]) {
        const options = { keepUnknown: true, batchSize }
        const found = await outcomeOf(chunksOf(bytes, chunkBytes), options, { useKernel, windowBytes: 64 })
        expect(found.rejects).toEqual(rejects.map((line) => JSON.parse(line)))
        expect(Object.keys(found.columns)).toEqual(columns)
        const plain = JSON.stringify(
          columns.map((name) => found.columns[name]),
          (_, value) => {
            return typeof value === 'bigint' ? String(value) : value
          },
        )
        expect(JSON.parse(plain)).toEqual(columns.map((_, i) => rows.map((row) => row[i])))
      }
    }
  })

  test('has each value where it says', () => {
    for (const { byteOffset, raw } of rejects.map((line) => JSON.parse(line) as RejectedValue)) {
      const found = bytes.subarray(byteOffset, byteOffset + Buffer.byteLength(raw ?? '')).toString()
      expect(found).toBe(raw ?? '')
    }
  })
})

describe('with keepUnknown', () => {
  const { bytes } = writtenExport([
    record([{ field: 2, first: { json: '[1]' } }], { unknown: '{ "a" : [1.50, "\\u0041"] }' }),
    record([]),
  ])
  const twice = bytes.toString().replace('Z","fields":[', `Z","fields":[{"id":"a \\"b\\""},{"values": [ 1 ] ,"id":7},`)

  test('answers to unknown fields are one JSON object a record', async () => {
    const { columns, warnings } = await outcomeOf(Buffer.from(twice), {
      keepUnknown: true,
      onInvalid: undefined,
      onReject: undefined,
    })
    expect(columns._extra).toEqual([`{"a \\"b\\"":null,"7":[1],"${guid(5, 0)}":{"a":[1.50,"\\u0041"]}}`, null])
    expect(warnings).toContain(
      `field ${guid(5, 0)} is not in the definition; 1 record had it, kept among the unknown answers`,
    )
  })

  test('it is refused where there is no place for them, or nobody knows how private they are', async () => {
    for (const options of [{ layout: 'long' }, { sensitive: 'drop' }, { sensitive: 'hash', hashKey: 'k' }] as const) {
      await expect(readExport(bytes, { keepUnknown: true, ...options })).rejects.toMatchObject({ code: 'ERR_OPTION' })
    }
  })
})

test('onReject needs onInvalid null', async () => {
  await expect(readExport(Buffer.from('{}'), { onReject: () => undefined })).rejects.toMatchObject({
    code: 'ERR_OPTION',
  })
})

describe('random exports', () => {
  test('give what was written, however they are read', async () => {
    await fc.assert(
      fc.asyncProperty(
        invalidExport,
        fc.record({
          chunkBytes: fc.constantFrom(0, 1, 2, 3, 7, 64),
          batchSize: fc.constantFrom(1, 3, undefined),
          windowBytes: fc.constantFrom(64, 200, undefined),
          useKernel: fc.boolean(),
          isStream: fc.boolean(),
        }),
        async (written, { chunkBytes, batchSize, windowBytes, useKernel, isStream }) => {
          const source = isStream ? chunksOf(written.bytes, chunkBytes) : written.bytes
          const options = { batchSize, keepUnknown: true }
          const found = await outcomeOf(source, options, { useKernel, windowBytes })
          expectWritten(found, written)
          const [whole] = await Promise.all([outcomeOf(written.bytes, { keepUnknown: true }, { useKernel: false })])
          expect(found).toEqual(whole)
        },
      ),
      { numRuns: 150, interruptAfterTimeLimit: 12_000 },
    )
  })

  test('have the same labels as when their invalid answers had not been there', async () => {
    await fc.assert(
      fc.asyncProperty(invalidExport, fc.constantFrom(1, 3, 64), async (written, chunkBytes) => {
        const labels = await labelsOf(chunksOf(written.bytes, chunkBytes))
        expect(labels).not.toMatch(/new/)
        expect(labels).toEqual(await labelsOf(written.bytes))
      }),
      { numRuns: 60, interruptAfterTimeLimit: 8_000 },
    )
  })
})

function expectWritten(found: Outcome, { rejects, invalid, extra }: WrittenExport): void {
  expect(found.rejects.map(({ reason: _, ...rest }) => rest)).toEqual(rejects)
  expect(found.columns.invalid?.map((names) => [...(names as string[])].sort())).toEqual(
    invalid.map((names) => names.sort()),
  )
  expect(found.columns._extra).toEqual(extra)
}

async function labelsOf(source: Parameters<typeof readExport>[0]): Promise<string> {
  const labels: unknown[] = []
  const reader = await openReader(source, { onInvalid: 'null' }, { windowBytes: 64 })
  for await (const { data } of reader) {
    labels.push(data.children[2]?.dictionary?.toJSON(), data.children[3]?.children[0]?.dictionary?.toJSON())
  }
  return JSON.stringify(labels)
}
