/** Builds batches from plain values, for tables that are small or rarely written. */

import { makeBuilder, makeData, RecordBatch, type Schema, Struct } from 'apache-arrow'

/**
 * Returns a batch of the given values.
 * @param columns The values of each field, all of the same length; `null` and `undefined` are null.
 */
export function batchOfValues(schema: Schema, columns: readonly (readonly unknown[])[]): RecordBatch {
  const children = schema.fields.map(({ type }, i) => {
    const builder = makeBuilder({ type, nullValues: [null, undefined] })
    for (const value of columns[i]!) builder.append(value)
    return builder.finish().flush()
  })
  const length = columns[0]?.length ?? 0
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children }))
}
