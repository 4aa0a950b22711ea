/** Builds small Arrow tables from plain values. */

import { Bool, type DataType, Field, Int32, Schema, Utf8 } from 'apache-arrow'
import type { BatchReader } from '../sinks/batch-reader.ts'
import { batchOfValues } from '../sinks/value-batch.ts'

interface ValueColumn {
  readonly name: string
  readonly type: DataType
  readonly values: readonly unknown[]
}

export const TEXT = new Utf8()
export const COUNT = new Int32()
export const FLAG = new Bool()

/** Returns a table of one batch. All columns must have equal length. */
export function tableOfValues(columns: readonly ValueColumn[], metadata = new Map<string, string>()): BatchReader {
  const fields = columns.map(({ name, type }) => new Field(name, type, true))
  const schema = new Schema(fields, metadata)
  const batch = batchOfValues(
    schema,
    columns.map(({ values }) => values),
  )
  return {
    schema,
    async *[Symbol.asyncIterator]() {
      if (batch.numRows > 0) yield batch
    },
  }
}
