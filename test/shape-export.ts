/** Small random exports whose names do not clash, so that a simple model can say what their shapes are. */

import fc from 'fast-check'

const TYPES = ['enum', 'set', 'double', 'datetime', 'string', 'identifier', 'other'] as const

const TEXTS = [
  '',
  'a',
  'Ja, "klar"',
  'naïve 😀',
  'a rather long text that is copied in one piece, and not byte by byte',
]

function guid(kind: number, n: number): string {
  return `${String(kind).padStart(8, '0')}-0000-4000-8000-${String(n).padStart(12, '0')}`
}

/** One answer: undefined when the question was not asked. */
function answerOf(type: (typeof TYPES)[number], question: number, options: number, draw: number): unknown {
  if (draw % 5 === 0) return undefined
  if (draw % 5 === 1) return null
  const option = (n: number) => guid(100 + question, n)
  switch (type) {
    case 'enum':
      // One more than there are, so that some are not in the definition.
      return [option(draw % (options + 1))]
    case 'set':
      return Array.from({ length: draw % 4 }, (_, i) => option((draw + i) % (options + 2))).filter(
        (id, i, all) => all.indexOf(id) === i,
      )
    case 'double':
      return [draw / 4]
    case 'datetime':
      return [new Date(draw * 1e7).toISOString()]
    default:
      return [TEXTS[draw % TEXTS.length]]
  }
}

export const exportArbitrary: fc.Arbitrary<Uint8Array> = fc
  .record({
    questions: fc.array(
      fc.record({ type: fc.constantFrom(...TYPES), options: fc.nat(9), group: fc.constantFrom(0, 0, 1, 2) }),
      { minLength: 1, maxLength: 7 },
    ),
    draws: fc.array(fc.array(fc.nat(1000), { minLength: 7, maxLength: 7 }), { maxLength: 12 }),
    hasOwners: fc.boolean(),
  })
  .map(({ questions, draws, hasOwners }) => {
    const fields = questions.map(({ type, options, group }, i) => ({
      id: guid(1, i),
      name: group === 0 ? `Q${i}` : `Grid ${group}_row ${i}`,
      type: {
        dataType: type,
        values: Array.from({ length: options }, (_, k) => ({ id: guid(100 + i, k), name: `option ${k} of ${i}` })),
      },
    }))
    const fieldGroups = [1, 2].map((group) => ({
      id: guid(2, group),
      name: `Grid ${group}`,
      fieldIds: fields.filter((_, i) => questions[i]?.group === group).map(({ id }) => id),
    }))
    const records = draws.map((record, n) => ({
      ...(hasOwners || n % 2 === 0 ? { ownerId: guid(3, n) } : {}),
      lastUpdateDate: '2026-03-01T10:00:00Z',
      fields: questions
        .map(({ type, options }, i) => ({ id: guid(1, i), values: answerOf(type, i, options, record[i]!) }))
        .filter(({ values }) => values !== undefined),
    }))
    return Buffer.from(JSON.stringify({ definition: { fields, fieldGroups }, records }))
  })
