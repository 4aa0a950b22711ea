/** The dictionary of a question: its options' labels, found by option id. Unknown options are added to it. */

import { makeData, Utf8, Vector } from 'apache-arrow'
import { ExportError } from '../errors.ts'
import { isDigit, MINUS, QUOTE } from '../json/bytes.ts'
import type { Cursor } from '../json/cursor.ts'
import { IdTable, QUOTED_GUID_BYTES } from '../json/id-table.ts'
import { unknownOptionLabel } from '../plan/names.ts'
import { type ColumnPlan, indexBits, maxDictionaryLabels } from '../plan/schema.ts'
import { invalidValue, type Notes } from './column.ts'
import { setOptionIds } from './option-ids.ts'

export type Indices = Int8Array<ArrayBuffer> | Int16Array<ArrayBuffer> | Int32Array<ArrayBuffer>

const NO_INDICES = { 8: new Int8Array(0), 16: new Int16Array(0), 32: new Int32Array(0) } as const

/** Characters of all option ids of one question that are not in its definition. These ids stay in memory. */
const MAX_UNKNOWN_CHARACTERS = 2 ** 24

/** Finds labels by the bytes of an id. Created at the first lookup: the kernel has tables of its own. */
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
  /** Per unknown option whose id has unpaired surrogates, their number; the label has lost them. */
  readonly #loneSurrogates = new Map<number, number>()
  #unknownCharacters = 0
  #vector: Vector<Utf8> | undefined
  /** Per label that no finished batch has: the row that added it. */
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

  /** Makes the labels so far permanent, because the batch is finished. */
  settle(): void {
    if (this.#rows.length > 0) this.#rows = []
  }

  /** Drops the labels that `row` has added, because nothing may depend on a row that is rolled back. */
  rollback(row: number): void {
    if (this.#rows.length === 0 || this.#rows.at(-1)! < row) return
    const lookup = this.#ensureLookup()
    while (this.#rows.length > 0 && this.#rows.at(-1)! >= row) {
      this.#rows.pop()
      lookup.used.delete(lookup.labels.pop()!)
      this.#unknownCharacters -= lookup.ids.pop()!.length
      this.#loneSurrogates.delete(lookup.labels.length)
    }
    lookup.table = new IdTable(lookup.ids)
    this.#vector = undefined
  }

  /** Labels so far, in the order of their indices. */
  get list(): readonly string[] {
    return this.#lookup?.labels ?? this.#plan.labels
  }

  #ensureLookup(): Lookup {
    this.#lookup ??= lookupOf(this.#plan)
    return this.#lookup
  }

  /** Creates an array of indices, as wide as in the Arrow schema. */
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

  /**
   * Reads the option id at the cursor and returns its index; an unknown id is added to the dictionary for `row`.
   * @throws ExportError `ERR_DICTIONARY_FULL` if there is no room for it.
   */
  readIndex(cursor: Cursor, row: number): number {
    const { view, pos } = cursor
    const { table } = this.#ensureLookup()
    const index = table.find(view, pos)
    if (index >= 0) {
      cursor.pos = pos + QUOTED_GUID_BYTES
      return index
    }
    const optionId = readOptionId(cursor)
    const known = table.findText(optionId.toWellFormed())
    return known >= 0 ? known : this.#addUnknown(optionId, cursor, row)
  }

  /** Warns about an option that was kept in the table and is not in the definition. */
  noteIfUnknown(index: number): void {
    if (index < this.#known) return
    this.#notes.add('unknown-option', this.#ensureLookup().ids[index])
    let count = this.#loneSurrogates.get(index) ?? 0
    while (count-- > 0) this.#notes.add('lone-surrogate')
  }

  #addUnknown(optionId: string, cursor: Cursor, row: number): number {
    const { labels, ids, used, table } = this.#ensureLookup()
    const maxLabels = maxDictionaryLabels(indexBits(this.#plan))
    if (labels.length >= maxLabels) {
      throw new ExportError(
        'ERR_DICTIONARY_FULL',
        `expected at most ${maxLabels} options, including those that are not in the definition, found one more`,
        cursor.place(),
      )
    }
    const wellFormed = optionId.toWellFormed()
    this.#unknownCharacters += wellFormed.length
    if (this.#unknownCharacters > MAX_UNKNOWN_CHARACTERS) {
      throw new ExportError(
        'ERR_DICTIONARY_FULL',
        `expected at most ${MAX_UNKNOWN_CHARACTERS} characters of option ids that are not in the definition, found more`,
        cursor.place(),
      )
    }
    const surrogates = countLoneSurrogates(optionId)
    if (surrogates > 0) this.#loneSurrogates.set(labels.length, surrogates)
    labels.push(unknownOptionLabel(wellFormed, used))
    ids.push(wellFormed)
    this.#rows.push(row)
    this.#vector = undefined
    return table.add(wellFormed)
  }

  /** The dictionary as an Arrow vector: the same object until labels change. */
  get vector(): Vector<Utf8> {
    if (this.#vector === undefined) {
      this.#vector = utf8Vector(this.list)
      setOptionIds(this.#vector, this.#lookup?.ids ?? idsOf(this.#plan))
    }
    return this.#vector
  }
}

/** Reads an option id: a text, or the source text of a number. */
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

function countLoneSurrogates(text: string): number {
  return text.isWellFormed() ? 0 : (text.match(/\p{Surrogate}/gu)?.length ?? 0)
}

const encoder = new TextEncoder()

/** Returns texts as an Arrow vector without nulls. */
export function utf8Vector(texts: readonly string[]): Vector<Utf8> {
  const wellFormed = texts.map((text) => text.toWellFormed())
  const data = encoder.encode(wellFormed.join(''))
  const valueOffsets = new Int32Array(texts.length + 1)
  for (const [i, text] of wellFormed.entries()) valueOffsets[i + 1] = valueOffsets[i]! + Buffer.byteLength(text)
  return new Vector([makeData({ type: new Utf8(), length: texts.length, nullCount: 0, valueOffsets, data })])
}
