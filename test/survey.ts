/** A survey with a question of every type and as many records as a test asks for, each different and predictable. */

const guid = (kind: string, n: number) => `${kind}0000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

export const OPTION_IDS = [1, 2, 3].map((n) => guid('b', n))

const OPTIONS = OPTION_IDS.map((id, i) => ({ id, name: `Option ${i + 1}` }))

export const QUESTIONS = [
  { id: guid('f', 1), name: 'Choice', type: { dataType: 'enum', values: OPTIONS } },
  { id: guid('f', 2), name: 'Choices', type: { dataType: 'set', values: OPTIONS } },
  { id: guid('f', 3), name: 'Amount', type: { dataType: 'double' } },
  { id: guid('f', 4), name: 'When', type: { dataType: 'datetime' } },
  { id: guid('f', 5), name: 'Why', type: { dataType: 'string' } },
  { id: guid('f', 6), name: 'Code', type: { dataType: 'identifier' } },
  { id: guid('f', 7), name: 'New', type: { dataType: 'matrix' } },
]

/** Every answer in turn is given, skipped or missing; every hundredth text is long. */
export function surveyRecord(n: number): object {
  const values: unknown[] = [
    [OPTION_IDS[n % 3]],
    n % 4 === 0 ? [] : OPTION_IDS.slice(0, n % 4),
    [n / 8],
    [`2026-02-${String((n % 28) + 1).padStart(2, '0')}T10:00:00.${String(n % 1000).padStart(3, '0')}Z`],
    [n % 100 === 0 ? `Long: ${'naïve 😀 '.repeat(200)}` : `Because of ${n} reasons`],
    [String(n).padStart(7, '0')],
    [{ x: n }],
  ]
  const answers = values.map((value, i) => ({ id: QUESTIONS[i]?.id, values: (n + i) % 5 === 0 ? null : value }))
  return {
    ownerId: guid('a', n),
    lastUpdateDate: '2026-03-01T10:00:00Z',
    fields: answers.filter((_, i) => (n + i) % 7 !== 0),
  }
}

export function surveyRecords(count: number): object[] {
  return Array.from({ length: count }, (_, n) => surveyRecord(n))
}

/** The document, its members in this order. */
export function surveyJson(records: number, { recordsFirst = false, indent = '' } = {}): Buffer {
  const definition = { fields: QUESTIONS, fieldGroups: [] }
  const list = surveyRecords(records)
  const document = recordsFirst
    ? { id: 'e1', records: list, definition }
    : { id: 'e1', exportDate: '2026-03-01T06:00:00.000Z', definition, records: list }
  return Buffer.from(JSON.stringify(document, null, indent))
}
