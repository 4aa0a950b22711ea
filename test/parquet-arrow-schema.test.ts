/** The Arrow schema in a footer says what arrow-js would say. */

import {
  Bool,
  type DataType,
  DateDay,
  Dictionary,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  MessageReader,
  Schema,
  Struct,
  TimestampMicrosecond,
  TimestampMillisecond,
  Uint32,
  Utf8,
} from 'apache-arrow'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arrowSchemaValue, messageByArrowJs } from '../src/sinks/parquet/arrow-schema.ts'

/** What a message says, as plain data. */
function factsOf(message: Uint8Array) {
  const schema = new MessageReader(message).readSchema()
  if (schema === undefined) throw new Error('expected a schema')
  return { metadata: [...schema.metadata], fields: schema.fields.map(fieldFacts) }
}

function fieldFacts({ name, type, nullable, metadata }: Field): object {
  const children: readonly Field[] = type.children ?? []
  const dictionary = type instanceof Dictionary ? { id: type.id, isOrdered: type.isOrdered } : undefined
  return {
    name,
    type: String(type),
    nullable,
    metadata: [...metadata],
    dictionary,
    children: children.map(fieldFacts),
  }
}

function expectSameSchema(schema: Schema): void {
  expect(factsOf(Buffer.from(arrowSchemaValue(schema), 'base64'))).toEqual(factsOf(messageByArrowJs(schema)))
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  fc.constantFrom('', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(65), 'é'.repeat(64), 'x'.repeat(100_000)),
)
/** arrow-js leaves out a name without characters. */
const fieldName = text.filter((characters) => characters !== '')
const metadata = fc.array(fc.tuple(text, text), { maxLength: 3 }).map((entries) => new Map(entries))

/** More than a schema here has dictionaries: arrow-js refuses two with the same id. */
const IDS = 1024
let lastId = 0
function nextId(): number {
  lastId = (lastId + 1) % IDS
  return lastId
}

const { field } = fc.letrec<{ field: Field; type: DataType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<DataType>(
      ...[new Utf8(), new Float64(), new Float32(), new Bool(), new Int8(), new Int64(), new Uint32()],
      ...[new TimestampMicrosecond('UTC'), new TimestampMillisecond(), new TimestampMicrosecond('Europe/Zürich')],
    ),
    fc
      .tuple(fc.nat(100_000), fc.constantFrom(new Int8(), new Int16(), new Int32()), fc.boolean())
      .map(([id, indices, isOrdered]) => new Dictionary(new Utf8(), indices, id * IDS + nextId(), isOrdered)),
    tie('field').map((item) => new List(item)),
    fc.array(tie('field'), { maxLength: 4 }).map((members) => new Struct(members)),
  ),
  field: fc
    .tuple(fieldName, tie('type'), fc.boolean(), metadata)
    .map(([name, type, nullable, entries]) => new Field(name, type, nullable, entries)),
}))

test('of any of our types', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 8 }), metadata, (fields, entries) => {
      expectSameSchema(new Schema(fields, entries))
    }),
    { numRuns: 200 },
  )
})

test('of many fields', () => {
  const fields = Array.from({ length: 5000 }, (_, i) => {
    return new Field(`question ${i}`, new Dictionary(new Utf8(), new Int16(), i), true, new Map([['id', `${i}`]]))
  })
  expectSameSchema(new Schema(fields))
})

test('of other types', () => {
  expectSameSchema(new Schema([new Field('day', new DateDay(), true), new Field('text', new Utf8(), false)]))
})
