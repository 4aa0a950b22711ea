/** Small tables from plain values, as Arrow batches. */

import {
  Bool,
  type DataType,
  Field,
  Float64,
  Int32,
  makeBuilder,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
} from 'apache-arrow'
import type { BatchReader } from '../sinks/ipc.ts'

export interface ValueColumn {
  readonly name: string
  readonly type: DataType
  readonly values: readonly unknown[]
}

export const TEXT = new Utf8()
export const COUNT = new Int32()
export const FLAG = new Bool()
export const NUMBER = new Float64()

/** One batch of columns of equal length. */
export function tableOfValues(columns: readonly ValueColumn[], metadata = new Map<string, string>()): BatchReader {
  const fields = columns.map(({ name, type }) => new Field(name, type, true))
  const schema = new Schema(fields, metadata)
  const length = columns[0]?.values.length ?? 0
  const children = columns.map(({ type, values }) => {
    const builder = makeBuilder({ type, nullValues: [null, undefined] })
    for (const value of values) builder.append(value)
    return builder.finish().flush()
  })
  const data = makeData({ type: new Struct(fields), length, nullCount: 0, children })
  return {
    schema,
    async *[Symbol.asyncIterator]() {
      if (length > 0) yield new RecordBatch(schema, data)
    },
  }
}
