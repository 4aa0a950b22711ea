/** Random exports for fast-check: every data type, odd names, unknown options and fields, skips, repeats, faults. */

import fc from 'fast-check'
import type { ShapeOptions } from '../src/shape/options.ts'
import { type Doc, type Layout, writtenJson } from './json-layout.ts'
import type { Way } from './three-readings.ts'
import type { WrittenForm } from './written-output.ts'

export interface GeneratedExport {
  document: Doc
  layout: Layout
  /** Questions to read, as the option `fields`; undefined for all. */
  fields: string[] | undefined
}

interface Question {
  id: string
  name: string
  dataType: string
  options: { id: string; name: string }[]
}

export function exportBytes({ document, layout }: GeneratedExport): Buffer {
  return writtenJson(document, layout)
}

const text = (value: string): Doc => ({ text: value })
const source = (value: string): Doc => ({ source: value })
const NULL = source('null')

const guid = fc.uuid()
const LONE = ['\ud83d', 'a\udc00b', '\ud800\ud800']
const NAMES = [
  '',
  'Q1',
  'q1',
  'Q1_2',
  'Q1_3',
  'ownerId',
  'LASTUPDATEDATE',
  'skipped',
  'Skipped',
  '__proto__',
  'toString',
]
const oddText = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...NAMES,
      'Ja, "klar"',
      'a\\b/c\n\t',
      '😀 naïve 日本',
      '<b>Why?</b>',
      '\u2028\u0000\u007f',
    ),
  },
  { weight: 3, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
)
const textOrHalf = fc.oneof({ weight: 12, arbitrary: oddText }, { weight: 1, arbitrary: fc.constantFrom(...LONE) })

const optionId = fc.oneof(
  { weight: 6, arbitrary: guid },
  { weight: 2, arbitrary: fc.nat(20).map(String) },
  { weight: 1, arbitrary: oddText.filter((id) => id !== '') },
)

const question: fc.Arbitrary<Question> = fc
  .record({
    id: fc.oneof({ weight: 8, arbitrary: guid }, { weight: 1, arbitrary: oddText.filter((id) => id !== '') }),
    name: textOrHalf,
    dataType: fc.constantFrom(
      'enum',
      'set',
      'double',
      'datetime',
      'string',
      'identifier',
      'ENUM',
      'Set',
      'matrix',
      '',
      'boolean',
    ),
    options: fc.array(fc.record({ id: optionId, name: textOrHalf }), { maxLength: 8 }),
  })
  // A few questions have so many options that indices of 8 bits do not do.
  .chain((plain) =>
    fc.constantFrom(0, 0, 0, 0, 0, 70, 130).map((more) => ({
      ...plain,
      options: [
        ...plain.options,
        ...Array.from({ length: more }, (_, i) => ({ id: `o${i}`, name: `Option ${i % 100}` })),
      ],
    })),
  )

function definitionDoc(questions: readonly Question[], flags: number): Doc {
  const fields = questions.map((q): Doc => {
    const values: Doc = q.options.map((o) => ({
      members: [
        ['id', text(o.id)],
        ['name', text(o.name)],
      ],
    }))
    const type: Doc = {
      members: [['dataType', text(q.dataType)], ...(q.options.length > 0 ? [['values', values] as [string, Doc]] : [])],
    }
    const meta: Doc = {
      members: [
        ['description', text(`What about ${q.name}?`)],
        ['visibility', text('active')],
        ['isSystem', source('false')],
      ],
    }
    return {
      members: [
        ['id', text(q.id)],
        ['name', text(q.name)],
        ['type', type],
        ['isSensitive', source(flags % 2 === 0 ? 'false' : '"true"')],
        ['meta', meta],
      ],
    }
  })
  const groups: Doc = [
    {
      members: [
        ['id', text('g1')],
        ['name', text('Grid')],
        ['fieldIds', questions.slice(0, 2).map((q) => text(q.id))],
      ],
    },
  ]
  return {
    members: [
      ['fields', fields],
      ['fieldGroups', flags % 3 === 0 ? NULL : groups],
    ],
  }
}

const numberSource = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1',
    '7',
    '42',
    '1.50',
    '1E+2',
    '1e3',
    '5e-324',
    '1.7976931348623157E+308',
    '0.1',
    '-1.5e-07',
  ),
  fc.constantFrom(
    '9007199254740993',
    '123456789012345678901234567890',
    '0.30000000000000004',
    '2.2250738585072011e-308',
    '1e-400',
    '-0.0e5',
  ),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (Object.is(x, -0) ? '-0' : String(x))),
  fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 25n }), fc.nat(340), fc.boolean()).map(([digits, exponent, negative]) => {
    const all = digits.toString()
    const sign = negative ? '-' : ''
    return `${sign}${all[0]}.${all.slice(1) || '0'}e${exponent % 2 === 0 ? '' : '-'}${Math.min(exponent, 280)}`
  }),
)

const two = (value: number) => String(value).padStart(2, '0')
const instant = fc
  .record({
    year: fc.oneof(fc.integer({ min: 2, max: 9998 }), fc.integer({ min: 1960, max: 2040 })),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 1, max: 28 }),
    clock: fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59)),
    form: fc.nat(6),
    fraction: fc.oneof(fc.constantFrom('', '0', '5', '25', '250', '1234567', '999999999'), fc.nat(999_999).map(String)),
    zone: fc.constantFrom('', 'Z', 'z', '+02:00', '-0330', '+05', '+23:59', '-23:59', '-00:00', '+00'),
    separator: fc.constantFrom('T', 'T', 'T', 't', ' '),
  })
  .map(({ year, month, day, clock: [hour, minute, second], form, fraction, zone, separator }) => {
    const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
    if (form === 0) return date
    if (form === 1) return `${date}${separator}${two(hour)}:${two(minute)}${zone}`
    const part = form > 3 && fraction !== '' ? `.${fraction}` : ''
    return `${date}${separator}${two(hour)}:${two(minute)}:${two(second)}${part}${zone}`
  })

const jsonSource = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((value) => source(JSON.stringify(value))),
  fc.jsonValue({ maxDepth: 2 }).map((value) => source(JSON.stringify(value, null, 1))),
  fc
    .constantFrom('{"a":1.50,"a":[ ]}', '"\\u0041\\ud83d\\/"', '{ "k\\u0065y" : "\\u0000\\\\\\"" , "b":[null , 1E5]}')
    .map(source),
  textOrHalf.map(text),
)

/** Another way to write an id: GUIDs match in any case. */
const otherCase = (id: string, upper: boolean) => (upper && /^[\da-f-]{36}$/.test(id) ? id.toUpperCase() : id)

function optionDoc({ options }: Question): fc.Arbitrary<Doc> {
  const unknown = fc.oneof(guid, fc.nat(30).map(String), fc.constantFrom('', 'gone', 'Q1', 'Option 3'))
  const written = (id: string): fc.Arbitrary<Doc> =>
    fc.constantFrom<Doc>(text(id), text(id), /^(0|[1-9]\d*)$/.test(id) ? source(id) : text(id))
  const known =
    options.length === 0
      ? unknown
      : fc.tuple(fc.constantFrom(...options), fc.nat(9)).map(([{ id }, n]) => otherCase(id, n === 0))
  return fc.oneof({ weight: 12, arbitrary: known }, { weight: 1, arbitrary: unknown }).chain(written)
}

function elementDoc(q: Question): fc.Arbitrary<Doc> {
  switch (q.dataType.toLowerCase()) {
    case 'enum':
    case 'set':
      return optionDoc(q)
    case 'double':
      return fc.oneof(
        { weight: 6, arbitrary: numberSource.map(source) },
        { weight: 1, arbitrary: numberSource.map(text) },
      )
    case 'datetime':
      return instant.map(text)
    case 'string':
    case 'identifier':
      return fc.oneof(
        { weight: 8, arbitrary: textOrHalf.map(text) },
        { weight: 1, arbitrary: numberSource.map(source) },
        { weight: 1, arbitrary: fc.constantFrom(source('true'), source('false')) },
      )
    default:
      return jsonSource
  }
}

/** `values` of an answer; undefined leaves the member out. */
function valuesDoc(q: Question): fc.Arbitrary<Doc | undefined> {
  const element = elementDoc(q)
  const dataType = q.dataType.toLowerCase()
  const isMany = !['enum', 'double', 'datetime', 'string', 'identifier'].includes(dataType)
  const good = isMany ? fc.array(element, { minLength: 1, maxLength: 5 }) : element.map((one): Doc => [one])
  return fc.oneof(
    { weight: 24, arbitrary: good },
    { weight: 4, arbitrary: fc.constantFrom<Doc | undefined>(...SKIPS, []) },
    { weight: 1, arbitrary: element },
    { weight: 1, arbitrary: fc.tuple(good, fc.nat(5)).map(([list, at]): Doc => withNull(list, at)) },
  )
}

function withNull(list: Doc, at: number): Doc {
  return Array.isArray(list) ? [...list.slice(0, at), NULL, ...list.slice(at)] : list
}

/** Values that fit no question, or not this one. */
const faultyValues: fc.Arbitrary<Doc | undefined> = fc.constantFrom<Doc>(
  [text('next week')],
  [text('2026-02-30T10:00:00Z')],
  [text('2026-03-01T10:00:60Z')],
  [text('2026-03-01T10:00:00+24:00')],
  [source('1e400')],
  [text('1,5')],
  [text(' 1')],
  [text('01')],
  [text('a'), text('b')],
  [source('{}')],
  [[]],
  [source('true')],
  { members: [] },
)

function answerDoc(questions: readonly Question[], faults: boolean): fc.Arbitrary<Doc[]> {
  const unknown = fc
    .tuple(guid, fc.constantFrom<Doc>(NULL, [text('lost')], { source: '{"a":[1]}' }))
    .map(([id, values]) => [answer(text(id), values)])
  if (questions.length === 0) return unknown
  const known = fc.constantFrom(...questions).chain((q) => {
    const values = faults
      ? fc.oneof({ weight: 40, arbitrary: valuesDoc(q) }, { weight: 1, arbitrary: faultyValues })
      : valuesDoc(q)
    return fc.tuple(values, fc.nat(60), fc.constantFrom(...SKIPS)).map(([doc, n, skip]) => {
      const id = text(otherCase(q.id, n === 0))
      const again = isSkip(doc) ? skip : doc
      if (n === 1) return [answer(id, doc), answer(id, again)]
      return n === 2 ? [answer(id, doc), answer(id, again), answer(id, doc)] : [answer(id, doc)]
    })
  })
  return fc.oneof({ weight: 20, arbitrary: known }, { weight: 1, arbitrary: unknown })
}

/** Ways to say that a question was skipped, whatever its type. */
const SKIPS: (Doc | undefined)[] = [NULL, [NULL], undefined, [NULL, NULL]]

function isSkip(doc: Doc | undefined): boolean {
  return SKIPS.includes(doc)
}

function answer(id: Doc, values: Doc | undefined): Doc {
  return {
    members:
      values === undefined
        ? [['id', id]]
        : [
            ['id', id],
            ['values', values],
          ],
  }
}

/** At most one entry of answers per question, unless faults are wanted; in the definition's order most of the time. */
function recordDoc(questions: readonly Question[], faults: boolean): fc.Arbitrary<Doc> {
  const perQuestion = questions.map((q) =>
    fc.oneof({ weight: 6, arbitrary: answerDoc([q], faults) }, { weight: 1, arbitrary: fc.constant<Doc[]>([]) }),
  )
  const inOrder = fc.tuple(...perQuestion).map((lists) => lists.flat())
  const mixed = fc
    .tuple(inOrder, answerDoc([], faults))
    .chain(([answers, extra]) => fc.shuffledSubarray([...answers, ...extra], { minLength: 0 }))
  const anything = fc.array(answerDoc(questions, faults), { maxLength: 6 }).map((lists) => lists.flat())
  const answers = fc.oneof(
    { weight: 8, arbitrary: inOrder },
    { weight: 2, arbitrary: mixed },
    { weight: faults ? 1 : 0, arbitrary: anything },
  )
  return fc
    .record({
      owner: fc.oneof(
        { weight: 8, arbitrary: guid.map(text) },
        { weight: 2, arbitrary: textOrHalf.map(text) },
        { weight: 1, arbitrary: fc.constantFrom<Doc | undefined>(NULL, undefined, source('12.50'), source('true')) },
      ),
      updated: fc.oneof(
        { weight: 8, arbitrary: instant.map(text) },
        { weight: 1, arbitrary: fc.constantFrom<Doc | undefined>(NULL, undefined) },
      ),
      fields: fc.oneof(
        { weight: 20, arbitrary: answers },
        { weight: 1, arbitrary: fc.constantFrom<Doc | undefined>(NULL, undefined) },
      ),
    })
    .map(({ owner, updated, fields }) => {
      const members: [string, Doc | undefined][] = [
        ['ownerId', owner],
        ['lastUpdateDate', updated],
        ['fields', fields],
      ]
      return { members: members.filter((member): member is [string, Doc] => member[1] !== undefined) }
    })
}

export const layoutArbitrary: fc.Arbitrary<Layout> = fc.record({
  seed: fc.nat(),
  style: fc.constantFrom('compact', 'compact', 'spaced', 'indented', 'tabs', 'crlf', 'wild'),
  oddity: fc.constantFrom(0, 0, 0.01, 0.3),
  bom: fc.nat(9).map((n) => n === 0),
  gzip: fc.nat(9).map((n) => n === 0),
})

/** Exports that every reader must take; with `faults`, some that every reader must refuse. */
export function exportArbitrary({ faults = false, mostRecords = 12 } = {}): fc.Arbitrary<GeneratedExport> {
  const questions = fc.uniqueArray(question, { maxLength: 7, selector: (q) => q.id.toWellFormed().toLowerCase() })
  return fc
    .record({ questions, flags: fc.nat(11), layout: layoutArbitrary, selection: fc.nat(5) })
    .chain(({ questions: list, flags, layout, selection }) =>
      fc.array(recordDoc(list, faults), { maxLength: mostRecords }).map((records) => ({
        document: exportDoc(definitionDoc(list, flags), records),
        layout,
        fields: selection === 0 ? list.filter((_, i) => i % 2 === 0).map((q) => q.id) : undefined,
      })),
    )
}

function exportDoc(definition: Doc, records: Doc[]): Doc {
  const header = ['id', 'datasetId', 'exportDate', 'lastSyncDate'].map((key): [string, Doc] => [
    key,
    text(`the ${key}`),
  ])
  const exportOptions: Doc = {
    members: [
      ['fieldIds', []],
      ['sinceDatetime', text('2026-02-01T00:00:00Z')],
    ],
  }
  return {
    members: [
      ...header.slice(0, 2),
      ['exportOptions', exportOptions],
      ...header.slice(2),
      ['definition', definition],
      ['records', records],
    ],
  }
}

/** Ways to drive the main reader that must not matter. */
export const wayArbitrary: fc.Arbitrary<Way> = fc.record({
  chunkBytes: fc.constantFrom(0, 1, 2, 3, 7, 64, 1000),
  batchSize: fc.constantFrom(1, 3, 100, undefined),
  windowBytes: fc.constantFrom(64, 128, 1000, undefined),
  useKernel: fc.boolean(),
  isStream: fc.boolean(),
})

const plainShape: fc.Arbitrary<ShapeOptions> = fc.record(
  {
    names: fc.constantFrom('id', 'description', 'snake'),
    timezone: fc.constant('naive' as const),
    stripHtml: fc.boolean(),
    sensitive: fc.constantFrom('drop', 'hash'),
    hashOwner: fc.boolean(),
  },
  { requiredKeys: [] },
)

const wideShape: fc.Arbitrary<ShapeOptions> = fc.record(
  {
    answerStates: fc.constantFrom('columns', 'none'),
    sets: fc.constantFrom('columns', 'both'),
    values: fc.constantFrom('id', 'both'),
    groups: fc.constant('struct' as const),
  },
  { requiredKeys: [] },
)

/** Options of the table that go together. */
const shapeArbitrary: fc.Arbitrary<ShapeOptions> = fc
  .tuple(fc.oneof(fc.constant({}), plainShape), fc.oneof(wideShape, fc.constant({ layout: 'long' } as const)))
  .map(([plain, layout]) => ({ ...plain, ...layout, hashKey: 'a key for tests' }))

/** Ways to write a table, which must not matter either. */
export const formArbitrary: fc.Arbitrary<WrittenForm> = fc.record({
  format: fc.constantFrom('parquet', 'parquet', 'arrow', 'arrows'),
  batchSize: fc.constantFrom(1, 3, undefined),
  rowGroupSize: fc.constantFrom(1, 2, 5, undefined),
  compression: fc.constantFrom('snappy', 'zstd', 'gzip', 'lz4', 'none'),
  shape: fc.oneof(fc.constant({}), shapeArbitrary),
})
