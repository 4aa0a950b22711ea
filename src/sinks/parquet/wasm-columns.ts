/** Encodes the columns of a row group that are left to parquet-wasm. */

import { type Data, DataType, Field, makeData, RecordBatch, Schema, Struct } from 'apache-arrow'
import { arrowByteLength } from './arrow-size.ts'
import type { Compression } from './format.ts'
import { encodeWithParquetWasm, type WasmFile } from './parquet-wasm.ts'
import { isDictionaryColumn, isValueColumn } from './schema-tree.ts'

/** Limits of one call, which bound parquet-wasm's memory: it uses about half a megabyte per column of texts. */
const CALL_COLUMNS = 64
const CALL_BYTES = 8 * 1024 * 1024

/** Encodes the columns, several per call. parquet-wasm is not loaded if there are none. */
export function encodeWasmColumns(
  schema: Schema,
  batches: readonly RecordBatch[],
  compression: Compression,
): WasmFile[] {
  return callsOf(schema, batches).map((columnNumbers) => {
    const fields = columnNumbers.map((number) => remainingColumn(schema.fields[number]!)!)
    const part = new Schema(fields)
    const parts = batches.map((batch) => {
      const children = columnNumbers.map((number, i) => remainingData(batch.data.children[number]!, fields[i]!))
      const data = makeData({ type: new Struct(fields), length: batch.numRows, nullCount: 0, children })
      return new RecordBatch(part, data)
    })
    return encodeWithParquetWasm(part, parts, { compression, coding: 'dictionary' })
  })
}

/** Returns the numbers of the columns to encode in each call. */
function callsOf(schema: Schema, batches: readonly RecordBatch[]): number[][] {
  const calls: number[][] = []
  let byteCount = 0
  for (const [number, field] of schema.fields.entries()) {
    if (remainingColumn(field) === undefined) continue
    const parts = batches.map((batch) => batch.data.children[number]!)
    const columnBytes = parts.reduce((bytes, part) => bytes + arrowByteLength(part, 0, part.length), 0)
    const call = calls.at(-1)
    if (call === undefined || call.length === CALL_COLUMNS || byteCount + columnBytes > CALL_BYTES) {
      calls.push([number])
      byteCount = columnBytes
    } else {
      call.push(number)
      byteCount += columnBytes
    }
  }
  return calls
}

function remainingColumn(field: Field): Field | undefined {
  return isValueColumn(field.type) ? undefined : remainingField(field)
}

/** Returns a field without the dictionary columns in its structs; undefined if nothing else is in it. */
function remainingField(field: Field): Field | undefined {
  if (isDictionaryColumn(field.type)) return undefined
  if (!DataType.isStruct(field.type)) return field
  const members = field.type.children.map(remainingField).filter((member) => member !== undefined)
  return members.length === 0 ? undefined : new Field(field.name, new Struct(members), field.nullable)
}

function remainingData(data: Data, field: Field): Data {
  if (!DataType.isStruct(field.type)) return data
  const numbers = new Map(data.type.children.map((member: Field, i: number) => [member.name, i]))
  const children = field.type.children.map((member) => remainingData(data.children[numbers.get(member.name)!]!, member))
  const { offset, length, nullCount } = data
  const nullBitmap = nullCount === 0 ? null : data.nullBitmap
  return makeData({ type: field.type, offset, length, nullCount, nullBitmap, children })
}
