import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainText } from '../src/plan/plain-text.ts'
import { loadSnakeCase } from '../src/plan/snake-case.ts'
import { type ReadOptions, readExport } from '../src/reader.ts'

const SAMPLE = readFileSync('fixtures/sample-export.json')

interface FieldJson {
  id: string
  name: string
  type?: unknown
  isSensitive?: boolean
  meta?: unknown
}

function exportOf(fields: readonly FieldJson[], fieldGroups: unknown[] = []): Uint8Array {
  return Buffer.from(JSON.stringify({ definition: { fields, fieldGroups }, records: [] }))
}

async function namesOf(bytes: Uint8Array, options: ReadOptions): Promise<string[]> {
  const { schema } = await readExport(bytes, options)
  return schema.fields.map((field) => field.name)
}

/** The questions' own columns. */
async function questionNames(bytes: Uint8Array, options: ReadOptions): Promise<string[]> {
  return (await namesOf(bytes, options)).slice(2, -1)
}

function named(name: string, n: number, description = ''): FieldJson {
  return { id: `f0000000-0000-4000-8000-00000000000${n}`, name, type: { dataType: 'string' }, meta: { description } }
}

describe('what columns are called', () => {
  test.each([
    ['name', ['Größe (cm)', 'Q2 HTML', 'order']],
    ['id', [1, 2, 3].map((n) => `f0000000-0000-4000-8000-00000000000${n}`)],
    ['description', ['Wie groß?', 'Why so & not otherwise?', 'order']],
    ['snake', ['grosse_cm', 'q2_html', 'q_order']],
  ] as const)('%s', async (names, expected) => {
    const bytes = exportOf([
      named('Größe (cm)', 1, 'Wie groß?'),
      named('Q2 HTML', 2, '<p>Why so &amp; <b>not</b><br>otherwise?</p>'),
      named('order', 3),
    ])
    expect(await questionNames(bytes, { names })).toEqual(expected)
  })

  test('those that clash get a suffix of their own, whatever their order', async () => {
    const fields = [named('Age', 1, 'Old?'), named('AGE', 2, 'old?'), named('Other', 3), named('ownerId', 4, 'skipped')]
    for (const names of ['description', 'snake', 'id'] as const) {
      const forward = await questionNames(exportOf(fields), { names })
      const backward = await questionNames(exportOf([...fields].reverse()), { names })
      expect(backward.reverse()).toEqual(forward)
      expect(new Set(forward.map((name) => name.toLowerCase())).size).toBe(fields.length)
    }
    expect((await questionNames(exportOf(fields), { names: 'snake' }))[0]).toMatch(/^age_[0-9a-f]{6}$/)
  })

  test('they do not depend on which questions are kept', async () => {
    const fields = [named('Age', 1), named('Age', 2)]
    for (const names of ['name', 'snake'] as const) {
      const all = await questionNames(exportOf(fields), { names })
      expect(await questionNames(exportOf(fields), { names, fields: [fields[1]!.id] })).toEqual(all.slice(1))
    }
  })

  test('columns beside the answers never take a question’s name', async () => {
    const bytes = exportOf([named('Q', 1), named('q__STATE', 2)])
    expect(await namesOf(bytes, { answerStates: 'columns' })).toEqual([
      'ownerId',
      'lastUpdateDate',
      'Q',
      'Q__state_2',
      'q__STATE',
      'q__STATE__state',
    ])
  })

  test('struct members lose the group’s name; groups and questions share one set of names', async () => {
    const fields = [named('Grid_a', 1), named('Grid_b', 2), named('Elsewhere', 3), named('grid', 4)]
    const groups = [{ id: 'g1', name: 'Grid', fieldIds: [1, 2, 3].map((n) => fields[n - 1]!.id) }]
    const { schema } = await readExport(exportOf(fields, groups), { groups: 'struct' })
    expect(schema.fields.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'ownerId: Utf8',
      'lastUpdateDate: Timestamp<MICROSECOND, UTC>',
      'Grid: Struct<{a:Utf8, b:Utf8, Elsewhere:Utf8}>',
      'grid_2: Utf8',
      'skipped: List<Dictionary<Int8, Utf8>>',
    ])
  })

  test('snake names are safe in SQL, whatever the text', async () => {
    const snakeCase = await loadSnakeCase()
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(snakeCase(text, 30)).toMatch(/^([a-z0-9]+(_[a-z0-9]+)*)?$/)
        expect(snakeCase(text, 30).length).toBeLessThanOrEqual(30)
      }),
    )
    expect(snakeCase('性別 StartedDate Q10a', 40)).toMatch(/^[a-z_]+_started_date_q10a$|^[a-z_]+_started_date_q10_a$/)
  })
})

describe('which questions', () => {
  const kept = (options: ReadOptions) => questionNames(SAMPLE, options)

  test.each<[ReadOptions, string[]]>([
    [{ fields: ['age*', 'Gender'] }, ['AgeGroup', 'Gender']],
    [
      { fields: ['satisfaction_*'], exclude: ['*website', 'Satisfaction_Food'] },
      ['Satisfaction_Coffee', 'Satisfaction_Prices', 'Satisfaction_Staff & service'],
    ],
    [{ fields: ['6eadac2d-436e-45a0-a0bd-faecd0ab2535'] }, ['InvitationDate']],
    [{ fields: ['Email', 'Gender'], sensitive: 'drop' }, ['Gender']],
  ])('%o', async (options, expected) => {
    expect(await kept(options)).toEqual(expected)
  })

  test('hidden and system questions', async () => {
    const all = await kept({})
    const left = await kept({ hidden: false, system: false })
    expect(all.filter((name) => !left.includes(name))).toEqual([
      'InvitationDate',
      'StartedDate',
      'CompletedDate',
      'ResponseStatus',
      'DisplayType',
      'RespondentLocale',
      'Quota cell',
      'Voucher',
    ])
  })

  test('a name shown by --names selects, too', async () => {
    expect(await kept({ names: 'snake', fields: ['age_group'] })).toEqual(['age_group'])
  })
})

describe('texts without HTML', () => {
  test.each([
    ['<p>How <b>old</b>&nbsp;are you?</p>', 'How old are you?'],
    ['a<br/>b<li>c</li>d', 'a b c d'],
    ['1 &lt; 2 &amp;amp; 3', '1 < 2 &amp; 3'],
    ['<style>p{}</style>Text<script>x()</script>', 'Text'],
    ['no tags, 1 < 2', 'no tags, 1 < 2'],
    ['cut <b', 'cut'],
  ])('%s', (html, text) => {
    expect(plainText(html)).toBe(text)
  })

  test('labels and question texts are cleaned; raw ones stay in the metadata', async () => {
    const options = [
      { id: 'o1', name: '<b>Tea</b>' },
      { id: 'o2', name: 'Tea' },
      { id: 'o3', name: '<img src="x">' },
    ]
    const field = { ...named('Drink', 1, '<p>Tea &amp; more?</p>'), type: { dataType: 'enum', values: options } }
    const { schema, columns } = await readExport(exportOf([field]), { stripHtml: true })
    expect(columns[2]?.labels).toEqual(['Tea', 'Tea (2)', '<img src="x">'])
    const metadata = schema.fields[2]!.metadata
    expect(metadata.get('alida:text')).toBe('Tea & more?')
    expect(metadata.get('alida:description')).toBe('<p>Tea &amp; more?</p>')
    expect(JSON.parse(metadata.get('alida:options')!)[0]).toEqual({ id: 'o1', name: '<b>Tea</b>', label: 'Tea' })
  })
})
