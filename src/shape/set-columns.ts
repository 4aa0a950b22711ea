/** Sets as boolean columns, one per option of the definition, and a column for all other options. */

import { Bool, type Data, Dictionary, Field, Int32, List, makeData, type Vector } from 'apache-arrow'
import { utf8Vector } from '../columns/labels.ts'
import { optionIdsOf } from '../columns/option-ids.ts'
import { UTF8 } from '../plan/schema.ts'
import { type BaseBatch, type OutputColumn, validityOf } from './recipe.ts'
import { dictionaryOf } from './values.ts'

const BOOL = new Bool()

export { BOOL as FLAG_TYPE }

/** The boolean columns (flags) of one set, built in one pass over its elements. */
export class SetFlags {
  readonly #column: number
  readonly #options: number
  #base: BaseBatch | undefined
  #bits: Uint8Array[] = []

  /** @param options Number of options in the definition; higher indices have no flag. */
  constructor(column: number, options: number) {
    this.#column = column
    this.#options = options
  }

  /** Returns whether each record chose an option; null for records without an answer. */
  data(base: BaseBatch, option: number): Data {
    if (this.#base !== base) this.#fill(base)
    const list = base.column(this.#column)
    const validity = validityOf(list)
    return makeData({
      type: BOOL,
      length: base.rows,
      nullCount: list.nullCount,
      data: this.#bits[option]!,
      ...(validity === undefined ? {} : { nullBitmap: validity }),
    })
  }

  #fill(base: BaseBatch): void {
    const { rows } = base
    const bits = Array.from({ length: this.#options }, () => new Uint8Array((rows + 7) >> 3))
    const list = base.column(this.#column)
    const offsets: Int32Array = list.valueOffsets
    const indices: ArrayLike<number> = list.children[0]!.values
    for (let row = 0; row < rows; row++) {
      const end = offsets[row + 1]!
      for (let i = offsets[row]!; i < end; i++) {
        const option = indices[i]!
        if (option < bits.length) bits[option]![row >> 3]! |= 1 << (row & 7)
      }
    }
    this.#base = base
    this.#bits = bits
  }
}

/** A set that is written without a list column. */
export interface FlaggedSet {
  /** Index of its decoded column. */
  readonly column: number
  readonly name: string
  /** Number of options that have flags. */
  readonly options: number
}

/**
 * One column for all options that have no flag because they are not in the definition: per record a list of
 * `<question>: <option id>`, which may be empty. Its dictionary grows with each new option.
 */
export class OtherOptions implements OutputColumn {
  readonly field: Field
  readonly #sets: readonly FlaggedSet[]
  readonly #type: List
  readonly #itemType: Dictionary
  #texts: string[] = []
  #indexOfText = new Map<string, number>()
  #dictionary: Vector | undefined

  constructor(name: string, sets: readonly FlaggedSet[], dictionaryId: number, metadata: Map<string, string>) {
    this.#sets = sets
    this.#itemType = new Dictionary(UTF8, new Int32(), dictionaryId, false)
    this.#type = new List(new Field('item', this.#itemType, true))
    this.field = new Field(name, this.#type, true, metadata)
  }

  /** Empties the dictionary when those of the decoded columns are reset. */
  forgetUnknownOptions(): void {
    this.#texts = []
    this.#indexOfText = new Map()
    this.#dictionary = undefined
  }

  build(base: BaseBatch): Data {
    const grown = this.#sets.filter(({ column, options }) => dictionaryOf(base.column(column)).length > options)
    const valueOffsets = new Int32Array(base.rows + 1)
    const indices: number[] = []
    if (grown.length > 0) this.#collect(base, grown, valueOffsets, indices)
    this.#dictionary ??= utf8Vector(this.#texts)
    const data = Int32Array.from(indices)
    const child = makeData({
      type: this.#itemType,
      length: data.length,
      nullCount: 0,
      data,
      dictionary: this.#dictionary,
    })
    return makeData({ type: this.#type, length: base.rows, nullCount: 0, valueOffsets, child })
  }

  #collect(base: BaseBatch, sets: readonly FlaggedSet[], valueOffsets: Int32Array, indices: number[]): void {
    const sources = sets.map((set) => {
      const list = base.column(set.column)
      const values: ArrayLike<number> = list.children[0]!.values
      return { ...set, offsets: list.valueOffsets as Int32Array, values, ids: optionIdsOf(dictionaryOf(list)) }
    })
    for (let row = 0; row < base.rows; row++) {
      for (const { name, options, offsets, values, ids } of sources) {
        const end = offsets[row + 1]!
        for (let i = offsets[row]!; i < end; i++) {
          const option = values[i]!
          if (option >= options) indices.push(this.#indexOf(`${name}: ${ids[option]}`))
        }
      }
      valueOffsets[row + 1] = indices.length
    }
  }

  #indexOf(text: string): number {
    const known = this.#indexOfText.get(text)
    if (known !== undefined) return known
    this.#indexOfText.set(text, this.#texts.length)
    this.#texts.push(text)
    this.#dictionary = undefined
    return this.#texts.length - 1
  }
}
