import { Dictionary, Int16, Int32, List, type Schema } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { EXPORT_METADATA_KEY } from '../src/plan/schema.ts'
import { readExport } from '../src/reader.ts'
import { VERSION } from '../src/version.ts'
import { collect, readOnce } from './reading.ts'
import { QUESTIONS, surveyJson } from './survey.ts'

const DEFINITION = {
  fields: [
    {
      id: 'f1',
      name: 'Satisfaction',
      type: {
        dataType: 'enum',
        values: [
          { id: 'o1', name: 'Good' },
          { id: 'o2', name: 'Good' },
          { id: 'o3', name: '' },
        ],
      },
      isSensitive: true,
      meta: { description: '<b>How</b> was it?', visibility: 'hidden', isSystem: true, isRequired: false },
    },
    { id: 'f2', name: 'satisfaction', type: { dataType: 'string', values: [{ id: 'x', name: 'X' }] } },
  ],
  fieldGroups: [{ id: 'g1', name: 'Grid "1"', fieldIds: ['f2', 'gone'] }],
}

const HEADER = {
  id: 'e1',
  datasetId: 'd1',
  exportOptions: { fieldIds: ['f1'], sinceDatetime: '2026-02-01T00:00:00Z' },
  exportDate: '2026-03-01T06:00:00.000Z',
  lastSyncDate: '2026-03-01T05:58:41.120Z',
}

async function schemaOf(document: object): Promise<Schema> {
  return (await readExport(Buffer.from(JSON.stringify(document)))).schema
}

describe('metadata', () => {
  test('a column tells all that the definition says of its question', async () => {
    const { fields } = await schemaOf({ ...HEADER, definition: DEFINITION, records: [] })
    expect(fields.map(({ name }) => name)).toEqual([
      'ownerId',
      'lastUpdateDate',
      'Satisfaction',
      'satisfaction_2',
      'skipped',
    ])
    expect(Object.fromEntries(fields[2]?.metadata ?? [])).toEqual({
      'alida:id': 'f1',
      'alida:name': 'Satisfaction',
      'alida:dataType': 'enum',
      'alida:description': '<b>How</b> was it?',
      'alida:isSensitive': 'true',
      'alida:visibility': 'hidden',
      'alida:isSystem': 'true',
      'alida:isRequired': 'false',
      'alida:options': JSON.stringify([
        { id: 'o1', name: 'Good', label: 'Good' },
        { id: 'o2', name: 'Good', label: 'Good (2)' },
        { id: 'o3', name: 'o3', label: 'o3' },
      ]),
    })
    expect(Object.fromEntries(fields[3]?.metadata ?? [])).toMatchObject({
      'alida:name': 'satisfaction',
      'alida:dataType': 'string',
      'alida:group': JSON.stringify({ id: 'g1', name: 'Grid "1"' }),
    })
    expect(fields[3]?.metadata.has('alida:options')).toBe(false)
    expect(fields.every(({ nullable }) => nullable)).toBe(true)
  })

  test('the schema tells the export, its definition and this tool', async () => {
    const { metadata } = await schemaOf({ ...HEADER, definition: DEFINITION, records: [] })
    const told = JSON.parse(metadata.get(EXPORT_METADATA_KEY) ?? '') as Record<string, unknown>
    expect(told).toMatchObject({ ...HEADER, tool: { name: 'alida-arrow', version: VERSION } })
    expect(told.definition).toMatchObject({ fields: [{ id: 'f1', isSensitive: true }, { id: 'f2' }] })
  })

  test('members behind the records cannot be told, those that come late before them can', async () => {
    const reader = await readExport(Buffer.from('{"definition":{"fields":[]},"id":"e1","records":[],"datasetId":"d1"}'))
    expect(reader.header).toEqual({ id: 'e1' })
  })
})

describe('dictionary indices', () => {
  function enumOf(dataType: string, options: number): object {
    const values = Array.from({ length: options }, (_, i) => ({ id: `o${i}`, name: `Option ${i}` }))
    return { definition: { fields: [{ id: 'f1', name: 'Q', type: { dataType, values } }] }, records: [] }
  }

  test.for([
    [0, 'Int16'],
    [3, 'Int16'],
    [16_383, 'Int16'],
    [16_384, 'Int32'],
    [100_000, 'Int32'],
  ] as const)('of %i options are %s', async ([options, indices]) => {
    const expected = indices === 'Int16' ? Int16 : Int32
    const single = (await schemaOf(enumOf('enum', options))).fields[2]?.type as Dictionary
    expect(single).toBeInstanceOf(Dictionary)
    expect(single.indices).toBeInstanceOf(expected)
    expect(single.isOrdered).toBe(false)
    const list = (await schemaOf(enumOf('set', options))).fields[2]?.type as List<Dictionary>
    expect(list).toBeInstanceOf(List)
    expect(list.children[0]).toMatchObject({ name: 'item', nullable: true })
    expect((list.children[0]!.type as Dictionary).indices).toBeInstanceOf(expected)
  })

  test('tell 300 options apart', async () => {
    const document = enumOf('set', 300) as { records: object[] }
    const ids = Array.from({ length: 300 }, (_, i) => `o${299 - i}`)
    document.records = [{ ownerId: 'p1', fields: [{ id: 'f1', values: ids }] }]
    const table = await readOnce(Buffer.from(JSON.stringify(document)))
    expect(table.rows[0]?.[2]).toEqual(ids.map((id) => id.replace('o', 'Option ')))
  })
})

describe('fields', () => {
  const bytes = surveyJson(50)

  test('keeps the questions that are named or whose id is given, in the order of the definition', async () => {
    const all = await readOnce(bytes)
    const some = await readOnce(bytes, { fields: ['Why', QUESTIONS[0]?.id ?? ''] })
    expect(some.columns.map(([name]) => name)).toEqual(['ownerId', 'lastUpdateDate', 'Choice', 'Why', 'skipped'])
    expect(some.rows.map((row) => row.slice(0, 4))).toEqual(all.rows.map((row) => [row[0], row[1], row[2], row[6]]))
    expect(some.rows.map((row) => row[4])).toEqual(
      all.rows.map((row) => (row.at(-1) as string[]).filter((name) => name === 'Choice' || name === 'Why')),
    )
    expect(some.questions.map(({ name }) => name)).toEqual(['Choice', 'Why'])
  })

  test('does not look at the values of the others, but at their JSON', async () => {
    const damaged = bytes.toString().replaceAll(/"2026-02-06T[^"]*"/g, '"not a date"')
    expect(damaged).not.toBe(bytes.toString())
    await expect(readOnce(Buffer.from(damaged))).rejects.toMatchObject({ code: 'ERR_VALUE' })
    const table = await readOnce(Buffer.from(damaged), { fields: ['Choice'] })
    expect(table.rows).toHaveLength(50)
    const broken = Buffer.from(damaged.replace('"not a date', '"not a date \\x'))
    await expect(readOnce(broken, { fields: ['Choice'] })).rejects.toMatchObject({ code: 'ERR_JSON_SYNTAX' })
  })

  test('none: the records alone', async () => {
    const table = await readOnce(bytes, { fields: [] })
    expect(table.columns.map(([name]) => name)).toEqual(['ownerId', 'lastUpdateDate', 'skipped'])
    expect(table.rows).toHaveLength(50)
  })

  test('that match nothing are an error', async () => {
    await expect(readExport(bytes, { fields: ['Wye'] })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining('"Wye"'),
    })
  })
})

test.for([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a batch size of %d is an error', async (batchSize) => {
  await expect(readExport(surveyJson(1), { batchSize })).rejects.toMatchObject({ code: 'ERR_OPTION' })
})

test('every batch has the same schema object, and buffers of its own', async () => {
  const reader = await readExport(surveyJson(30), { batchSize: 10 })
  const batches = await collect(reader, 10)
  expect(batches.map(({ numRows }) => numRows)).toEqual([10, 10, 10])
  for (const batch of batches) expect(batch.schema.fields).toEqual(reader.schema.fields)
  const buffers = batches.map((batch) => batch.data.children[0]?.values.buffer)
  expect(new Set(buffers).size).toBe(3)
})
