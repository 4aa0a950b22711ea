import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FieldDefinition } from '../src/definition.ts'
import { questionNames } from '../src/plan/name-modes.ts'
import { optionLabels, unknownOptionLabel } from '../src/plan/names.ts'

const RESERVED = ['ownerId', 'lastUpdateDate', 'skipped']

function namesOf(...names: string[]): string[] {
  return questionNames(
    names.map((name, i) => ({ id: `id${i}`, name }) as FieldDefinition),
    { mode: 'name' },
    new Set(RESERVED.map((name) => name.toLowerCase())),
  )
}

function labelsOf(...names: string[]): string[] {
  return optionLabels(names.map((name, i) => ({ id: `o${i}`, name })))
}

const name = fc.oneof(
  fc.constantFrom(
    'Q',
    'q',
    'Q_2',
    'q_2',
    'Q_3',
    'Q_2_2',
    'ownerId',
    'OWNERID',
    'Skipped',
    'skipped_2',
    '',
    '__proto__',
  ),
  fc.string({ maxLength: 3 }),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
)

describe('names of columns', () => {
  test('are unique without regard to case, of the questions among themselves and beside the system columns', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 30 }), (names) => {
        const unique = new Set([...RESERVED, ...namesOf(...names)].map((text) => text.toLowerCase()))
        expect(unique.size).toBe(names.length + RESERVED.length)
      }),
      { numRuns: 2000 },
    )
  })

  test('keep the first of a name, and begin with the name where they differ', () => {
    fc.assert(
      fc.property(
        fc.array(
          name.filter((text) => text !== ''),
          { maxLength: 30 },
        ),
        (names) => {
          const given = namesOf(...names)
          for (const [i, wanted] of names.entries()) {
            const folded = wanted.toLowerCase()
            const isFirst = names.findIndex((other) => other.toLowerCase() === folded) === i
            const isReserved = RESERVED.some((reserved) => reserved.toLowerCase() === folded)
            if (isFirst && !isReserved) expect(given[i]).toBe(wanted)
            else expect(given[i]).toMatch(/_\d+$/)
            expect(given[i]?.startsWith(wanted)).toBe(true)
          }
        },
      ),
    )
  })

  test.for([
    [
      ['A', 'A', 'A'],
      ['A', 'A_2', 'A_3'],
    ],
    [
      ['A', 'a'],
      ['A', 'a_2'],
    ],
    [
      ['A', 'A', 'A_2'],
      ['A', 'A_3', 'A_2'],
    ],
    [
      ['ownerid', 'SKIPPED'],
      ['ownerid_2', 'SKIPPED_2'],
    ],
    [
      ['', ''],
      ['id0', 'id1'],
    ],
    [
      ['Straße', 'STRASSE'],
      ['Straße', 'STRASSE'],
    ],
    [
      [' A', 'A', 'A '],
      [' A', 'A', 'A '],
    ],
  ] as const)('%j → %j', ([names, expected]) => {
    expect(namesOf(...names)).toEqual(expected)
  })

  test('take no longer than linear time for many equal names', () => {
    const names = namesOf(...Array<string>(50_000).fill('same'))
    expect(new Set(names).size).toBe(50_000)
    expect(names.at(-1)).toBe('same_50000')
  })
})

describe('optionLabels', () => {
  test('are unique, and the first of a name keeps it', () => {
    const label = fc.oneof(fc.constantFrom('A', 'a', 'A (2)', 'A (3)', 'A (2) (2)'), fc.string({ maxLength: 2 }))
    fc.assert(
      fc.property(fc.array(label, { maxLength: 30 }), (names) => {
        const labels = labelsOf(...names)
        expect(new Set(labels).size).toBe(names.length)
        for (const [i, wanted] of names.entries()) if (names.indexOf(wanted) === i) expect(labels[i]).toBe(wanted)
      }),
      { numRuns: 2000 },
    )
  })

  test.for([
    [
      ['Yes', 'yes'],
      ['Yes', 'yes'],
    ],
    [
      ['A', 'A', 'A'],
      ['A', 'A (2)', 'A (3)'],
    ],
    [
      ['A', 'A', 'A (2)'],
      ['A', 'A (3)', 'A (2)'],
    ],
  ] as const)('%j → %j', ([names, expected]) => {
    expect(labelsOf(...names)).toEqual(expected)
  })
})

test('unknownOptionLabel is the id, or the id with a number when a label already says so', () => {
  const used = new Set(['Yes', 'gone', 'gone (2)'])
  expect(unknownOptionLabel('lost', used)).toBe('lost')
  expect(unknownOptionLabel('gone', used)).toBe('gone (3)')
  expect(unknownOptionLabel('gone', used)).toBe('gone (4)')
  expect(used.size).toBe(6)
})
