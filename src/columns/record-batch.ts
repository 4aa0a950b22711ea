/** Columns → a RecordBatch, in a time that is linear in their number. */

import { type Data, RecordBatch, Schema, type Struct } from 'apache-arrow'

/**
 * A batch of columns that all have the length of `data`, and the types that the schema says.
 *
 * The constructor of `RecordBatch` joins the schema with the fields of the columns, comparing the name of each with all
 * others: 0.1 s for 5,000 columns.
 */
export function recordBatch(schema: Schema, data: Data<Struct>): RecordBatch {
  return new RecordBatch(new JoinedSchema(schema), data)
}

/** A schema that fits its columns as it is. */
class JoinedSchema extends Schema {
  readonly #schema: Schema

  constructor(schema: Schema) {
    super(schema.fields, schema.metadata, schema.dictionaries, schema.metadataVersion)
    this.#schema = schema
  }

  override assign(): Schema {
    return this.#schema
  }
}
