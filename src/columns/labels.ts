/** The dictionary of a question: its options' labels, found by option id, and longer when an option is not known. */

import { makeData, Utf8, Vector } from 'apache-arrow'
import { ExportError } from '../errors.ts'
import { isDigit, MINUS, QUOTE } from '../json/bytes.ts'
import type { Cursor } from '../json/cursor.ts'
import { IdTable, QUOTED_GUID_BYTES } from '../json/id-table.ts'
import { unknownOptionLabel } from '../names.ts'
import { type ColumnPlan, indexBits, mostLabels } from '../schema.ts'
import { invalidValue, type Notes } from './column.ts'
import { setOptionIds } from './option-ids.ts'

export type Indices = Int8Array<ArrayBuffer> | Int16Array<ArrayBuffer> | Int32Array<ArrayBuffer>

/** Characters of all ids of one question that are not in its definition, which stay in memory. */
const MOST_UNKNOWN_CHARACTERS = 2 ** 24

export class Labels {
  table: IdTable
  #labels: string[]
  #ids: string[]
  #used: Set<string>
  readonly #plan: ColumnPlan
  readonly #notes: Notes
  readonly #mostLabels: number
  readonly #known: number
  /** Per unknown option whose id had some: how many halves of surrogate pairs its label has lost. */
  readonly #loneSurrogates = new Map<number, number>()
  #unknownCharacters = 0
  #vector: Vector<Utf8> | undefined
  /** The row that brought each of the labels that no finished batch has. */
  #rows: number[] = []

  constructor(plan: ColumnPlan, notes: Notes) {
    this.table = new IdTable(plan.field?.options.map((option) => option.id))
    this.#labels = [...plan.labels]
    this.#ids = idsOf(plan)
    this.#used = new Set(plan.labels)
    this.#plan = plan
    this.#notes = notes
    this.#known = plan.field?.options.length ?? 0
    this.#mostLabels = mostLabels(indexBits(plan))
  }

  /** Drops the options that are not in the definition. */
  forgetUnknown(): void {
    if (this.#labels.length === this.#plan.labels.length) return
    this.table = new IdTable(this.#plan.field?.options.map((option) => option.id))
    this.#labels = [...this.#plan.labels]
    this.#ids = idsOf(this.#plan)
    this.#loneSurrogates.clear()
    this.#unknownCharacters = 0
    this.#used = new Set(this.#labels)
    this.#vector = undefined
    this.settle()
  }

  /** Says that the batch is finished: the labels so far stay. */
  settle(): void {
    if (this.#rows.length > 0) this.#rows = []
  }

  /** Drops the labels that `row`, which is taken back, was the first to need: nothing else may depend on it. */
  rollback(row: number): void {
    if (this.#rows.length === 0 || this.#rows.at(-1)! < row) return
    while (this.#rows.length > 0 && this.#rows.at(-1)! >= row) {
      this.#rows.pop()
      this.#used.delete(this.#labels.pop()!)
      this.#unknownCharacters -= this.#ids.pop()!.length
      this.#loneSurrogates.delete(this.#labels.length)
    }
    this.table = new IdTable(this.#ids)
    this.#vector = undefined
  }

  /** The labels so far, in the order of their indices. */
  get list(): readonly string[] {
    return this.#labels
  }

  /** An array of indices, as wide as the Arrow schema says. */
  newIndices(length: number): Indices {
    switch (indexBits(this.#plan)) {
      case 8:
        return new Int8Array(length)
      case 16:
        return new Int16Array(length)
      case 32:
        return new Int32Array(length)
    }
  }

  /** Reads the option id at the cursor; its index in the dictionary, which grows by `row` when the id is not known. */
  readIndex(cursor: Cursor, row: number): number {
    const { view, pos } = cursor
    const index = this.table.find(view, pos)
    if (index >= 0) {
      cursor.pos = pos + QUOTED_GUID_BYTES
      return index
    }
    const optionId = readOptionId(cursor)
    const known = this.table.findText(optionId.toWellFormed())
    return known >= 0 ? known : this.#addUnknown(optionId, cursor, row)
  }

  /** Takes note of an option that was kept in the table and is not in the definition. */
  noteIfUnknown(index: number): void {
    if (index < this.#known) return
    this.#notes.add('unknown-option', this.#ids[index])
    let halves = this.#loneSurrogates.get(index) ?? 0
    while (halves-- > 0) this.#notes.add('lone-surrogate')
  }

  #addUnknown(optionId: string, cursor: Cursor, row: number): number {
    if (this.#labels.length >= this.#mostLabels) {
      throw new ExportError(
        'ERR_DICTIONARY_FULL',
        `expected at most ${this.#mostLabels} options, those that are not in the definition included, found one more`,
        cursor.place(),
      )
    }
    const wellFormed = optionId.toWellFormed()
    this.#unknownCharacters += wellFormed.length
    if (this.#unknownCharacters > MOST_UNKNOWN_CHARACTERS) {
      throw new ExportError(
        'ERR_DICTIONARY_FULL',
        `expected at most ${MOST_UNKNOWN_CHARACTERS} characters of option ids that are not in the definition, found more`,
        cursor.place(),
      )
    }
    const halves = loneSurrogates(optionId)
    if (halves > 0) this.#loneSurrogates.set(this.#labels.length, halves)
    this.#labels.push(unknownOptionLabel(wellFormed, this.#used))
    this.#ids.push(wellFormed)
    this.#rows.push(row)
    this.#vector = undefined
    return this.table.add(wellFormed)
  }

  /** The dictionary as Arrow has it: the same object until a label is added. */
  get vector(): Vector<Utf8> {
    if (this.#vector === undefined) {
      this.#vector = utf8Vector(this.#labels)
      setOptionIds(this.#vector, this.#ids)
    }
    return this.#vector
  }
}

/** An id is a text; where a number stands instead, its source text is the id. */
function readOptionId(cursor: Cursor): string {
  const start = cursor.pos
  const byte = cursor.bytes[start]!
  if (byte === QUOTE) return cursor.readString()
  if (!isDigit(byte) && byte !== MINUS) throw invalidValue(cursor, start, 'the id of an option')
  cursor.skipNumber()
  return cursor.text(start, cursor.pos)
}

function idsOf(plan: ColumnPlan): string[] {
  return plan.field?.options.map((option) => option.id) ?? [...plan.labels]
}

function loneSurrogates(text: string): number {
  return text.isWellFormed() ? 0 : (text.match(/\p{Surrogate}/gu)?.length ?? 0)
}

const encoder = new TextEncoder()

/** Texts as Arrow data without nulls. */
export function utf8Vector(texts: readonly string[]): Vector<Utf8> {
  const encoded = texts.map((text) => encoder.encode(text))
  const valueOffsets = new Int32Array(texts.length + 1)
  for (const [i, bytes] of encoded.entries()) valueOffsets[i + 1] = valueOffsets[i]! + bytes.length
  const data = new Uint8Array(valueOffsets[texts.length]!)
  for (const [i, bytes] of encoded.entries()) data.set(bytes, valueOffsets[i])
  return new Vector([makeData({ type: new Utf8(), length: texts.length, nullCount: 0, valueOffsets, data })])
}
