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

const NO_INDICES = { 8: new Int8Array(0), 16: new Int16Array(0), 32: new Int32Array(0) } as const

/** Characters of all ids of one question that are not in its definition, which stay in memory. */
const MOST_UNKNOWN_CHARACTERS = 2 ** 24

/** What finds labels by the bytes of an id; made when the first one is looked for, which the kernel does for itself. */
interface Lookup {
  table: IdTable
  readonly labels: string[]
  readonly ids: string[]
  readonly used: Set<string>
}

export class Labels {
  #lookup: Lookup | undefined
  readonly #plan: ColumnPlan
  readonly #notes: Notes
  readonly #known: number
  /** Per unknown option whose id had some: how many halves of surrogate pairs its label has lost. */
  readonly #loneSurrogates = new Map<number, number>()
  #unknownCharacters = 0
  #vector: Vector<Utf8> | undefined
  /** The row that brought each of the labels that no finished batch has. */
  #rows: number[] = []

  constructor(plan: ColumnPlan, notes: Notes) {
    this.#plan = plan
    this.#notes = notes
    this.#known = plan.field?.options.length ?? 0
  }

  /** Drops the options that are not in the definition. */
  forgetUnknown(): void {
    if (this.list.length === this.#plan.labels.length) return
    this.#lookup = undefined
    this.#loneSurrogates.clear()
    this.#unknownCharacters = 0
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
    const lookup = this.#lookupNow
    while (this.#rows.length > 0 && this.#rows.at(-1)! >= row) {
      this.#rows.pop()
      lookup.used.delete(lookup.labels.pop()!)
      this.#unknownCharacters -= lookup.ids.pop()!.length
      this.#loneSurrogates.delete(lookup.labels.length)
    }
    lookup.table = new IdTable(lookup.ids)
    this.#vector = undefined
  }

  /** The labels so far, in the order of their indices. */
  get list(): readonly string[] {
    return this.#lookup?.labels ?? this.#plan.labels
  }

  get #lookupNow(): Lookup {
    this.#lookup ??= lookupOf(this.#plan)
    return this.#lookup
  }

  /** An array of indices, as wide as the Arrow schema says. */
  newIndices(length: number): Indices {
    if (length === 0) return NO_INDICES[indexBits(this.#plan)]
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
    const { table } = this.#lookupNow
    const index = table.find(view, pos)
    if (index >= 0) {
      cursor.pos = pos + QUOTED_GUID_BYTES
      return index
    }
    const optionId = readOptionId(cursor)
    const known = table.findText(optionId.toWellFormed())
    return known >= 0 ? known : this.#addUnknown(optionId, cursor, row)
  }

  /** Takes note of an option that was kept in the table and is not in the definition. */
  noteIfUnknown(index: number): void {
    if (index < this.#known) return
    this.#notes.add('unknown-option', this.#lookupNow.ids[index])
    let halves = this.#loneSurrogates.get(index) ?? 0
    while (halves-- > 0) this.#notes.add('lone-surrogate')
  }

  #addUnknown(optionId: string, cursor: Cursor, row: number): number {
    const { labels, ids, used, table } = this.#lookupNow
    const most = mostLabels(indexBits(this.#plan))
    if (labels.length >= most) {
      throw new ExportError(
        'ERR_DICTIONARY_FULL',
        `expected at most ${most} options, those that are not in the definition included, found one more`,
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
    if (halves > 0) this.#loneSurrogates.set(labels.length, halves)
    labels.push(unknownOptionLabel(wellFormed, used))
    ids.push(wellFormed)
    this.#rows.push(row)
    this.#vector = undefined
    return table.add(wellFormed)
  }

  /** The dictionary as Arrow has it: the same object until a label is added. */
  get vector(): Vector<Utf8> {
    if (this.#vector === undefined) {
      this.#vector = utf8Vector(this.list)
      setOptionIds(this.#vector, this.#lookup?.ids ?? idsOf(this.#plan))
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

function lookupOf(plan: ColumnPlan): Lookup {
  return {
    table: new IdTable(plan.field?.options.map((option) => option.id)),
    labels: [...plan.labels],
    ids: idsOf(plan),
    used: new Set(plan.labels),
  }
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
  const wellFormed = texts.map((text) => text.toWellFormed())
  const data = encoder.encode(wellFormed.join(''))
  const valueOffsets = new Int32Array(texts.length + 1)
  for (const [i, text] of wellFormed.entries()) valueOffsets[i + 1] = valueOffsets[i]! + Buffer.byteLength(text)
  return new Vector([makeData({ type: new Utf8(), length: texts.length, nullCount: 0, valueOffsets, data })])
}
