import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { invalidCases, SAMPLE, validCases } from './fixture-cases.ts'
import type { PlainTable } from './plain-table.ts'
import { type Reading, readAll, refusalOf } from './reading.ts'

interface Expected {
  columns: [string, string][]
  rows: PlainTable['rows']
  state: string[]
  dictionaries?: Record<string, string[]>
  warnings?: { kind: string; count: number; fieldName?: string; fieldId?: string }[]
}

interface ExpectedError {
  code?: string
  messageIncludes?: string[]
  record?: number
  byteOffset?: number
}

/** JSON has no negative zero. */
function cellOf(value: Expected['rows'][number][number]): unknown {
  return value === '-0.0' ? -0 : value
}

function statesOf(rows: PlainTable['rows'], questions: string[]): string[] {
  return rows.map((row) => {
    const skipped = row.at(-1) as readonly string[]
    return questions.map((name, i) => (skipped.includes(name) ? 'S' : row[i + 2] === null ? 'N' : 'A')).join('')
  })
}

function countsOf(state: string[], letter: string, question: number): number {
  return state.filter((letters) => letters[question] === letter).length
}

function expectWarnings(found: Reading['warnings'], expected: NonNullable<Expected['warnings']>): void {
  const line = ({ kind, count }: { kind: string; count: number }) => `${kind} ${count}`
  expect(found.map(line).sort()).toEqual(expected.map(line).sort())
  for (const warning of expected) expect(found).toContainEqual(expect.objectContaining(warning))
}

describe('valid', () => {
  test.for(validCases())('$name', async ({ bytes, expected }) => {
    const { columns, rows, state, dictionaries = {}, warnings = [] } = expected as Expected
    const questions = columns.slice(2).map(([name]) => name)
    const table = await readAll(bytes)
    expect(table.columns).toEqual([...columns, ['skipped', 'list<dictionary<utf8>>']])
    expect(table.rows.map((row) => row.slice(0, -1))).toEqual(rows.map((row) => row.map(cellOf)))
    expect(statesOf(table.rows, questions)).toEqual(state)
    expect(table.questions).toEqual(
      questions.map((name, i) => ({
        name,
        answered: countsOf(state, 'A', i),
        skipped: countsOf(state, 'S', i),
        notAsked: countsOf(state, 'N', i),
      })),
    )
    expect(table.dictionaries.get('skipped')).toEqual(questions)
    for (const [name, labels] of Object.entries(dictionaries)) expect(table.dictionaries.get(name)).toEqual(labels)
    expectWarnings(table.warnings, warnings)
  })

  test('the sample', async () => {
    const table = await readAll(readFileSync(SAMPLE))
    expect(table.rows).toHaveLength(300)
    expect(new Set(table.columns.map(([, type]) => type))).toEqual(
      new Set(['utf8', 'float64', 'timestamp[us, UTC]', 'dictionary<utf8>', 'list<dictionary<utf8>>']),
    )
    expect(table.warnings.map(({ kind }) => kind)).toContain('unknown-option')
  })
})

describe('invalid', () => {
  test.for(invalidCases())('$name', async ({ bytes, expected }) => {
    const { code, messageIncludes = [], record, byteOffset } = expected as ExpectedError
    const error = await refusalOf(bytes)
    if (code !== undefined) expect(error.code).toBe(code)
    for (const text of messageIncludes) expect(error.message).toContain(text)
    expect(error.message).not.toMatch(/[\n\r]/)
    if (record !== undefined) expect(error.record).toBe(record)
    if (byteOffset !== undefined) expect(error.byteOffset).toBe(byteOffset)
  })
})
