/** Arrow batches from plain values, without Builders, for tests. */

import {
  Bool,
  type Data,
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int8,
  Int16,
  Int32,
  List,
  makeData,
  RecordBatch,
  type Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
  Vector,
} from 'apache-arrow'

const UTF8 = new Utf8()
export const TIMESTAMP = new TimestampMicrosecond('UTC')
export const FLOAT64 = new Float64()
export const BOOL = new Bool()
export { UTF8 }

export type IndexBits = 8 | 16 | 32

/** `dictionary<utf8>`; `id` must differ from column to column. */
export function dictionaryType(bits: IndexBits, id: number): Dictionary {
  const indices = bits === 8 ? new Int8() : bits === 16 ? new Int16() : new Int32()
  return new Dictionary(UTF8, indices, id, false)
}

export function listType(item: DataType): List {
  return new List(new Field('item', item, true))
}

/** Bits of the values that are not null; nothing if all are there. */
export function validity(values: readonly unknown[]): { nullCount: number; nullBitmap: Uint8Array | undefined } {
  const nullBitmap = new Uint8Array((values.length + 7) >> 3)
  let nullCount = 0
  for (const [i, value] of values.entries()) {
    if (value === null) nullCount++
    else nullBitmap[i >> 3]! |= 1 << (i & 7)
  }
  return { nullCount, nullBitmap: nullCount === 0 ? undefined : nullBitmap }
}

export function labelVector(labels: readonly string[]): Vector<Utf8> {
  return new Vector([textData(labels) as Data<Utf8>])
}

function textData(values: readonly (string | null)[]): Data {
  const encoded = values.map((value) => Buffer.from(value ?? ''))
  const valueOffsets = new Int32Array(values.length + 1)
  for (const [i, bytes] of encoded.entries()) valueOffsets[i + 1] = valueOffsets[i]! + bytes.length
  const data = Buffer.concat(encoded)
  return makeData({ type: UTF8, length: values.length, valueOffsets, data, ...validity(values) })
}

const indices = new WeakMap<Vector<Utf8>, Map<unknown, number>>()

function indexByLabel(dictionary: Vector<Utf8>): Map<unknown, number> {
  let byLabel = indices.get(dictionary)
  if (byLabel === undefined) {
    byLabel = new Map(Array.from(dictionary, (label, i) => [label, i]))
    indices.set(dictionary, byLabel)
  }
  return byLabel
}

/** One column: `null` for nulls, texts also for dictionaries, microseconds as bigints for timestamps. */
export function columnData(type: DataType, values: readonly unknown[], dictionary?: Vector<Utf8>): Data {
  const length = values.length
  if (type instanceof Utf8) return textData(values as (string | null)[])
  if (type instanceof Dictionary) {
    if (dictionary === undefined) throw new Error('expected a dictionary')
    const labels = indexByLabel(dictionary)
    const data = new type.indices.ArrayType(values.map((value) => labels.get(value as string) ?? 0))
    return makeData({ type, length, data, dictionary, ...validity(values) } as never)
  }
  if (type instanceof List) {
    const lists = values as (unknown[] | null)[]
    const valueOffsets = new Int32Array(length + 1)
    for (const [i, list] of lists.entries()) valueOffsets[i + 1] = valueOffsets[i]! + (list?.length ?? 0)
    const child = columnData(
      type.children[0]!.type,
      lists.flatMap((list) => list ?? []),
      dictionary,
    )
    return makeData({ type, length, valueOffsets, child, ...validity(values) } as never)
  }
  if (type instanceof Struct) {
    const rows = values as (Record<string, unknown> | null)[]
    const children = type.children.map((member) =>
      columnData(
        member.type,
        rows.map((row) => row?.[member.name] ?? null),
        dictionary,
      ),
    )
    return makeData({ type, length, children, ...validity(values) } as never)
  }
  if (type instanceof TimestampMicrosecond) {
    const data = BigInt64Array.from(values, (value) => (value as bigint | null) ?? 0n)
    return makeData({ type, length, data, ...validity(values) })
  }
  if (type instanceof Float64) {
    const data = Float64Array.from(values, (value) => (value as number | null) ?? 0)
    return makeData({ type, length, data, ...validity(values) })
  }
  if (type instanceof Bool) {
    const { nullBitmap: data = new Uint8Array(0) } = validity(values.map((value) => (value === true ? true : null)))
    const all = values.every((value) => value === true) ? new Uint8Array((length + 7) >> 3).fill(255) : data
    return makeData({ type, length, data: all, ...validity(values) })
  }
  throw new Error(`expected a type that tests use, found ${type}`)
}

/** Columns as `columnData` makes them, in the schema's order. */
export function batchOf(schema: Schema, columns: readonly Data[]): RecordBatch {
  const length = columns[0]?.length ?? 0
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length, nullCount: 0, children: [...columns] }),
  )
}
