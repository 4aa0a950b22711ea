/** The kernel reads what the general path reads, and nearly all records. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Random } from '../fixtures/random.ts'
import { FIELD_BYTES, FieldAt, FieldKind, GUID_STRIDE } from '../src/decode/kernel/field-layout.ts'
import { RecordsKernel } from '../src/decode/kernel/records-kernel.ts'
import { openReader, type ReaderInternals } from '../src/reader.ts'
import { expectSame } from './expect-same.ts'
import { collect, factsOf, readOnce } from './reading.ts'

const guid = (kind: number, n: number) =>
  `${n.toString(16).padStart(8, '0')}-00ab-4000-8000-${kind.toString(16).padStart(12, '0')}`
const options = (kind: number, count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: guid(kind, n), name: `option ${kind}.${n}` }))

const TYPES = ['enum', 'set', 'double', 'datetime', 'string', 'identifier', 'matrix'] as const
type DataType = (typeof TYPES)[number]

function fieldOf(dataType: DataType, n: number, optionCount = 5) {
  const isChoice = dataType === 'enum' || dataType === 'set'
  return {
    id: guid(1, n),
    name: `${dataType} ${n}`,
    type: isChoice ? { dataType, values: options(10 + n, optionCount) } : { dataType },
  }
}

const FIELDS = TYPES.map((dataType, n) => fieldOf(dataType, n))

/** The JSON of `values` for record `i`. */
const USUAL: Readonly<Record<DataType, (i: number) => string>> = {
  enum: (i) => `["${guid(10, i % 5)}"]`,
  set: (i) => `[${[0, 1, 2, 3, 4].filter((n) => (i >> n) & 1).map((n) => `"${guid(11, n)}"`)}]`,
  double: (i) => `[${i / 8}]`,
  datetime: (i) =>
    `["2026-02-${String(1 + (i % 28)).padStart(2, '0')}T10:00:00.${String(i % 1000).padStart(3, '0')}Z"]`,
  string: (i) => `["text ${i} ${'é😀'.repeat(i % 40)}"]`,
  identifier: (i) => (i % 2 === 0 ? `["M-${i}"]` : `[${i}]`),
  matrix: (i) => (i % 3 === 0 ? 'null' : `["cell ${i}"]`),
}

/** How a record is written: its members in some order, and which of an answer's two members is first. */
interface Order {
  readonly members: readonly ('ownerId' | 'lastUpdateDate' | 'fields')[]
  readonly first: 'id' | 'values'
}

const API_ORDER: Order = { members: ['ownerId', 'lastUpdateDate', 'fields'], first: 'id' }

function recordOf(i: number, special: Readonly<Partial<Record<DataType, string>>> = {}, order = API_ORDER): string {
  const answers = FIELDS.filter((_, n) => (i + n) % 9 !== 0 || special[TYPES[n]!] !== undefined)
  const fields = answers.map(({ id, type: { dataType } }) => {
    const values = special[dataType] ?? USUAL[dataType](i)
    return order.first === 'id' ? `{"id":"${id}","values":${values}}` : `{"values":${values},"id":"${id}"}`
  })
  const members = {
    ownerId: `"${guid(2, i)}"`,
    lastUpdateDate: `"2026-01-01T00:00:${String(i % 60).padStart(2, '0')}Z"`,
    fields: `[${fields}]`,
  }
  return `{${order.members.map((member) => `"${member}":${members[member]}`)}}`
}

function documentOf(records: readonly string[], fields: readonly object[] = FIELDS): Buffer {
  return Buffer.from(`{"definition":${JSON.stringify({ fields })},"records":[${records.join()}]}`)
}

/** Records that the kernel reads while `read` runs. */
async function kernelRecords(read: () => Promise<unknown>): Promise<number> {
  const decode = vi.spyOn(RecordsKernel.prototype, 'decode')
  await read()
  const counts = decode.mock.results.map(({ value }) => Number(value))
  decode.mockRestore()
  return counts.reduce((sum, count) => sum + count, 0)
}

async function expectBothAlike(bytes: Uint8Array, batchSize?: number, windowBytes?: number): Promise<unknown> {
  const outcome = (useKernel: boolean) =>
    readOnce(bytes, { batchSize }, { useKernel, windowBytes }).catch((error: unknown) => factsOf(error))
  const general = await outcome(false)
  expectSame(await outcome(true), general)
  return general
}

test('both sides of the kernel agree on where things are', () => {
  const source = readFileSync(new URL('../src/decode/kernel/assembly/layout.ts', import.meta.url), 'utf8')
  const constants = Object.fromEntries(
    [...source.matchAll(/^export const (\w+): \w+ = (\d+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  )
  const fields = [...(/class Field \{([^}]*)\}/.exec(source)?.[1] ?? '').matchAll(/^ {2}(\w+): (?:[iu]32|usize)$/gm)]
  expect(Object.fromEntries(fields.map(([, name], i) => [name, 4 * i]))).toEqual(FieldAt)
  const inCapitals = (prefix: string, name: string) => `${prefix}_${name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`
  const expected = Object.fromEntries([
    ['FIELD_BYTES', FIELD_BYTES],
    ['GUID_STRIDE', GUID_STRIDE],
    ...Object.entries(FieldKind)
      .filter(([, kind]) => kind >= 0)
      .map(([name, kind]) => [inCapitals('KIND', name), kind]),
  ])
  expect(constants).toEqual(expected)
})

test('nearly all records go through the kernel', async () => {
  const bytes = documentOf(Array.from({ length: 5000 }, (_, i) => recordOf(i)))
  expect(await kernelRecords(() => readOnce(bytes))).toBeGreaterThan(4950)
  expect(await kernelRecords(() => readOnce(bytes, {}, { useKernel: false }))).toBe(0)
  await expectBothAlike(bytes)
  await expectBothAlike(bytes, 333)
  await expectBothAlike(bytes, undefined, 5000)
})

test('pretty-printed records do, too', async () => {
  const document = JSON.parse(documentOf(Array.from({ length: 2000 }, (_, i) => recordOf(i))).toString())
  for (const indent of [1, 2, '\t']) {
    const bytes = Buffer.from(JSON.stringify(document, null, indent))
    expect(await kernelRecords(() => readOnce(bytes))).toBeGreaterThan(1950)
    await expectBothAlike(bytes)
  }
})

test.each<Order>([
  { ...API_ORDER, first: 'values' },
  { ...API_ORDER, members: ['lastUpdateDate', 'ownerId', 'fields'] },
  { ...API_ORDER, members: ['ownerId', 'fields', 'lastUpdateDate'] },
  { members: ['lastUpdateDate', 'fields', 'ownerId'], first: 'values' },
  { members: ['fields', 'ownerId', 'lastUpdateDate'], first: 'id' },
  { members: ['fields', 'lastUpdateDate', 'ownerId'], first: 'values' },
])('$members, $first first, do, too', async (order) => {
  const bytes = documentOf(Array.from({ length: 2000 }, (_, i) => recordOf(i, {}, order)))
  const indented = Buffer.from(JSON.stringify(JSON.parse(bytes.toString()), null, 2))
  expect(await kernelRecords(() => readOnce(bytes))).toBeGreaterThan(1950)
  expect(await kernelRecords(() => readOnce(indented))).toBeGreaterThan(1950)
  const usual = await readOnce(documentOf(Array.from({ length: 2000 }, (_, i) => recordOf(i))))
  expectSame(await readOnce(bytes), usual)
  await expectBothAlike(bytes, 333, 5000)
})

describe('members that the API does not have', () => {
  const VALUES = [
    '1',
    '-0.5e3',
    'null',
    'true',
    'false',
    '""',
    '"plain"',
    '"an \\"escape\\" \\u00e9 \\ud83d\\ude00"',
    '"é😀"',
    '[]',
    '{}',
    '[1,"two",[null],{"three":[]}]',
    '{ "a" : [ 1 , 2 ] , "id" : { "values" : [ ] } }',
  ]
  const usual = Array.from({ length: 2000 }, (_, i) => recordOf(i))

  /** Puts a member at a place of each record, and of each answer. */
  function withMembers(record: string, i: number, place: 'first' | 'between' | 'last' | 'anywhere'): string {
    const member = (n: number) => `"more${n % 3}":${VALUES[(i + n) % VALUES.length]}`
    const object = JSON.parse(record) as { fields: { id: string; values: unknown }[] }
    const put = (members: string[], n: number): string => {
      const at = { first: 0, between: 1, last: members.length, anywhere: (i + n) % (members.length + 1) }[place]
      return `{${[...members.slice(0, at), member(n), ...members.slice(at)]}}`
    }
    const answers = object.fields.map(({ id, values }, n) =>
      put([`"id":${JSON.stringify(id)}`, `"values":${JSON.stringify(values)}`], n),
    )
    const others = Object.entries({ ...object, fields: undefined }).map(
      ([key, v]) => `${JSON.stringify(key)}:${JSON.stringify(v)}`,
    )
    return put([...others.slice(0, 2), `"fields":[${answers}]`], 7)
  }

  test.each(['first', 'between', 'last', 'anywhere'] as const)('are passed over by the kernel: %s', async (place) => {
    const bytes = documentOf(usual.map((record, i) => withMembers(record, i, place)))
    expect(await kernelRecords(() => readOnce(bytes))).toBeGreaterThan(1700)
    expectSame(await readOnce(bytes), await readOnce(documentOf(usual)))
    await expectBothAlike(bytes, 333)
    await expectBothAlike(bytes, undefined, 5000)
  })

  const BROKEN = [
    ...[
      'NaN',
      '01',
      '1.',
      '-',
      '+1',
      'nul',
      'True',
      '"open',
      '"\\x"',
      '"\\u12"',
      '"\t"',
      '[1,]',
      '[,1]',
      '[1 2]',
      '[1',
    ],
    ...[
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{a:1}',
      '{"a" 1}',
      '{"a":1',
      '"\\ud800"',
      `${'['.repeat(20)}${']'.repeat(20)}`,
      '',
    ],
  ]

  test.each([
    ['in a record', (value: string, i: number) => recordOf(i).replace('{', `{"more":${value},`)],
    ['behind a record', (value: string, i: number) => recordOf(i).replace(/\}$/, `,"more":${value}}`)],
    ['in front of an id', (value: string, i: number) => recordOf(i).replace('{"id"', `{"more":${value},"id"`)],
    ['behind values', (value: string, i: number) => recordOf(i).replace(/\}\]\}$/, `,"more":${value}}]}`)],
  ] as const)('are checked as elsewhere: %s', async (_, write) => {
    for (const value of [...BROKEN, ...VALUES]) {
      const records = Array.from({ length: 24 }, (_, i) => (i === 15 ? write(value, i) : recordOf(i)))
      expect(records[15]).not.toBe(recordOf(15))
      await expectBothAlike(documentOf(records))
    }
  })

  test('may be limited in their keys and depth', async () => {
    const records = usual.slice(0, 40)
    records[30] = records[30]!.replace('{', '{"a longer key":{"b":{"c":[[1]]}},')
    for (const limits of [{ maxKeyBytes: 14 }, { maxKeyBytes: 13 }, { maxNesting: 4 }, { maxNesting: 3 }]) {
      const outcome = (useKernel: boolean) => readOnce(documentOf(records), limits, { useKernel }).catch(factsOf)
      expectSame(await outcome(true), await outcome(false))
    }
  })

  test('may hold anything, and be damaged', async () => {
    const damage = fc.tuple(fc.nat(), fc.constantFrom(...'"\\{}[],:0eé\u0000 x'))
    const insertion = fc.record({
      at: fc.nat(),
      key: fc.string({ maxLength: 8 }),
      value: fc.jsonValue({ maxDepth: 3 }),
    })
    const document = fc.tuple(fc.array(insertion, { minLength: 1, maxLength: 20 }), fc.option(damage))
    await fc.assert(
      fc.asyncProperty(document, fc.constantFrom(undefined, 700), async ([insertions, broken], windowBytes) => {
        const records = Array.from({ length: 12 }, (_, i) => recordOf(i))
        for (const { at, key, value } of insertions) {
          const record = records[at % records.length]!
          const places = [...record.matchAll(/\{(?=")|(?<=[\]"}])(?=\}[,\]]|\}$)/g)].map(({ index }) => index)
          const place = places[at % places.length]!
          const member = `${JSON.stringify(key)}:${JSON.stringify(value)}`
          records[at % records.length] =
            record[place] === '{'
              ? `${record.slice(0, place + 1)}${member},${record.slice(place + 1)}`
              : `${record.slice(0, place)},${member}${record.slice(place)}`
        }
        let text = documentOf(records).toString()
        if (broken !== null) {
          const from = text.indexOf('"records"') + 12
          const at = from + (broken[0] % (text.length - from))
          text = text.slice(0, at) + broken[1] + text.slice(at + 1)
        }
        await expectBothAlike(Buffer.from(text), undefined, windowBytes)
      }),
      { numRuns: 300 },
    )
  })
})

describe('batches that are full of bytes end at the same records, whatever white space is between these:', () => {
  const random = new Random(7)
  const spaced = (record: string, i: number, gap: number) => ' '.repeat(i % 2 === 0 ? 0 : gap) + record
  const forGeneralPath = (record: string) => record.replace('{', '{"\\u0041":1,')
  const long = (record: string) => record.replace('{', `{"more":"${'x'.repeat(38_000)}",`)

  test.each([
    [
      'where the kernel stops in front of a record',
      (i: number) => spaced(i % 5 === 0 ? forGeneralPath(recordOf(i)) : recordOf(i), i, random.below(60_000)),
      [500, 3000, 20_000, 100_000, 500_000, undefined],
    ],
    // What is left of a window is put right in front of new input, so that the window begins in the white space.
    [
      'where a window begins behind the place that is looked at',
      (i: number) => spaced(i % 2 === 0 ? recordOf(i) : long(recordOf(i)), i, 40_000),
      Array.from({ length: 12 }, (_, n) => 80_000 + n * 111),
    ],
  ])('%s', async (_, write, windows) => {
    const bytes = documentOf(Array.from({ length: 400 }, (_, i) => write(i)))
    const sizes = async (internals: ReaderInternals) => {
      const reader = await openReader(bytes, {}, internals)
      reader.batchLimits.variableBytes = 1
      return (await collect(reader)).map(({ numRows }) => numRows)
    }
    const general = await sizes({ useKernel: false })
    expect(general.length).toBeGreaterThan(3)
    for (const windowBytes of windows) expect(await sizes({ windowBytes })).toEqual(general)
  })
})

test('answers that stand alone in their records go through the kernel', async () => {
  const bytes = documentOf(
    Array.from(
      { length: 4000 },
      (_, i) =>
        `{"ownerId":"${i}","lastUpdateDate":"2026-01-01T00:00:00Z","fields":[{"id":"${guid(1, 4)}","values":["t${i}"]}]}`,
    ),
  )
  expect(await kernelRecords(() => readOnce(bytes))).toBeGreaterThan(2900)
  await expectBothAlike(bytes)
})

describe('values of', () => {
  const backslash = '\\'
  const forms: Readonly<Record<DataType, readonly string[]>> = {
    enum: [
      ...['null', '[]', '[null]', '[ ]', '{}', 'true', '""', '["unknown option"]', `["${guid(99, 1)}"]`, '[7]'],
      ...[`["${guid(10, 1)}","${guid(10, 2)}"]`, `"${guid(10, 1)}"`, `["${guid(10, 1).toUpperCase()}"]`],
      ...[`[ "${guid(10, 1)}" ]`, `["${guid(10, 1)}",]`, `["${guid(10, 1)}"`, `["${guid(10, 1)} "]`],
    ],
    set: [
      ...['null', '[]', '[null]', '[ ]', `["${guid(11, 4)}","${guid(11, 0)}"]`, `["${guid(11, 1)}","${guid(11, 1)}"]`],
      ...[`["${guid(11, 1)}" , "${guid(11, 2)}"]`, `["${guid(11, 1)}",null]`, `["${guid(11, 1)}","no option"]`],
      ...[`["${guid(11, 1)}",]`, `["${guid(11, 1)}""${guid(11, 2)}"]`, `"${guid(11, 1)}"`, '[1,2]'],
    ],
    double: [
      ...['0', '-0', '0.5', '-12.75', '1e5', '1E+5', '1e-5', '5e-324', '1e308', '1e309', '-1e400', '2.5e-400'],
      ...['0.1', '0.30000000000000004', '9007199254740993', '123456789012345678901234567890', '1.7976931348623157e308'],
      ...['9007199254740992', '9007199254740991.5', '0.0000000000000000000001', '0.00000000000000000000001', '8.41'],
      ...['18446744073709551615', '18446744073709551616', '99999999999999999999', '1234567890123456789.5', '4.35'],
      ...['01', '-', '1.', '.5', '+1', '1e', '1e+', 'NaN', '"12"', '"x"', 'true', '1,2', '', 'null', ' 7 ', '0x1'],
      ...[`0.${'1'.repeat(100)}`, `${'9'.repeat(400)}`, `0.${'0'.repeat(300)}1e300`],
    ].map((number) => `[${number}]`),
    datetime: [
      ...['2026-02-03', '2026-02-03T04:05', '2026-02-03t04:05:06', '2026-02-03 04:05:06z', '2026-02-03  04:05'],
      ...['2026-02-03T04:05:06.7Z', '2026-02-03T04:05:06.123456Z', '2026-02-03T04:05:06.1234567899Z'],
      ...[
        '2026-02-03T04:05:06+01',
        '2026-02-03T04:05:06-0130',
        '2026-02-03T04:05:06+23:59',
        '2026-02-03T04:05:06+24:00',
      ],
      ...[
        '2026-02-30',
        '2024-02-29',
        '2100-02-29',
        '2000-02-29T23:59:59.999Z',
        '2026-13-01',
        '2026-00-01',
        '2026-01-00',
      ],
      ...['0001-01-01', '0000-01-01', '9999-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.5Z', '2026-04-31'],
      ...['0001-01-01T00:00+00:01', '0001-01-01T00:01+00:01', '9999-12-31T23:59:59.9-00:01', '9999-12-31T23:58-00:01'],
      ...['2026-02-03T24:00Z', '2026-02-03T04:60Z', '2026-02-03T04:05:60Z', '2026-02-03T04:05:06.Z', '2026-2-3', ''],
      ...['2026-02-03T', '2026-02-03X', '2026-02-03T04:05:06Zx', `2026-02-03T04:05${backslash}u003a06Z`, '20260203'],
    ].map((text) => `["${text}"]`),
    string: [
      ...[
        '',
        'a',
        'a quote \\" and \\\\ and \\/',
        '\\b\\f\\n\\r\\t',
        '\\u0000\\u00e9\\u20ac',
        '\\ud83d\\ude00',
        '\\uD83D',
      ],
      ...[
        '\\ude00\\ud83d',
        '\\ud83dx',
        '\\u12g4',
        '\\x',
        '\\',
        '\u0001',
        'tab\t',
        'é',
        '😀',
        '\u{10ffff}',
        '\\u',
        '\\ud83d\\u0041',
      ],
      ...Array.from({ length: 5 }, (_, k) => 'x'.repeat(14 + k)),
      ...Array.from({ length: 5 }, (_, k) => 'é'.repeat(6 + k)),
      ...[
        'x'.repeat(63),
        'x'.repeat(64),
        'x'.repeat(65),
        `${'x'.repeat(1000)}\\n${'y'.repeat(1000)}`,
        '\\n'.repeat(300),
      ],
    ].map((text) => `["${text}"]`),
    identifier: [
      '["M-1"]',
      '[12]',
      '[1.50]',
      '[-0]',
      '[1e9999]',
      '[true]',
      '[{}]',
      '["a","b"]',
      '"bare"',
      '12',
      '[]',
      'null',
    ],
    matrix: ['["text"]', '[1]', '[1,"b"]', '[{"a": [1, 2]}]', '{"a":1}', 'null', '[]', '[null]', '"bare"', '[true]'],
  }

  describe.each(['id', 'values'] as const)('%s first:', (first) => {
    test.each(TYPES)('%s, in every form', async (dataType) => {
      const order = { ...API_ORDER, first }
      for (const values of forms[dataType]) {
        const special = { [dataType]: values }
        const records = Array.from({ length: 24 }, (_, i) => recordOf(i, i === 15 ? special : {}, order))
        await expectBothAlike(documentOf(records))
      }
    })
  })

  test('string, in bytes that are no UTF-8', async () => {
    const broken = [
      [0x80],
      [0xc3],
      [0xc0, 0x80],
      [0xe0, 0x80, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xff],
    ]
    for (const bytes of [...broken, [0xf0, 0x9f, 0x98], [0xe2, 0x82], [0xed, 0x9f, 0xbf], [0xf0, 0x90, 0x80, 0x80]]) {
      const records = Array.from({ length: 24 }, (_, i) => recordOf(i, i === 15 ? { string: '["some text: @@"]' } : {}))
      const document = documentOf(records)
      const at = document.indexOf('@@')
      await expectBothAlike(Buffer.concat([document.subarray(0, at), Buffer.from(bytes), document.subarray(at + 2)]))
    }
  })
})

test.each(['id', 'values'] as const)('records in every form, %s first', async (first) => {
  const order = { ...API_ORDER, first }
  const usual = recordOf(16, {}, order)
  const repeated = (n: number, values: string) =>
    first === 'id' ? `{"id":"${guid(1, n)}","values":${values}}` : `{"values":${values},"id":"${guid(1, n)}"}`
  const replacements: readonly [string, string][] = [
    ['{"ownerId"', '{ "ownerId"'],
    ['"ownerId"', '"owner\\u0049d"'],
    [`"${guid(2, 16)}"`, 'null'],
    [`"${guid(2, 16)}"`, '12'],
    [`"${guid(2, 16)}"`, '"with \\"escapes\\""'],
    ['"lastUpdateDate":', '"lastUpdateDate" : '],
    ['"lastUpdateDate"', '"lastUpdated"'],
    ['2026-01-01T', '2026-01-41T'],
    ['"fields":[', '"fields":[ '],
    ['"fields":', '"more":{"fields":[]},"fields":'],
    ['"fields":', '"ownerId":"again","fields":'],
    ['"values":', '"values": '],
    ['"values":', '"order":1,"values":'],
    ['"id":', '"ID":'],
    ['"id":', '"order":"]","id":'],
    [guid(1, 3), guid(1, 3).toUpperCase()],
  ]
  const endings = [
    '}]} ',
    '}],"more":1}',
    '}],"ownerId":"again"}',
    '}],"fields":[]}',
    '}],}',
    '},]}',
    '}]}}',
    '}]},',
    `},${repeated(77, '[1]')}]}`,
    `},${repeated(1, `["${guid(11, 1)}"]`)}]}`,
  ]
  const written = [
    '{}',
    'null',
    '[]',
    usual.replace(/"fields":\[.*\]\}$/, '"fields":[]}'),
    usual.replace(/"fields":\[.*\]\}$/, '"fields":null}'),
    usual.replace(/"lastUpdateDate":"[^"]*",/, ''),
    ...replacements.map(([from, to]) => usual.replace(from, () => to)),
    ...endings.map((ending) => `${usual.slice(0, -'}]}'.length)}${ending}`),
  ]
  for (const record of written) {
    expect(record).not.toBe(usual)
    const records = Array.from({ length: 24 }, (_, i) => (i === 15 ? record : recordOf(i, {}, order)))
    await expectBothAlike(documentOf(records))
  }
})

test('a question that was not selected is read for its grammar only', async () => {
  const records = Array.from({ length: 60 }, (_, i) => recordOf(i))
  for (const values of ['["x"]', '[1,2]', '[1,]', '[01]', '["\\x"]', '{"a":1}', 'nul', '[ ]', '[null]']) {
    records[30] = recordOf(30, { string: values })
    for (const fields of [['enum 0', 'set 1'], ['matrix 6']]) {
      const outcome = (useKernel: boolean) => readOnce(documentOf(records), { fields }, { useKernel }).catch(factsOf)
      expectSame(await outcome(true), await outcome(false))
    }
  }
})

describe('documents', () => {
  test('of many short records', async () => {
    const fields = [fieldOf('enum', 0)]
    const record = (i: number) =>
      `{"ownerId":"${i}","lastUpdateDate":"2026-01-01T00:00:00Z","fields":[${i % 7 === 0 ? '' : `{"id":"${guid(1, 0)}","values":["${guid(10, i % 5)}"]}`}]}`
    const bytes = documentOf(
      // A layout is learnt from an answer that another one follows.
      [recordOf(0), ...Array.from({ length: 20_000 }, (_, i) => record(i))],
      [...fields, ...FIELDS.slice(1)],
    )
    expect(await kernelRecords(() => readOnce(bytes))).toBeGreaterThan(19_900)
    await expectBothAlike(bytes, 4096)
  })

  test('of 3,000 questions', async () => {
    const fields = Array.from({ length: 3000 }, (_, n) => fieldOf(TYPES[n % 5]!, n, 3))
    const valuesOf = (n: number, i: number) => {
      if (n % 5 < 2) return `["${guid(10 + n, i % 3)}"]`
      return USUAL[TYPES[n % 5]!](i)
    }
    const records = Array.from({ length: 30 }, (_, i) => {
      const answers = fields.flatMap(({ id }, n) =>
        (n * 31 + i) % 3 === 0 ? [] : [`{"id":"${id}","values":${valuesOf(n, i)}}`],
      )
      return `{"ownerId":"${i}","lastUpdateDate":"2026-01-01T00:00:00Z","fields":[${answers}]}`
    })
    const bytes = documentOf(records, fields)
    expect(await kernelRecords(() => readOnce(bytes))).toBeGreaterThan(10)
    await expectBothAlike(bytes)
  })

  describe('of 300 questions, whose blocks span windows,', () => {
    const fields = Array.from({ length: 300 }, (_, n) => fieldOf(TYPES[n % TYPES.length]!, n, 3))
    const valuesOf = (n: number, i: number): string => {
      const type = TYPES[n % TYPES.length]!
      if (i % 97 === 50 && type === 'string') return `["${'long "text" '.repeat(n * 10).replaceAll('"', '\\"')}"]`
      if (type === 'enum') return `["${guid(10 + n, i % 3)}"]`
      if (type === 'set')
        return `[${[0, 1, 2].filter((option) => (i >> option) & 1).map((o) => `"${guid(10 + n, o)}"`)}]`
      return USUAL[type](i + n)
    }
    /** Every 41st record is one for the general path. */
    const record = (i: number, share: number): string => {
      const asked = fields.filter((_, n) => ((n * 7919 + i * 104_729) % 1000) / 1000 < share)
      const answers = asked.map(
        ({ id }) =>
          `{"id":"${id}","values":${valuesOf(
            fields.findIndex((f) => f.id === id),
            i,
          )}}`,
      )
      const unknown = i % 41 === 40 ? [`{"id":"${guid(1, 999)}","values":[1]}`] : []
      return `{"ownerId":"owner ${i}","lastUpdateDate":"2026-01-01T00:00:00Z","fields":[${[...answers, ...unknown]}]}`
    }

    /** The values of columns of one width, those of rows without one included. */
    async function cellsOf(bytes: Uint8Array, internals: ReaderInternals): Promise<unknown[]> {
      const cells: unknown[] = []
      for await (const batch of await openReader(bytes, { batchSize: 150 }, internals)) {
        for (const { valueOffsets, values } of batch.data.children)
          if (valueOffsets === undefined) cells.push([...values])
      }
      return cells
    }

    test.each([0.01, 0.3, 0.97])('%d of them answered', async (share) => {
      const records = Array.from({ length: 400 }, (_, i) => record(i, i % 200 < 100 ? share : share / 3))
      const bytes = documentOf([recordOf(0), ...records], fields)
      expect(await kernelRecords(() => readOnce(bytes))).toBeGreaterThan(350)
      await expectBothAlike(bytes)
      await expectBothAlike(bytes, 100, 20_000)
      await expectBothAlike(bytes, 33, 70_000)
      await expectBothAlike(bytes, 256, 2500)
      expect(await cellsOf(bytes, { windowBytes: 15_000 })).toEqual(await cellsOf(bytes, { useKernel: false }))
    })
  })

  test('with 8,000 options, in one question and in its sets', async () => {
    const fields = [fieldOf('enum', 0, 8000), fieldOf('set', 1, 8000)]
    const record = (i: number) =>
      `{"ownerId":"${i}","lastUpdateDate":"2026-01-01T00:00:00Z","fields":[{"id":"${guid(1, 0)}","values":["${guid(10, i * 7)}"]},{"id":"${guid(1, 1)}","values":["${guid(11, 7999 - i)}","${guid(11, i)}"]}]}`
    const bytes = documentOf(
      Array.from({ length: 1000 }, (_, i) => record(i)),
      fields,
    )
    expect(await kernelRecords(() => readOnce(bytes))).toBeGreaterThan(950)
    await expectBothAlike(bytes)
  })

  test('in a window that is copied in parts', async () => {
    const bytes = documentOf(Array.from({ length: 9000 }, (_, i) => recordOf(i)))
    const windowBytes = 2 ** 23
    expect(bytes.length).toBeGreaterThan(2 ** 22)
    expect(await kernelRecords(() => readOnce(bytes, {}, { windowBytes }))).toBeGreaterThan(8990)
    await expectBothAlike(bytes, undefined, windowBytes)
  })

  test('with a record that is longer than a window', async () => {
    const records = Array.from({ length: 400 }, (_, i) =>
      recordOf(i, i % 150 === 100 ? { string: `["${'long "text" '.replaceAll('"', '\\"').repeat(250_000)}"]` } : {}),
    )
    const bytes = documentOf(records)
    expect(await kernelRecords(() => readOnce(bytes))).toBeGreaterThan(300)
    await expectBothAlike(bytes)
  })

  test('of random records, in random windows and batches', async () => {
    const record = fc.record({
      seed: fc.nat(1000),
      special: fc.option(
        fc.constantFrom<Partial<Record<DataType, string>>>(
          { string: '["a\\n"]' },
          { set: '[]' },
          { double: '[0.30000000000000004]' },
          { enum: '["?"]' },
        ),
        { nil: undefined, freq: 3 },
      ),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 64, max: 8000 }),
        async (records, batchSize, windowBytes) => {
          const bytes = documentOf(records.map(({ seed, special }) => recordOf(seed, special)))
          await expectBothAlike(bytes, batchSize, windowBytes)
        },
      ),
      { numRuns: 40, endOnFailure: true },
    )
  })
})
