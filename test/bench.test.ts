import { describe, expect, test } from 'vitest'
import {
  addCell,
  type ColumnSum,
  differingColumns,
  listHash,
  numberHash,
  textHash,
  timeHash,
} from '../bench/checksum.ts'
import { exportJson, type Tally } from '../bench/generate.ts'
import { type HistoryEntry, regressions } from '../bench/history.ts'
import { SHAPES, type Shape } from '../bench/shapes.ts'

interface ParsedExport {
  definition: {
    fields: { id: string; name: string; type: { dataType: string; values?: { id: string; name: string }[] } }[]
  }
  records: { ownerId: string; lastUpdateDate: string; fields: { id: string; values: (string | number)[] | null }[] }[]
}

function generate(shape: Shape, records: number, seed = 1): { json: string; tally: Tally } {
  const tally: Tally = { shape: shape.name, bytes: 0, records: 0, answers: 0, skipped: 0, values: 0, columns: [] }
  return { json: [...exportJson(shape, records, seed, tally)].join(''), tally }
}

/** The checksums again, from the parsed text alone. */
function sumsOf({ definition, records }: ParsedExport): ColumnSum[] {
  const sums = new Map<string, ColumnSum>()
  for (const name of ['ownerId', 'lastUpdateDate', ...definition.fields.map((field) => field.name)]) {
    sums.set(name, { name, count: 0, sum: 0 })
  }
  const fields = new Map(definition.fields.map((field) => [field.id, field]))
  for (const [row, record] of records.entries()) {
    addCell(sums.get('ownerId')!, row, textHash(record.ownerId))
    addCell(sums.get('lastUpdateDate')!, row, timeHash(Date.parse(record.lastUpdateDate)))
    for (const { id, values } of record.fields) {
      const field = fields.get(id)!
      if (values !== null) addCell(sums.get(field.name)!, row, hashOf(field, values))
    }
  }
  return [...sums.values()]
}

function hashOf(field: ParsedExport['definition']['fields'][number], values: (string | number)[]): number {
  const label = (id: string | number) => textHash(field.type.values?.find((option) => option.id === id)?.name ?? '')
  const [first = ''] = values
  switch (field.type.dataType) {
    case 'enum':
      return label(first)
    case 'set':
      return listHash(values.map(label))
    case 'double':
      return numberHash(Number(first))
    case 'datetime':
      return timeHash(Date.parse(String(first)))
    default:
      return textHash(String(first))
  }
}

describe('generated exports', () => {
  test.each(Object.values(SHAPES).map((shape) => [shape.name, shape] as const))(
    '%s: the tally is what the JSON holds',
    (_, shape) => {
      const { json, tally } = generate(shape, 25)
      const parsed = JSON.parse(json) as ParsedExport
      const answers = parsed.records.flatMap((record) => record.fields)
      expect(tally.records).toBe(parsed.records.length)
      expect(tally.answers).toBe(answers.length)
      expect(tally.skipped).toBe(answers.filter((answer) => answer.values === null).length)
      expect(differingColumns(tally.columns, sumsOf(parsed))).toEqual([])
    },
  )

  test('are the same for the same seed, and others for another', () => {
    const [first, again, other] = [
      generate(SHAPES.typical, 5),
      generate(SHAPES.typical, 5),
      generate(SHAPES.typical, 5, 2),
    ]
    expect(again).toEqual(first)
    expect(other.json).not.toBe(first.json)
  })

  test('pretty holds the same export as typical', () => {
    expect(JSON.parse(generate(SHAPES.pretty, 10).json)).toEqual(JSON.parse(generate(SHAPES.typical, 10).json))
  })
})

describe('checksums', () => {
  const { json, tally } = generate(SHAPES.typical, 25)
  const damaged = (damage: (parsed: ParsedExport) => void) => {
    const parsed = JSON.parse(json) as ParsedExport
    damage(parsed)
    return differingColumns(tally.columns, sumsOf(parsed))
  }

  test('find a lost, a swapped and a changed answer, and rows out of order', () => {
    expect(damaged((parsed) => parsed.records[3]!.fields.pop())).toHaveLength(1)
    expect(damaged((parsed) => swap(parsed.records, 4, 5)).length).toBeGreaterThan(2)
    expect(damaged((parsed) => parsed.records.pop()).length).toBeGreaterThan(2)
    expect(damaged((parsed) => swap(parsed.definition.fields[0]!.type.values!, 0, 1, 'name'))).not.toEqual([])
  })

  test('tell an empty list from null, and -0 from 0', () => {
    expect(listHash([])).not.toBe(0)
    expect(numberHash(-0)).not.toBe(numberHash(0))
  })
})

function swap<T>(items: T[], a: number, b: number, member?: keyof T): void {
  const [first, second] = [items[a]!, items[b]!]
  if (member === undefined) [items[a], items[b]] = [second, first]
  else [first[member], second[member]] = [second[member], first[member]]
}

describe('regressions', () => {
  const entry = (megabytesPerSecond: number, changes: Partial<HistoryEntry> = {}): HistoryEntry => ({
    date: '2026-01-01T00:00:00Z',
    commit: 'abc1234',
    isDirty: false,
    machine: 'one',
    busyShare: 0,
    node: 'v20.20.2',
    shape: 'typical',
    records: 100,
    megabytes: 1,
    runs: 1,
    results: ['ours-parquet', 'polars'].map((name) => ({
      name,
      title: name,
      makes: 'parquet',
      figures: { seconds: 1, cpuSeconds: 1, peakRssBytes: 1, megabytesPerSecond },
    })),
    ...changes,
  })

  test('more than 10 % below the last run of the same machine is reported, for ours only', () => {
    expect(regressions(entry(89), [entry(50), entry(100)])).toEqual([
      expect.stringContaining('ours-parquet: 89 MB/s, 11 % less'),
    ])
    expect(regressions(entry(91), [entry(200), entry(100)])).toEqual([])
  })

  test('other machines, sizes and busy runs are not compared', () => {
    expect(regressions(entry(10), [entry(100, { machine: 'other' })])).toEqual([])
    expect(regressions(entry(10), [entry(100, { records: 99 })])).toEqual([])
    expect(regressions(entry(10), [entry(100, { busyShare: 0.5 })])).toEqual([])
    expect(regressions(entry(10, { busyShare: 0.5 }), [entry(100)])).toEqual([])
  })
})
