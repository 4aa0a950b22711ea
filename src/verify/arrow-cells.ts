/**
 * Reads Arrow arrays as plain cells, directly from the buffers: arrow-js' own getters round timestamps to milliseconds.
 */

import { type Data, DataType, type RecordBatch, type Vector } from 'apache-arrow'
import { OutputError } from '../errors.ts'
import type { Cell } from './answer-values.ts'
import { leafData } from './leaf-columns.ts'

/** A batch of the output, by cell; columns are numbered as in `leafColumns`. */
export interface BatchCells {
  readonly rows: number
  cell(column: number, row: number): Cell
  /** Returns the dictionary of a column; undefined if it has none. */
  labels(column: number): readonly string[] | undefined
}

type CellReader = (row: number) => Cell

/** Reads the cells of batches; caches the labels of shared dictionaries. */
export class CellDecoder {
  readonly #labels = new WeakMap<Vector, readonly string[]>()

  batch(batch: RecordBatch): BatchCells {
    const children = leafData(batch.data.children)
    const readers = children.map((data) => this.#reader(data))
    return {
      rows: batch.numRows,
      cell: (column, row) => readers[column]?.(row) ?? null,
      labels: (column) => {
        const dictionary = children[column]?.dictionary ?? children[column]?.children[0]?.dictionary
        return dictionary === undefined ? undefined : this.#labelsOf(dictionary)
      },
    }
  }

  #reader(data: Data): CellReader {
    const value = this.#valueReader(data)
    return data.nullCount === 0 ? value : (row) => (data.getValid(row) ? value(row) : null)
  }

  #valueReader(data: Data): CellReader {
    const { type, values, valueOffsets: offsets } = data
    if (DataType.isUtf8(type)) {
      return (row) => utf8(values as Uint8Array, Number(offsets[row]), Number(offsets[row + 1]))
    }
    if (DataType.isBool(type)) return (row) => bitAt(values as Uint8Array, data.offset + row)
    if (DataType.isFloat(type) || DataType.isInt(type) || DataType.isTimestamp(type))
      return (row) => values[row] as number | bigint
    if (DataType.isDictionary(type) && data.dictionary !== undefined) {
      const labels = this.#labelsOf(data.dictionary)
      return (row) => labelAt(labels, Number(values[row]))
    }
    if (DataType.isList(type) && data.children[0] !== undefined) {
      const element = this.#reader(data.children[0])
      return (row) => elements(element, Number(offsets[row]), Number(offsets[row + 1]))
    }
    return () => `<${typeName(type)}>`
  }

  #labelsOf(dictionary: Vector): readonly string[] {
    let labels = this.#labels.get(dictionary)
    if (labels === undefined) {
      labels = dictionary.data.flatMap((data) => {
        const read = this.#reader(data)
        return Array.from({ length: data.length }, (_, i) => String(read(i)))
      })
      this.#labels.set(dictionary, labels)
    }
    return labels
  }
}

/** Throws on invalid UTF-8, and keeps a byte order mark inside a cell. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(bytes: Uint8Array, start: number, end: number): string {
  try {
    return UTF8.decode(bytes.subarray(start, end))
  } catch (cause) {
    throw new OutputError('ERR_OUTPUT', 'the output is damaged: expected UTF-8 in a text, found other bytes', { cause })
  }
}

function bitAt(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
}

function labelAt(labels: readonly string[], index: number): string {
  const label = labels[index]
  if (label !== undefined) return label
  throw new OutputError(
    'ERR_OUTPUT',
    `the output is damaged: expected a dictionary index below ${labels.length}, found ${index}`,
  )
}

function elements(read: CellReader, start: number, end: number): string[] {
  const found: string[] = []
  for (let i = start; i < end; i++) found.push(read(i) as string)
  return found
}

/** Returns a type in the notation of the documentation: `list<dictionary<utf8>>`. Omits the width of indices. */
export function typeName(type: DataType): string {
  if (DataType.isUtf8(type)) return 'utf8'
  if (DataType.isFloat(type)) return `float${[16, 32, 64][type.precision]}`
  if (DataType.isTimestamp(type)) {
    const zone = type.timezone ? `, ${type.timezone}` : ''
    return `timestamp[${['s', 'ms', 'us', 'ns'][type.unit]}${zone}]`
  }
  if (DataType.isDictionary(type)) return `dictionary<${typeName(type.dictionary)}>`
  if (DataType.isList(type)) return `list<${typeName(type.children[0].type)}>`
  if (DataType.isStruct(type)) return 'struct'
  return String(type)
}
