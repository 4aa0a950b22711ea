/** Damages a table as a faulty writer would, to show that the verification finds it. */

import {
  type Data,
  type DataType,
  type Field,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  TimestampMillisecond,
  type Utf8,
  Vector,
} from 'apache-arrow'
import type { BatchReader } from '../src/sinks/batch-reader.ts'
import type { Difference } from '../src/verify/difference-log.ts'

export interface TableDamage {
  name: string
  damage: (schema: Schema, batches: RecordBatch[]) => BatchReader
  /** What the report must say. */
  kind: Difference['kind']
  /** Formats that can hold the damage; all by default. */
  formats?: readonly string[]
}

function readerOf(schema: Schema, batches: RecordBatch[]): BatchReader {
  return {
    schema,
    async *[Symbol.asyncIterator]() {
      yield* batches
    },
  }
}

type ColumnMatch = (type: DataType, name: string) => boolean

const ofType =
  (name: string): ColumnMatch =>
  (type, column) =>
    String(type).startsWith(name) && column !== 'skipped' && column !== 'ownerId' && column !== 'lastUpdateDate'
export const named =
  (name: string): ColumnMatch =>
  (_, column) =>
    column === name

/** Replaces one column in all batches, or only in the second one. */
export function column(match: ColumnMatch, change: (data: Data) => Data, everywhere = false): TableDamage['damage'] {
  return (schema, batches) => {
    const index = schema.fields.findIndex(({ type, name }) => match(type, name))
    const changed = batches.map((batch, i) => {
      if (i !== 1 && !everywhere) return batch
      const children = batch.data.children.map((data, k) => (k === index ? change(data) : data))
      return batchOf(schema, children, batch.numRows)
    })
    return readerOf(schema, changed)
  }
}

function batchOf(schema: Schema, children: Data[], length: number): RecordBatch {
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children }))
}

export function withField(match: ColumnMatch, change: (field: Field) => Field): TableDamage['damage'] {
  return (schema, batches) => {
    const index = schema.fields.findIndex(({ type, name }) => match(type, name))
    const changed = new Schema(
      schema.fields.map((field, i) => (i === index ? change(field) : field)),
      schema.metadata,
    )
    return readerOf(
      changed,
      batches.map((batch) => batchOf(changed, batch.data.children, batch.numRows)),
    )
  }
}

/** The rows in which the column has a value, at least two of them different. */
function twoDifferentRows(data: Data): [number, number] {
  const vector = new Vector([data])
  const first = Array.from({ length: data.length }, (_, row) => row).find((row) => data.getValid(row)) ?? 0
  for (let row = first + 1; row < data.length; row++) {
    if (data.getValid(row) && String(vector.get(row)) !== String(vector.get(first))) return [first, row]
  }
  throw new Error('unreachable: the sample has two different values')
}

export function swapped(data: Data): Data {
  const [a, b] = twoDifferentRows(data)
  const values = data.values.slice()
  ;[values[a], values[b]] = [values[b], values[a]]
  return data.clone(data.type, 0, data.length, data.nullCount, { ...buffersOf(data), 1: values } as never)
}

function buffersOf(data: Data): Record<number, never> {
  const [offsets, values, validity] = [data.valueOffsets, data.values, data.nullBitmap]
  return { 0: offsets, 1: values, 2: validity } as unknown as Record<number, never>
}

export function withValues(data: Data, change: (values: Record<number, unknown>, row: number) => void): Data {
  const [row] = twoDifferentRows(data)
  const values = data.values.slice()
  change(values, row)
  return data.clone(data.type, 0, data.length, data.nullCount, { ...buffersOf(data), 1: values } as never)
}

/** One value becomes null, or (`valid`) one null a value. */
export function withValidity(data: Data, valid: boolean): Data {
  const bitmap = data.nullCount === 0 ? new Uint8Array(Math.ceil(data.length / 8)).fill(255) : data.nullBitmap?.slice()
  const row = Array.from({ length: data.length }, (_, i) => i).find((i) => data.getValid(i) !== valid)
  if (row === undefined || bitmap == null) throw new Error('unreachable: the sample has values and nulls')
  bitmap[row >> 3] = (bitmap[row >> 3] ?? 0) ^ (1 << (row & 7))
  const nullCount = data.nullCount + (valid ? -1 : 1)
  return data.clone(data.type, 0, data.length, nullCount, { ...buffersOf(data), 2: bitmap } as never)
}

/** All cells of the column as texts, changed and written anew. */
export function withTexts(data: Data, change: (texts: (string | null)[]) => void): Data {
  const texts = [...new Vector([data])] as (string | null)[]
  change(texts)
  const encoded = texts.map((text) => new TextEncoder().encode(text ?? ''))
  const valueOffsets = new Int32Array(texts.length + 1)
  for (const [i, bytes] of encoded.entries()) valueOffsets[i + 1] = (valueOffsets[i] ?? 0) + bytes.length
  return makeData({
    type: data.type as Utf8,
    length: data.length,
    nullCount: data.nullCount,
    nullBitmap: data.nullBitmap,
    valueOffsets,
    data: Buffer.concat(encoded),
  })
}

export function longestTextShortened(texts: (string | null)[]): void {
  const longest = texts.reduce((best, text, i) => ((text?.length ?? 0) > (texts[best]?.length ?? 0) ? i : best), 0)
  texts[longest] = texts[longest]?.slice(0, -1) ?? null
}

interface Relabelling {
  dictionary: Vector
  /** Indices of the labels that changed places. */
  pair: [number, number]
}

const relabellings = new WeakMap<Vector, Relabelling>()

/** A label in use and its neighbour change places, for all batches alike. */
function relabelling(data: Data): Relabelling {
  if (data.dictionary === undefined) throw new Error('unreachable: a dictionary column')
  const known = relabellings.get(data.dictionary)
  if (known !== undefined) return known
  const [row] = twoDifferentRows(data)
  const used = Number(data.values[row])
  const pair: [number, number] = [used, used === 0 ? 1 : used - 1]
  const labels = withTexts(data.dictionary.data[0] as Data, (texts) => {
    const [a, b] = pair
    ;[texts[a], texts[b]] = [texts[b] ?? '', texts[a] ?? '']
  })
  const found = { dictionary: new Vector([labels]), pair }
  relabellings.set(data.dictionary, found)
  return found
}

function labelsSwapped(data: Data): Data {
  const copy = data.clone()
  copy.dictionary = relabelling(data).dictionary
  return copy
}

/** The labels change places, and the indices follow: the same cells, another order. */
function labelsReordered(data: Data): Data {
  const [a, b] = relabelling(data).pair
  const values = data.values.map((index: number) => (index === a ? b : index === b ? a : index))
  const copy = data.clone(data.type, 0, data.length, data.nullCount, { ...buffersOf(data), 1: values } as never)
  copy.dictionary = relabelling(data).dictionary
  return copy
}

/** The row's last element goes to the row behind it. */
function elementMoved(data: Data): Data {
  const offsets = data.valueOffsets.slice()
  const row = Array.from({ length: data.length - 1 }, (_, i) => i).find(
    (i) => data.getValid(i) && data.getValid(i + 1) && Number(offsets[i + 1]) > Number(offsets[i]),
  )
  if (row === undefined) throw new Error('unreachable: the sample has two answers in a row')
  offsets[row + 1] = Number(offsets[row + 1]) - 1
  return data.clone(data.type, 0, data.length, data.nullCount, { ...buffersOf(data), 0: offsets } as never)
}

/** Leaves out a row of one batch. */
export const withoutRow =
  (row: number, batch = 1): TableDamage['damage'] =>
  (schema, batches) =>
    readerOf(
      schema,
      batches.flatMap((whole, i) => (i === batch ? [whole.slice(0, row), whole.slice(row + 1)] : [whole])),
    )

export const TABLE_DAMAGES: readonly TableDamage[] = [
  { name: 'two labels that changed places', kind: 'cell', damage: column(ofType('Dictionary'), labelsSwapped, true) },
  {
    name: 'labels in another order',
    kind: 'labels',
    damage: column(ofType('Dictionary'), labelsReordered, true),
    formats: ['arrow', 'arrows'],
  },
  { name: 'two choices that changed places', kind: 'cell', damage: column(ofType('Dictionary'), swapped) },
  { name: 'two numbers that changed places', kind: 'cell', damage: column(ofType('Float64'), swapped) },
  {
    name: 'a number that is off by its last bit',
    kind: 'cell',
    damage: column(ofType('Float64'), (data) =>
      withValues(data, (values, row) => {
        values[row] = Number(values[row]) * (1 + Number.EPSILON)
      }),
    ),
  },
  {
    name: 'a time that is off by a microsecond',
    kind: 'cell',
    damage: column(named('lastUpdateDate'), (data) =>
      withValues(data, (values, row) => {
        values[row] = (values[row] as bigint) + 1n
      }),
    ),
  },
  { name: 'a null that was lost', kind: 'cell', damage: column(ofType('Float64'), (data) => withValidity(data, true)) },
  {
    name: 'a value that became null',
    kind: 'cell',
    damage: column(ofType('Float64'), (data) => withValidity(data, false)),
  },
  {
    name: 'a list that became null',
    kind: 'cell',
    damage: column(ofType('List'), (data) => withValidity(data, false)),
  },
  {
    name: 'a null that became an empty list',
    kind: 'cell',
    damage: column(ofType('List'), (data) => withValidity(data, true)),
  },
  { name: 'an option in the wrong row', kind: 'cell', damage: column(ofType('List'), elementMoved) },
  { name: 'a skip in the wrong row', kind: 'state', damage: column(named('skipped'), elementMoved) },
  {
    name: 'a text that was cut',
    kind: 'cell',
    damage: column(ofType('Utf8'), (data) => withTexts(data, longestTextShortened)),
  },
  {
    name: 'a column whose rows are shifted',
    kind: 'cell',
    damage: column(named('ownerId'), (data) => withTexts(data, (texts) => texts.unshift(texts.pop() ?? null))),
  },
  { name: 'a record that was dropped', kind: 'rows', damage: withoutRow(5) },
  {
    name: 'a last record that was dropped',
    kind: 'rows',
    damage: (schema, batches) => {
      const last = batches.at(-1)
      return readerOf(schema, [...batches.slice(0, -1), ...(last === undefined ? [] : [last.slice(0, -1)])])
    },
  },
  {
    name: 'a batch that was written twice',
    kind: 'rows',
    damage: (schema, batches) => readerOf(schema, [...batches, ...batches.slice(-1)]),
  },
  {
    name: 'another field id in the metadata',
    kind: 'metadata',
    damage: withField(ofType('Float64'), (field) =>
      field.clone({ metadata: new Map([...field.metadata, ['alida:id', '00000000-0000-0000-0000-000000000000']]) }),
    ),
  },
  {
    name: 'another definition in the metadata',
    kind: 'metadata',
    damage: (schema, batches) => {
      const text = (schema.metadata.get('alida:export') ?? '').replace('"isSensitive":true', '"isSensitive":false')
      const changed = new Schema(schema.fields, new Map([['alida:export', text]]))
      return readerOf(
        changed,
        batches.map((batch) => batchOf(changed, batch.data.children, batch.numRows)),
      )
    },
  },
  {
    name: 'another column name',
    kind: 'column',
    damage: withField(ofType('Float64'), (field) => field.clone({ name: 'x' })),
  },
  {
    name: 'times in milliseconds',
    kind: 'type',
    damage: withField(named('lastUpdateDate'), (field) => field.clone({ type: new TimestampMillisecond('UTC') })),
  },
]
