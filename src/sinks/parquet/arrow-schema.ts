/** The Arrow schema inside of a Parquet file, from which readers restore dictionaries, time zones and metadata. */

import { RecordBatchStreamWriter, Schema } from 'apache-arrow'

/** Key of the footer's metadata under which all Arrow implementations look. */
export const ARROW_SCHEMA_KEY = 'ARROW:schema'

/** A stream ends with a continuation marker and a length of zero. */
const END_OF_STREAM_BYTES = 8

/**
 * The schema as an encapsulated IPC message in base64.
 *
 * @param keyValueMetadata the file's own metadata: readers add it to the schema's, so that what is there with the same
 * value is left out here and a large definition does not stand in the file twice.
 */
export function arrowSchemaValue(schema: Schema, keyValueMetadata: ReadonlyMap<string, string> = new Map()): string {
  const metadata = new Map([...schema.metadata].filter(([key, value]) => keyValueMetadata.get(key) !== value))
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, new Schema(schema.fields, metadata))
  writer.finish()
  const stream = writer.toUint8Array(true)
  return Buffer.from(stream.subarray(0, stream.length - END_OF_STREAM_BYTES)).toString('base64')
}
