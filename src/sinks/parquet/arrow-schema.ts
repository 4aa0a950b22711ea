/** The Arrow schema inside of a Parquet file, from which readers restore dictionaries, time zones and metadata. */

import { RecordBatchStreamWriter, type Schema } from 'apache-arrow'

/** Key of the footer's metadata under which all Arrow implementations look. */
export const ARROW_SCHEMA_KEY = 'ARROW:schema'

/** A stream ends with a continuation marker and a length of zero. */
const END_OF_STREAM_BYTES = 8

/**
 * The schema as an encapsulated IPC message in base64. Its metadata is in it even where the file's own metadata says the
 * same: pyarrow gives a table nothing but what is here.
 */
export function arrowSchemaValue(schema: Schema): string {
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, schema)
  writer.finish()
  const stream = writer.toUint8Array(true)
  return Buffer.from(stream.subarray(0, stream.length - END_OF_STREAM_BYTES)).toString('base64')
}
