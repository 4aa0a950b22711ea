/**
 * Encodes the Arrow schema in a Parquet file, from which readers restore dictionaries, time zones and metadata.
 *
 * It is a message of Arrow's IPC format. arrow-js can write it, too, but takes 40 microseconds per column, and there
 * may be thousands; it is used only for types that this module does not know.
 */

import { DataType, type Dictionary, type Field, RecordBatchStreamWriter, type Schema } from 'apache-arrow'
import { FlatBuffer, type TableShape } from './flat-buffer.ts'

/** Key of the footer's metadata in which all Arrow implementations look for the schema. */
export const ARROW_SCHEMA_KEY = 'ARROW:schema'

/**
 * Returns the schema as an encapsulated IPC message in base64. It includes the metadata even if the file's own metadata
 * has it too, since pyarrow gives a table only the metadata found here.
 */
export function arrowSchemaValue(schema: Schema): string {
  const message = schema.fields.every(isKnownField) ? new SchemaMessage(schema).bytes : messageByArrowJs(schema)
  return Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('base64')
}

/** A stream ends with a continuation marker and a length of zero. */
const END_OF_STREAM_BYTES = 8

export function messageByArrowJs(schema: Schema): Uint8Array {
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, schema)
  writer.finish()
  const stream = writer.toUint8Array(true)
  return stream.subarray(0, stream.length - END_OF_STREAM_BYTES)
}

function isKnownField({ type }: Field): boolean {
  if (DataType.isDictionary(type)) return DataType.isInt(type.indices) && DataType.isUtf8(type.dictionary)
  if (DataType.isList(type) || DataType.isStruct(type)) return type.children.every(isKnownField)
  return [DataType.isInt, DataType.isFloat, DataType.isUtf8, DataType.isBool, DataType.isTimestamp].some((is) =>
    is(type),
  )
}

/** Length of what precedes a message: a marker, and the message's length. */
const PREFIX_BYTES = 8
const CONTINUATION = -1

const VERSION_5 = 4
const SCHEMA_HEADER = 1

/** Tables of the format, by their field numbers; a table's first four bytes refer to its vtable. */
const MESSAGE: TableShape = { fields: [4, 6, 8, 16], byteCount: 24 }
const SCHEMA = withOrWithout(8, (metadata) => ({ fields: [0, 4, metadata], byteCount: 12 }))
const PLAIN_FIELD = withOrWithout(16, (metadata) => ({ fields: [4, 20, 21, 8, 0, 12, metadata], byteCount: 24 }))
const DICTIONARY_FIELD = withOrWithout(16, (metadata) => ({ fields: [4, 20, 21, 8, 24, 12, metadata], byteCount: 28 }))
const ENCODING: TableShape = { fields: [8, 4, 16], byteCount: 20 }
const KEY_VALUE: TableShape = { fields: [4, 8], byteCount: 12 }
const EMPTY: TableShape = { fields: [], byteCount: 4 }
const INT: TableShape = { fields: [4, 8], byteCount: 12 }
const FLOAT: TableShape = { fields: [4], byteCount: 8 }
const TIMESTAMP: TableShape = { fields: [4, 8], byteCount: 12 }
const NAIVE_TIMESTAMP: TableShape = { fields: [4], byteCount: 8 }

/** Returns a function that gives the shape of a table with or without metadata. */
function withOrWithout(
  metadataAt: number,
  shape: (metadataAt: number) => TableShape,
): (metadata: Metadata) => TableShape {
  const [present, absent] = [shape(metadataAt), shape(0)]
  return (metadata) => (metadata.size > 0 ? present : absent)
}

/** Metadata values of up to this many characters are shared: thousands of columns have `true`, `enum` and the like. */
const MAX_SHARED_VALUE_LENGTH = 16

type Metadata = ReadonlyMap<string, string>

class SchemaMessage {
  readonly #buffer = new FlatBuffer()

  constructor({ fields, metadata }: Schema) {
    const buffer = this.#buffer
    const root = buffer.room(4)
    const message = buffer.table(MESSAGE)
    buffer.refer(root, message)
    buffer.int16(message + 4, VERSION_5)
    buffer.int8(message + 6, SCHEMA_HEADER)
    const schema = buffer.table(SCHEMA(metadata))
    buffer.refer(message + 8, schema)
    this.#fields(schema + 4, fields)
    this.#metadata(schema + 8, metadata)
    buffer.writeSharedTexts()
  }

  /** The message after its prefix, padded to a multiple of eight bytes. */
  get bytes(): Uint8Array {
    const { bytes } = this.#buffer
    const message = new Uint8Array(PREFIX_BYTES + Math.ceil(bytes.length / 8) * 8)
    const view = new DataView(message.buffer)
    view.setInt32(0, CONTINUATION, true)
    view.setInt32(4, message.length - PREFIX_BYTES, true)
    message.set(bytes, PREFIX_BYTES)
    return message
  }

  /** Writes the fields and makes the reference at `at` refer to them; the other methods do the same with theirs. */
  #fields(at: number, fields: readonly Field[]): void {
    const buffer = this.#buffer
    const first = buffer.vector(fields.length)
    buffer.referToVector(at, first)
    for (const [i, field] of fields.entries()) this.#field(first + 4 * i, field)
  }

  #field(at: number, { name, type, nullable, metadata }: Field): void {
    const buffer = this.#buffer
    const isDictionary = DataType.isDictionary(type)
    const field = buffer.table((isDictionary ? DICTIONARY_FIELD : PLAIN_FIELD)(metadata))
    const valueType: DataType = isDictionary ? type.dictionary : type
    buffer.refer(at, field)
    buffer.int8(field + 20, Number(nullable))
    buffer.int8(field + 21, valueType.typeId)
    buffer.refer(field + 4, buffer.text(name))
    buffer.refer(field + 8, this.#type(valueType))
    this.#fields(field + 12, valueType.children ?? [])
    this.#metadata(field + 16, metadata)
    if (isDictionary) this.#encoding(field + 24, type)
  }

  #encoding(at: number, { id, indices, isOrdered }: Dictionary): void {
    const buffer = this.#buffer
    const encoding = buffer.table(ENCODING)
    buffer.refer(at, encoding)
    buffer.int32(encoding + 8, id)
    buffer.int8(encoding + 16, Number(isOrdered))
    buffer.refer(encoding + 4, this.#type(indices))
  }

  #type(type: DataType): number {
    const buffer = this.#buffer
    if (DataType.isInt(type)) {
      const table = buffer.table(INT)
      buffer.int32(table + 4, type.bitWidth)
      buffer.int8(table + 8, Number(type.isSigned))
      return table
    }
    if (DataType.isFloat(type)) {
      const table = buffer.table(FLOAT)
      buffer.int16(table + 4, type.precision)
      return table
    }
    if (!DataType.isTimestamp(type)) return buffer.table(EMPTY)
    const table = buffer.table(type.timezone ? TIMESTAMP : NAIVE_TIMESTAMP)
    buffer.int16(table + 4, type.unit)
    if (type.timezone) buffer.refer(table + 8, buffer.text(type.timezone))
    return table
  }

  #metadata(at: number, metadata: Metadata): void {
    if (metadata.size === 0) return
    const buffer = this.#buffer
    const first = buffer.vector(metadata.size)
    buffer.referToVector(at, first)
    const vtable = buffer.vtable(KEY_VALUE)
    let entryAt = first
    for (const [key, value] of metadata) {
      const entry = buffer.table(KEY_VALUE, vtable)
      buffer.refer(entryAt, entry)
      buffer.referToSharedText(entry + 4, key)
      if (value.length <= MAX_SHARED_VALUE_LENGTH) buffer.referToSharedText(entry + 8, value)
      else buffer.refer(entry + 8, buffer.text(value))
      entryAt += 4
    }
  }
}
