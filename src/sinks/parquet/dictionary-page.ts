/**
 * Rows of a dictionary column → the levels and indices of a data page.
 *
 * Definition levels count what is there on the way to a value: each struct or list or value that may be null adds one, and
 * so does a list that is not empty. Repetition levels are 0 where a row begins and 1 at further elements of its list.
 */

import type { Data } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import { clearBitsBehind, copyBits, keepValid, setBits, validityOf } from './bitmap.ts'
import { bitWidth, encodeBits, encodeHybrid, hybridCapacity, writeRun } from './hybrid.ts'
import type { Leaf } from './schema-tree.ts'

/** One batch, as a leaf sees it. */
export interface LeafRows {
  rowCount: number
  /** From the outside in. */
  structs: readonly Data[]
  list: Data | undefined
  /** The indices; a row each, or an element of the list each. */
  values: Data
  /** Length of the batch's own dictionary. */
  labelCount: number
}

/** Body of a data page, not compressed. */
export interface PageBody {
  bytes: Uint8Array
  valueCount: number
}

/** Work space for one page, used for one column after another. Numbers are 32 bits wide so that loops see one kind. */
export class PageBuffers {
  definitions = new Int32Array(0)
  indices = new Int32Array(0)
  /** One bit an entry: the definition levels of a flat column, the repetition levels of a list. */
  bits = new Uint8Array(0)
  body = new Uint8Array(0)

  reserve(entries: number): void {
    // `encodeHybrid` fills up the last group.
    const length = entries + 8
    if (length <= this.indices.length) return
    this.definitions = grown(this.definitions, new Int32Array(length))
    this.indices = grown(this.indices, new Int32Array(length))
    this.bits = grown(this.bits, new Uint8Array((length >> 3) + 2))
  }

  reserveBody(byteCount: number): void {
    if (byteCount > this.body.length) this.body = new Uint8Array(byteCount)
  }
}

function grown<A extends Uint8Array | Int32Array>(from: A, into: A): A {
  into.set(from)
  return into
}

/** Collects rows, a batch or a part of it at a time, until they leave as a page. */
export class DictionaryPage {
  readonly #leaf: Leaf
  readonly #column: string
  readonly #buffers: PageBuffers
  /** 1 for each index that occurred; over all pages of the column. */
  readonly #inUse: Uint8Array
  readonly #valueNullable: boolean
  readonly #isFlat: boolean
  #entryCount = 0
  #indexCount = 0
  /** Has the highest bit of the largest index. */
  #indexBits = 0

  constructor(leaf: Leaf, buffers: PageBuffers, inUse: Uint8Array) {
    const { dictionary, path } = leaf
    this.#leaf = leaf
    this.#column = path.join('.')
    this.#buffers = buffers
    this.#inUse = inUse
    this.#valueNullable = dictionary?.valueNullable === true
    this.#isFlat = path.length === 1
  }

  /** Entries of the level streams so far. */
  get entryCount(): number {
    return this.#entryCount
  }

  /** Adds `rows[start..end)`, which have at most `entries` entries. */
  append(rows: LeafRows, start: number, end: number, entries: number): void {
    this.#buffers.reserve(this.#entryCount + entries)
    const firstIndex = this.#indexCount
    if (this.#isFlat) this.#appendFlat(rows.values, start, end)
    else if (rows.list === undefined) this.#appendMembers(rows, start, end)
    else this.#appendLists(rows, rows.list, start, end)
    this.#markInUse(firstIndex, rows.labelCount)
  }

  /** The page's body and how many of its entries are null; the next page starts. */
  finish(): PageBody & { nullCount: number } {
    const { maxDefinition, maxRepetition } = this.#leaf
    const { bits, definitions, indices } = this.#buffers
    const entries = this.#entryCount
    const width = Math.max(1, bitWidth(this.#indexBits))
    const levelBytes = hybridCapacity(entries, bitWidth(maxDefinition)) + hybridCapacity(entries, 1)
    this.#buffers.reserveBody(levelBytes + hybridCapacity(this.#indexCount, width))
    const { body } = this.#buffers
    let pos = 0
    if (maxRepetition > 0) pos = withLength(body, pos, (at) => encodeBits(bits, entries, body, at))
    if (this.#isFlat && maxDefinition > 0) pos = withLength(body, pos, (at) => this.#encodeValidity(at))
    else if (maxDefinition > 0) {
      pos = withLength(body, pos, (at) => encodeHybrid(definitions, entries, bitWidth(maxDefinition), body, at))
    }
    body[pos++] = width
    pos = encodeHybrid(indices, this.#indexCount, width, body, pos)
    const page = { bytes: body.slice(0, pos), valueCount: entries, nullCount: entries - this.#indexCount }
    this.#entryCount = this.#indexCount = this.#indexBits = 0
    return page
  }

  #encodeValidity(pos: number): number {
    const { body, bits } = this.#buffers
    if (this.#indexCount === this.#entryCount) return writeRun(1, this.#entryCount, 1, body, pos)
    if (this.#indexCount === 0) return writeRun(0, this.#entryCount, 1, body, pos)
    return encodeBits(bits, this.#entryCount, body, pos)
  }

  /** A column of its own: the validity bitmap is the definition levels already. */
  #appendFlat(values: Data, start: number, end: number): void {
    const { indices, bits } = this.#buffers
    const count = end - start
    indices.set(values.values.subarray(start, end), this.#indexCount)
    if (values.nullCount === 0) {
      if (this.#valueNullable) setBits(bits, this.#entryCount, count)
      this.#indexCount += count
    } else {
      if (!this.#valueNullable) throw this.#unexpectedNull()
      copyBits(values.nullBitmap, values.offset + start, bits, this.#entryCount, count)
      this.#indexCount = keepValid(indices, this.#indexCount, bits, this.#entryCount, count)
    }
    this.#entryCount += count
  }

  /** Members of structs: a level more for each struct that may be null. */
  #appendMembers(rows: LeafRows, start: number, end: number): void {
    const { values } = rows
    const { definitions, indices } = this.#buffers
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
        if (!this.#valueNullable) throw this.#unexpectedNull()
        definitions[this.#entryCount++] = present
      }
    }
  }

  #appendLists(rows: LeafRows, list: Data, start: number, end: number): void {
    const { listNullable = false } = this.#leaf.dictionary ?? {}
    if (!listNullable && list.nullCount > 0) throw this.#unexpectedNull()
    if (!this.#valueNullable && rows.values.nullCount > 0) throw this.#unexpectedNull()
    const present = this.#leaf.maxDefinition
    const emptyList = present - 1 - Number(this.#valueNullable)
    const levels = { present, nullItem: present - 1, emptyList, nullList: emptyList - Number(listNullable) }
    const above = this.#structLevels(rows, start, end)
    const isDense = above === undefined && rows.values.nullCount === 0
    if (isDense && this.#appendDenseLists(rows.values, list, start, end, levels)) return
    this.#appendAnyLists(rows.values, list, start, end, levels, above)
  }

  /**
   * Lists without null items of which those that are null are empty: the elements follow one another as they are. There is
   * no loop over the elements, whose number the processor cannot foresee: all entries are written as further elements at
   * once, then each row sets its first one.
   * @returns false if a list that is null has elements; nothing was appended then.
   */
  #appendDenseLists(values: Data, list: Data, start: number, end: number, levels: ListLevels): boolean {
    const { bits, definitions, indices } = this.#buffers
    const { nullList, emptyList, present } = levels
    const offsets: Int32Array = list.valueOffsets
    const validity: Uint8Array = list.nullCount > 0 ? list.nullBitmap : ALL_VALID
    // A bit of `ALL_VALID` answers for every row.
    const bitMask = list.nullCount > 0 ? -1 : 0
    const whenFilled = present - emptyList
    const isNullable = emptyList - nullList
    const first = offsets[start]!
    const last = offsets[end]!
    const mostEntries = end - start + last - first
    definitions.fill(present, this.#entryCount, this.#entryCount + mostEntries)
    setBits(bits, this.#entryCount, mostEntries)
    let entry = this.#entryCount
    let from = first
    for (let row = start; row < end; row++) {
      const to = offsets[row + 1]!
      const count = to - from
      from = to
      const bit = (list.offset + row) & bitMask
      const valid = (validity[bit >> 3]! >> (bit & 7)) & 1
      const isFilled = -count >>> 31
      if (valid < isFilled) return false
      definitions[entry] = nullList + (valid & isNullable) + isFilled * whenFilled
      bits[entry >> 3]! &= ~(1 << (entry & 7))
      entry += count + 1 - isFilled
    }
    indices.set(values.values.subarray(first, last), this.#indexCount)
    this.#indexCount += last - first
    this.#entryCount = entry
    clearBitsBehind(bits, entry)
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
    const { bits, definitions, indices } = this.#buffers
    const offsets: Int32Array = list.valueOffsets
    const isListValid = validityOf(list)
    const isItemValid = validityOf(values)
    setBits(bits, this.#entryCount, end - start + offsets[end]! - offsets[start]!)
    let entry = this.#entryCount
    for (let row = start; row < end; row++) {
      const level = above === undefined ? nullList : above[row - start]!
      const from = offsets[row]!
      const to = offsets[row + 1]!
      bits[entry >> 3]! &= ~(1 << (entry & 7))
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
    clearBitsBehind(bits, entry)
  }

  /** Definition level that the structs above give to each row; nothing if none of them has a null. */
  #structLevels(rows: LeafRows, start: number, end: number): Int32Array | undefined {
    if (rows.structs.every((struct) => struct.nullCount === 0)) return undefined
    const nullable = this.#leaf.dictionary?.structNullable ?? []
    const valid = rows.structs.map(validityOf)
    return Int32Array.from({ length: end - start }, (_, i) => {
      let level = 0
      for (const [depth, isValid] of valid.entries()) {
        if (!isValid(start + i)) {
          if (nullable[depth] !== true) throw this.#unexpectedNull()
          return level
        }
        if (nullable[depth] === true) level++
      }
      return level
    })
  }

  #markInUse(firstIndex: number, labelCount: number): void {
    const { indices } = this.#buffers
    const inUse = this.#inUse
    const end = this.#indexCount
    let bits = this.#indexBits
    for (let i = firstIndex; i < end; i++) {
      const index = indices[i]!
      if (index >>> 0 >= labelCount) throw this.#indexOutOfRange(index, labelCount)
      inUse[index] = 1
      bits |= index
    }
    this.#indexBits = bits
  }

  #unexpectedNull(): ExportError {
    const column = quoted(this.#column)
    return new ExportError('ERR_PARQUET', `expected a value, found null in column ${column}, which is not nullable`)
  }

  #indexOutOfRange(index: number, labelCount: number): ExportError {
    const column = quoted(this.#column)
    return new ExportError('ERR_PARQUET', `expected an index below ${labelCount}, found ${index} in column ${column}`)
  }
}

/** Definition levels of what an entry of a list column can be. */
interface ListLevels {
  /** Equal to `emptyList` if lists are not nullable. */
  nullList: number
  emptyList: number
  /** Has no meaning if items are not nullable. */
  nullItem: number
  present: number
}

const ALL_VALID = Uint8Array.of(255)

/** Writes a level stream behind its length in four bytes. */
function withLength(body: Uint8Array, pos: number, write: (pos: number) => number): number {
  const end = write(pos + 4)
  const length = end - pos - 4
  body[pos] = length
  body[pos + 1] = length >>> 8
  body[pos + 2] = length >>> 16
  body[pos + 3] = length >>> 24
  return end
}
