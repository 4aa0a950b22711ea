/**
 * Collects rows of a dictionary column as the levels and indices of a data page.
 *
 * A definition level counts what is present on the path to a value: each nullable struct, list or value that is not
 * null adds one, and so does a list that is not empty. Repetition levels are 0 at the start of a row and 1 at further
 * elements of its list.
 */

import type { Data } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import { validityOf } from './bitmap.ts'
import { FlatLevels, withLength } from './flat-levels.ts'
import type { PageKernel } from './kernel/page-kernel.ts'
import { indexBody, type PageBody } from './page-body.ts'
import type { Leaf } from './schema-tree.ts'

/** The rows of one batch in a leaf column. */
export interface LeafRows {
  rowCount: number
  /** The structs that contain the values, outermost first. */
  structs: readonly Data[]
  list: Data | undefined
  /** The dictionary indices: one per row, or one per list element. */
  values: Data
  /** Length of the batch's own dictionary. */
  labelCount: number
}

/** Collects rows, a batch or a part of one at a time, until `finish` makes them a page. */
export class DictionaryPage {
  readonly #leaf: Leaf
  readonly #column: string
  readonly #kernel: PageKernel
  readonly #labelCount: number
  readonly #valueNullable: boolean
  /** The levels of a top-level column that is not a list. */
  readonly #flat: FlatLevels | undefined
  #entryCount = 0
  #indexCount = 0

  constructor(leaf: Leaf, kernel: PageKernel, labelCount: number) {
    const { dictionary, path } = leaf
    this.#leaf = leaf
    this.#column = path.join('.')
    this.#kernel = kernel
    this.#labelCount = labelCount
    this.#valueNullable = dictionary?.valueNullable === true
    this.#flat = path.length === 1 ? new FlatLevels(leaf, kernel) : undefined
    kernel.reserve(0, labelCount)
    this.inUse.fill(0)
  }

  /** Entries of the level streams so far. */
  get entryCount(): number {
    return this.#flat?.rowCount ?? this.#entryCount
  }

  get nullCount(): number {
    return this.entryCount - this.#indexCount
  }

  /** 1 for each label that occurred so far in any page of the column. */
  get inUse(): Uint8Array {
    const { at, bytes } = this.#kernel
    return bytes.subarray(at.inUse, at.inUse + this.#labelCount)
  }

  /**
   * Adds `rows[start..end)`, which have at most `entries` entries. If they are more than a page has, it must be empty.
   */
  append(rows: LeafRows, start: number, end: number, entries: number): void {
    this.#kernel.reserve(entries, 0)
    const firstIndex = this.#indexCount
    if (this.#flat !== undefined) this.#appendFlat(this.#flat, rows.values, start, end)
    else if (rows.list === undefined) this.#appendMembers(rows, start, end)
    else this.#appendLists(rows, rows.list, start, end)
    this.#markInUse(firstIndex, rows.labelCount)
  }

  /** Returns the page's body and starts the next page. */
  finish(): PageBody {
    const { maxDefinition, maxRepetition } = this.#leaf
    const { at, call } = this.#kernel
    const entries = this.#entryCount
    const indexCount = this.#indexCount
    let pos = at.body
    if (this.#flat !== undefined) pos = this.#flat.write(pos)
    else {
      const width = bitWidth(maxDefinition)
      if (maxRepetition > 0) {
        pos = withLength(this.#kernel, pos, (out) => call.encodeBits(at.repetitionBits, entries, out))
      }
      if (maxDefinition > 0) {
        pos = withLength(this.#kernel, pos, (out) => call.encodeLevels(at.definitions, entries, width, out))
      }
    }
    this.#entryCount = this.#indexCount = 0
    return indexBody(this.#kernel, pos, indexCount)
  }

  #appendFlat(levels: FlatLevels, values: Data, start: number, end: number): void {
    const bit = levels.rowCount
    const validity = levels.append(values, start, end)
    this.#appendIndices(values.values.subarray(start, end), validity, bit)
    this.#indexCount = levels.validCount
  }

  /** Appends the indices whose bit of `validity`, from `bit` on, is set; all of them if `validity` is 0. */
  #appendIndices(values: Int8Array | Int16Array | Int32Array, validity: number, bit: number): void {
    const { at, bytes, call } = this.#kernel
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at.source)
    const into = at.indices + 4 * this.#indexCount
    if (values.BYTES_PER_ELEMENT === 1) call.keepInt8(at.source, validity, bit, values.length, into)
    else if (values.BYTES_PER_ELEMENT === 2) call.keepInt16(at.source, validity, bit, values.length, into)
    else call.keepInt32(at.source, validity, bit, values.length, into)
  }

  /** Appends members of structs, which have one more level per nullable struct. */
  #appendMembers(rows: LeafRows, start: number, end: number): void {
    const { values } = rows
    const definitions = this.#definitions(end - start)
    const indices = this.#indices(end - start)
    const above = this.#structLevels(rows, start, end)
    const present = this.#leaf.maxDefinition - Number(this.#valueNullable)
    const valid = validityOf(values)
    for (let row = start; row < end; row++) {
      const level = above === undefined ? present : above[row - start]!
      if (level < present) {
        definitions[this.#entryCount++] = level
      } else if (valid(row)) {
        definitions[this.#entryCount++] = this.#leaf.maxDefinition
        indices[this.#indexCount++] = values.values[row]
      } else {
        if (!this.#valueNullable) throw this.#nullError()
        definitions[this.#entryCount++] = present
      }
    }
  }

  #appendLists(rows: LeafRows, list: Data, start: number, end: number): void {
    const { listNullable = false } = this.#leaf.dictionary ?? {}
    if (!listNullable && list.nullCount > 0) throw this.#nullError()
    if (!this.#valueNullable && rows.values.nullCount > 0) throw this.#nullError()
    const present = this.#leaf.maxDefinition
    const emptyList = present - 1 - Number(this.#valueNullable)
    const levels = { present, nullItem: present - 1, emptyList, nullList: emptyList - Number(listNullable) }
    const above = this.#structLevels(rows, start, end)
    const isDense = above === undefined && rows.values.nullCount === 0
    if (isDense && this.#appendDenseLists(rows.values, list, start, end, levels)) return
    this.#appendAnyLists(rows.values, list, start, end, levels, above)
  }

  /**
   * Appends lists without null items: if null lists are empty, the elements are copied as they are.
   * @returns false if a null list has elements; nothing was appended then.
   */
  #appendDenseLists(values: Data, list: Data, start: number, end: number, levels: ListLevels): boolean {
    const { at, bytes, call } = this.#kernel
    const { nullList, emptyList, present } = levels
    const offsets: Int32Array = list.valueOffsets.subarray(start, end + 1)
    const [first, last] = [offsets[0]!, offsets[end - start]!]
    const maxEntries = end - start + last - first
    const entry = this.#entryCount
    bytes.set(new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength), at.offsets)
    const bit = list.offset + start
    if (list.nullCount > 0) bytes.set(list.nullBitmap.subarray(bit >> 3, (bit + end - start + 7) >> 3), at.validity)
    bytes.fill(present, at.definitions + entry, at.definitions + entry + maxEntries)
    call.appendOnes(at.repetitionBits, entry, maxEntries)
    const entries = call.appendLists(
      at.offsets,
      list.nullCount > 0 ? at.validity : 0,
      bit & 7,
      end - start,
      at.definitions,
      at.repetitionBits,
      entry,
      nullList,
      emptyList,
      present,
    )
    if (entries < 0) return false
    this.#appendIndices(values.values.subarray(first, last), 0, 0)
    this.#indexCount += last - first
    this.#entryCount = entries
    return true
  }

  #appendAnyLists(
    values: Data,
    list: Data,
    start: number,
    end: number,
    { nullList, emptyList, nullItem, present }: ListLevels,
    above: Int32Array | undefined,
  ): void {
    const { at, bytes, call } = this.#kernel
    const offsets: Int32Array = list.valueOffsets
    const maxEntries = end - start + offsets[end]! - offsets[start]!
    const definitions = this.#definitions(maxEntries)
    const indices = this.#indices(maxEntries)
    const isListValid = validityOf(list)
    const isItemValid = validityOf(values)
    call.appendOnes(at.repetitionBits, this.#entryCount, maxEntries)
    let entry = this.#entryCount
    for (let row = start; row < end; row++) {
      const level = above === undefined ? nullList : above[row - start]!
      const from = offsets[row]!
      const to = offsets[row + 1]!
      bytes[at.repetitionBits + (entry >> 3)]! &= ~(1 << (entry & 7))
      if (level < nullList || !isListValid(row)) {
        definitions[entry++] = level
      } else if (from === to) {
        definitions[entry++] = emptyList
      } else {
        for (let i = from; i < to; i++) {
          const isValid = isItemValid(i)
          definitions[entry++] = isValid ? present : nullItem
          if (isValid) indices[this.#indexCount++] = values.values[i]
        }
      }
    }
    this.#entryCount = entry
  }

  /** Returns the definition levels so far, with room for `more`. */
  #definitions(more: number): Uint8Array {
    const { at, bytes } = this.#kernel
    return bytes.subarray(at.definitions, at.definitions + this.#entryCount + more)
  }

  /** Returns the indices so far, with room for `more`. */
  #indices(more: number): Int32Array {
    return this.#kernel.int32(this.#kernel.at.indices, this.#indexCount + more)
  }

  /** Returns each row's definition level up to its innermost struct; undefined if none of the structs has a null. */
  #structLevels(rows: LeafRows, start: number, end: number): Int32Array | undefined {
    if (rows.structs.every((struct) => struct.nullCount === 0)) return undefined
    const nullable = this.#leaf.dictionary?.structNullable ?? []
    const valid = rows.structs.map(validityOf)
    return Int32Array.from({ length: end - start }, (_, i) => {
      let level = 0
      for (const [depth, isValid] of valid.entries()) {
        if (!isValid(start + i)) {
          if (nullable[depth] !== true) throw this.#nullError()
          return level
        }
        if (nullable[depth] === true) level++
      }
      return level
    })
  }

  #markInUse(firstIndex: number, labelCount: number): void {
    const { at, call } = this.#kernel
    const count = this.#indexCount - firstIndex
    const marked = call.markInUse(at.indices + 4 * firstIndex, count, labelCount, at.inUse)
    if (marked === count) return
    const [index = 0] = this.#kernel.int32(at.indices + 4 * (firstIndex + marked), 1)
    throw this.#indexError(index, labelCount)
  }

  #nullError(): ExportError {
    const column = quoted(this.#column)
    return new ExportError('ERR_PARQUET', `expected a value, found null in column ${column}, which is not nullable`)
  }

  #indexError(index: number, labelCount: number): ExportError {
    const column = quoted(this.#column)
    return new ExportError('ERR_PARQUET', `expected an index below ${labelCount}, found ${index} in column ${column}`)
  }
}

/** Definition levels of the kinds of entries of a list column. */
interface ListLevels {
  /** Equal to `emptyList` if lists are not nullable. */
  nullList: number
  emptyList: number
  /** Has no meaning if items are not nullable. */
  nullItem: number
  present: number
}

/** Returns the number of bits that hold every number up to `max`. */
function bitWidth(max: number): number {
  return 32 - Math.clz32(max)
}
