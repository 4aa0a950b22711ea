/**
 * Text columns in which rows repeat the row before, as owner ids do in a table of one row an answer: written from indices
 * like dictionary columns, for parquet-wasm would hash each text again. They stay plain texts to readers.
 */

import {
  type Data,
  DataType,
  Dictionary,
  Field,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
  Vector,
} from 'apache-arrow'

const SAMPLE_ROWS = 256

/** Longest text that counts as repeated. */
const MOST_BYTES = 256

/** Part of the sampled rows that must be like the row before. */
const LEAST_REPEATED = 3 / 4

/** Batches of one row group with such columns as dictionaries; the same object where there are none. */
export function withRepeatedTexts(schema: Schema, batches: readonly RecordBatch[]): readonly RecordBatch[] {
  const columns = new Map<number, Data[]>()
  for (const [i, { type }] of schema.fields.entries()) {
    const parts = batches.map((batch) => batch.data.children[i]!)
    if (DataType.isUtf8(type) && parts.every(isRepeated)) columns.set(i, dictionaries(parts, -1 - i))
  }
  if (columns.size === 0) return batches
  const fields = schema.fields.map((field, i) => {
    const part = columns.get(i)?.[0]
    return part === undefined ? field : new Field(field.name, part.type, field.nullable)
  })
  const shown = new Schema(fields)
  return batches.map((batch, k) => {
    const children = batch.data.children.map((column, i) => columns.get(i)?.[k] ?? column)
    return new RecordBatch(shown, makeData({ type: new Struct(fields), length: batch.numRows, nullCount: 0, children }))
  })
}

function isRepeated(data: Data): boolean {
  const { length, valueOffsets } = data
  const isAlike = rowComparison(data)
  const step = Math.max(1, Math.floor(length / SAMPLE_ROWS))
  let sampled = 0
  let repeated = 0
  for (let row = 1; row < length; row += step) {
    sampled++
    const bytes = valueOffsets[row + 1] - valueOffsets[row]
    // An empty text, as behind a null, costs nothing anyway; a long one is no id.
    if (bytes > 0 && bytes <= MOST_BYTES && isAlike(row)) repeated++
  }
  return sampled > 0 && repeated >= sampled * LEAST_REPEATED
}

/** Tells whether a row has the same text as the row before. */
function rowComparison(data: Data): (row: number) => boolean {
  const valueOffsets: Int32Array = data.valueOffsets
  const bytes: Uint8Array = data.values
  const words =
    (bytes.byteOffset & 3) === 0 ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) : undefined
  return (row) => {
    const previous = valueOffsets[row - 1]!
    const start = valueOffsets[row]!
    const end = valueOffsets[row + 1]!
    if (start - previous !== end - start) return false
    if (words !== undefined && ((previous | start | end) & 3) === 0) {
      return isEqual(words, previous >> 2, start >> 2, (end - start) >> 2)
    }
    return isEqual(bytes, previous, start, end - start)
  }
}

function isEqual(values: Uint8Array | Int32Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (values[a + i] !== values[b + i]) return false
  return true
}

/**
 * The parts with indices into one dictionary, in the order in which the texts occur.
 * @param id Of the dictionary; below those that a table has.
 */
function dictionaries(parts: readonly Data[], id: number): Data[] {
  const texts = new TextList()
  const indices = parts.map((part) => texts.indicesOf(part))
  const dictionary = texts.vector()
  const type = new Dictionary(UTF8, new Int32(), id, false)
  return parts.map(({ offset, length, nullCount, nullBitmap }, k) => {
    const validity = nullCount === 0 ? undefined : nullBitmap
    return makeData({ type, offset, length, nullCount, nullBitmap: validity, data: indices[k]!, dictionary } as never)
  })
}

const UTF8 = new Utf8()

/** Texts as bytes, each once. */
class TextList {
  /** By the bytes as characters. */
  readonly #indexOfBytes = new Map<string, number>()

  /** The index of each row's text; nulls have that of an empty one, which nobody sees. */
  indicesOf(data: Data): Int32Array {
    const { length, valueOffsets } = data
    const values: Uint8Array = data.values
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
    const indices = new Int32Array(length)
    const isAlike = rowComparison(data)
    for (let row = 0; row < length; row++) {
      indices[row] =
        row > 0 && isAlike(row)
          ? indices[row - 1]!
          : this.#indexOf(bytes.toString('latin1', valueOffsets[row], valueOffsets[row + 1]))
    }
    return indices
  }

  #indexOf(bytes: string): number {
    const known = this.#indexOfBytes.get(bytes)
    if (known !== undefined) return known
    this.#indexOfBytes.set(bytes, this.#indexOfBytes.size)
    return this.#indexOfBytes.size - 1
  }

  vector(): Vector<Utf8> {
    const texts = [...this.#indexOfBytes.keys()]
    const valueOffsets = new Int32Array(texts.length + 1)
    for (const [i, text] of texts.entries()) valueOffsets[i + 1] = valueOffsets[i]! + text.length
    const data = new Uint8Array(Buffer.from(texts.join(''), 'latin1'))
    return new Vector([makeData({ type: UTF8, length: texts.length, nullCount: 0, valueOffsets, data })])
  }
}
