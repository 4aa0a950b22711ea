/**
 * A decoded batch on its way to another thread: its buffers are handed over, not copied. Dictionaries stay with the
 * decoder, so their labels are sent, and only when they have changed.
 */

import { type Data, type DataType, makeData, RecordBatch, type Schema, Struct, type Vector } from 'apache-arrow'
import { utf8Vector } from '../columns/labels.ts'
import { optionIdsOf, setOptionIds } from '../columns/option-ids.ts'

interface WireDictionary {
  readonly labels: readonly string[]
  readonly optionIds: readonly string[]
}

interface WireData {
  readonly length: number
  readonly nullCount: number
  readonly nullBitmap: Uint8Array | undefined
  readonly valueOffsets: unknown
  readonly values: unknown
  readonly children: readonly WireData[]
  /** Undefined where there is none, and where it is that of the batch before. */
  readonly dictionary: WireDictionary | undefined
}

export interface WireBatch {
  readonly rows: number
  readonly columns: readonly WireData[]
}

/** Takes batches apart, all of one decoder and in order. */
export class BatchPacker {
  /** By place among all the columns and their children. */
  readonly #sent: (Vector | undefined)[] = []
  #place = 0
  #buffers = new Set<ArrayBuffer>()

  /** The batch's buffers are to be transferred with it and are gone for the sender then. */
  pack({ numRows, data }: RecordBatch): { batch: WireBatch; buffers: ArrayBuffer[] } {
    this.#place = 0
    this.#buffers = new Set()
    const batch = { rows: numRows, columns: data.children.map((column) => this.#packed(column)) }
    return { batch, buffers: [...this.#buffers] }
  }

  #packed(data: Data): WireData {
    const place = this.#place++
    return {
      length: data.length,
      nullCount: data.nullCount,
      nullBitmap: data.nullCount === 0 ? undefined : this.#handedOver(data.nullBitmap),
      valueOffsets: this.#handedOver(data.valueOffsets),
      values: this.#handedOver(data.values),
      children: data.children.map((child) => this.#packed(child)),
      dictionary: this.#dictionary(place, data.dictionary),
    }
  }

  #handedOver<T>(view: T): T {
    if (ArrayBuffer.isView(view) && view.byteLength > 0) this.#buffers.add(view.buffer as ArrayBuffer)
    return view
  }

  #dictionary(place: number, dictionary: Vector | undefined): WireDictionary | undefined {
    if (dictionary === undefined || this.#sent[place] === dictionary) return undefined
    this.#sent[place] = dictionary
    return { labels: dictionary.toArray() as string[], optionIds: optionIdsOf(dictionary) }
  }
}

/** Puts batches together again, all of one packer and in order. */
export class BatchUnpacker {
  readonly #schema: Schema
  readonly #dictionaries: Vector[] = []
  #place = 0

  /** @param schema That of the decoder. */
  constructor(schema: Schema) {
    this.#schema = schema
  }

  unpack({ rows, columns }: WireBatch): RecordBatch {
    this.#place = 0
    const { fields } = this.#schema
    const children = columns.map((column, i) => this.#unpacked(column, fields[i]!.type))
    return new RecordBatch(this.#schema, makeData({ type: new Struct(fields), length: rows, nullCount: 0, children }))
  }

  #unpacked(wire: WireData, type: DataType): Data {
    const place = this.#place++
    if (wire.dictionary !== undefined) this.#dictionaries[place] = dictionaryOf(wire.dictionary)
    const { length, nullCount, nullBitmap, valueOffsets, values } = wire
    const childTypes = (type.children ?? []).map((field: { type: DataType }) => field.type)
    const children = wire.children.map((child, i) => this.#unpacked(child, childTypes[i]!))
    const dictionary = this.#dictionaries[place]
    return makeData({
      type,
      length,
      nullCount,
      nullBitmap,
      valueOffsets,
      data: values,
      ...(children.length === 0 ? {} : { child: children[0] }),
      ...(dictionary === undefined ? {} : { dictionary }),
    } as never)
  }
}

function dictionaryOf({ labels, optionIds }: WireDictionary): Vector {
  const dictionary = utf8Vector(labels)
  setOptionIds(dictionary, optionIds)
  return dictionary
}
