/** Creates a RecordBatch from columns, in time linear in their number. */

import { type Data, RecordBatch, Schema, type Struct } from 'apache-arrow'

/**
 * Creates a batch of columns that all have the length of `data` and the types of the schema.
 *
 * The constructor of `RecordBatch` merges the schema with the fields of the columns and compares each name with all
 * others, which takes 0.1 s for 5,000 columns; here that merge is skipped.
 */
export function recordBatch(schema: Schema, data: Data<Struct>): RecordBatch {
  return new RecordBatch(new JoinedSchema(schema), data)
}

/** A schema that already fits its columns, so that merging returns it unchanged. */
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
