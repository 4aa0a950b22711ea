/** The fast path reads what the general path reads, in whatever way a document is written. */

import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectSame } from './expect-same.ts'
import { exportArbitrary, exportBytes, layoutArbitrary } from './export-arbitrary.ts'
import { type Doc, writtenJson } from './json-layout.ts'
import { factsOf, type Reading, readOnce } from './reading.ts'
import { OPTION_IDS, QUESTIONS, surveyJson } from './survey.ts'

const RECORDS = 40
const COMPACT = surveyJson(RECORDS)
let expected: Reading

beforeAll(async () => {
  expected = await readOnce(COMPACT, {}, { useKernel: false })
  expect(expected.rows).toHaveLength(RECORDS)
})

async function expectSurvey(bytes: Uint8Array): Promise<void> {
  for (const windowBytes of [512, undefined]) {
    expect(await readOnce(bytes, {}, { useKernel: true, windowBytes })).toEqual(expected)
    expect(await readOnce(bytes, {}, { useKernel: false, windowBytes })).toEqual(expected)
  }
}

function docOf(value: unknown): Doc {
  if (Array.isArray(value)) return value.map(docOf)
  if (typeof value !== 'object' || value === null) return { source: JSON.stringify(value) }
  return { members: Object.entries(value).map(([key, member]): [string, Doc] => [key, docOf(member)]) }
}

const text = COMPACT.toString()

/** The row without the question of unknown type, whose values are kept as they are written. */
function withoutJson(row: readonly unknown[]): unknown[] {
  return row.toSpliced(JSON_COLUMN, 1)
}

const JSON_COLUMN = 2 + QUESTIONS.findIndex(({ type }) => type.dataType === 'matrix')

describe('the survey, written', () => {
  test.for<[string, string]>([
    ['compact', text],
    ['with one space', JSON.stringify(JSON.parse(text), null, ' ')],
    ['with ten spaces', JSON.stringify(JSON.parse(text), null, 10)],
    ['with tabs', JSON.stringify(JSON.parse(text), null, '\t')],
    ['with CRLF', JSON.stringify(JSON.parse(text), null, 2).replaceAll('\n', '\r\n')],
    ['as Python writes it', text.replaceAll(/(?<=["}\]el\d])([,:])(?=["{[ntf])/g, '$1 ')],
    ['with spaces before commas', text.replaceAll('","', '" ,"').replaceAll('},{', '} , {')],
    ['with spaces inside brackets', text.replaceAll('["', '[ "').replaceAll('"]', '" ]').replaceAll('}]', '} ]')],
    ['with spaces before colons', text.replaceAll('":', '" :')],
    ['with values first', text.replaceAll(/\{"id":"([^"]+)","values":(null|\[[^\]]*\])\}/g, '{"values":$2,"id":"$1"}')],
    ['with another member first', text.replaceAll('{"id":"f', '{"order":1,"id":"f')],
    ['with another member last', text.replaceAll('"]}', '"],"more":{"id":"x"}}')],
    ['with ids in upper case', text.replaceAll(/[bf]0000000-0000-4000-8000-\w+/g, (id) => id.toUpperCase())],
    ['with an escape in a key', text.replaceAll('"values"', '"v\\u0061lues"')],
    ['with an escape in every id', text.replaceAll('"b0000000', '"\\u00620000000')],
    ['in two layouts', `${text.slice(0, text.length / 2)}${text.slice(text.length / 2).replaceAll('","', '" , "')}`],
  ])('%s', async ([name, written]) => {
    if (name !== 'compact') expect(written).not.toBe(text)
    // What compact JSON of unknown types and texts hold must not have been changed by the replacements above.
    expect(JSON.parse(JSON.stringify(JSON.parse(written))).records).toHaveLength(RECORDS)
    const bytes = Buffer.from(written)
    if (name === 'with ids in upper case') {
      const table = await readOnce(bytes)
      expect(table.rows).toEqual(expected.rows)
      expect(await readOnce(bytes, {}, { useKernel: false })).toEqual(table)
    } else {
      await expectSurvey(bytes)
    }
  })

  test('in random layouts', async () => {
    const document = docOf(JSON.parse(text))
    await fc.assert(
      fc.asyncProperty(layoutArbitrary, async (layout) => {
        const bytes = writtenJson(document, layout)
        const table = await readOnce(bytes)
        expect(table).toEqual(await readOnce(bytes, {}, { useKernel: false }))
        expect(table.rows.map(withoutJson)).toEqual(expected.rows.map(withoutJson))
      }),
      { numRuns: 40 },
    )
  })
})

test('random exports read alike with and without the fast path', async () => {
  const window = fc.constantFrom(256, undefined)
  await fc.assert(
    fc.asyncProperty(exportArbitrary({ faults: true, mostRecords: 20 }), window, async (generated, windowBytes) => {
      const bytes = exportBytes(generated)
      const outcome = (useKernel: boolean) =>
        readOnce(bytes, { fields: generated.fields }, { useKernel, windowBytes }).catch(factsOf)
      expectSame(await outcome(true), await outcome(false))
    }),
    // Making a counterexample smaller takes minutes; its seed is enough.
    { numRuns: 300, endOnFailure: true },
  )
})

describe('what only looks like the layout', () => {
  const [choice, choices] = QUESTIONS
  const [a, b, c] = OPTION_IDS
  const filler = `{"id":"${choice?.id}","values":["${a}"]},{"id":"${choices?.id}","values":["${b}"]}`

  async function readRecord(answers: string) {
    const definition = JSON.stringify({ fields: QUESTIONS })
    const records = [filler, answers].map((fields, n) => `{"ownerId":"${n}","fields":[${fields}]}`)
    const bytes = Buffer.from(`{"definition":${definition},"records":[${records.join()}]}`)
    const outcome = (useKernel: boolean) =>
      readOnce(bytes, {}, { useKernel }).then(
        (table) => ({ row: table.rows[1], warnings: table.warnings.map(({ kind }) => kind) }),
        (error: { code: string; message: string }) => ({ code: error.code, message: error.message }),
      )
    const fast = await outcome(true)
    expect(fast).toEqual(await outcome(false))
    return fast
  }

  test.for<[string, string, object]>([
    ['two options for one', `{"id":"${choice?.id}","values":["${a}","${b}"]}`, { code: 'ERR_TOO_MANY_VALUES' }],
    ['the same answer twice', `${filler},{"id":"${choice?.id}","values":["${a}"]}`, {}],
    ['another answer', `${filler},{"id":"${choice?.id}","values":["${b}"]}`, { code: 'ERR_FIELD_REPEATED' }],
    ['a key repeated', `{"id":"${choice?.id}","values":["${a}"],"values":["${a}"]}`, { code: 'ERR_RECORD' }],
    ['an id repeated', `{"id":"${choice?.id}","values":["${a}"],"id":"${choice?.id}"}`, { code: 'ERR_RECORD' }],
    ['an option twice', `{"id":"${choices?.id}","values":["${a}","${c}","${a}"]}`, {}],
    ['null among options', `{"id":"${choices?.id}","values":["${a}",null,"${b}"]}`, {}],
    ['a comma too many', `{"id":"${choices?.id}","values":["${a}",]}`, { code: 'ERR_JSON_SYNTAX' }],
    ['a comma missing', `{"id":"${choices?.id}","values":["${a}""${b}"]}`, { code: 'ERR_JSON_SYNTAX' }],
    ['a bracket missing', `{"id":"${choices?.id}","values":["${a}"},{"id":"x"}`, { code: 'ERR_JSON_SYNTAX' }],
    ['a comma at the end', `${filler},`, { code: 'ERR_JSON_SYNTAX' }],
    ['two commas', `${filler},,${filler}`, { code: 'ERR_JSON_SYNTAX' }],
    ['a brace missing', `{"id":"${choice?.id}","values":["${a}"],{"id":"x"}`, { code: 'ERR_JSON_SYNTAX' }],
    ['an option of 36 other characters', `{"id":"${choice?.id}","values":["${'é'.repeat(18)}"]}`, {}],
    ['an option with a quote', `{"id":"${choice?.id}","values":["${'x'.repeat(34)}\\""]}`, {}],
    ['a field of 36 other characters', `{"id":"${'y'.repeat(36)}","values":["${a}"]}`, {}],
    ['an option that ends inside', `{"id":"${choice?.id}","values":["b","${a}"]}`, { code: 'ERR_TOO_MANY_VALUES' }],
  ])('%s', async ([, answers, result]) => {
    expect(await readRecord(answers)).toMatchObject(result)
  })
})
