/**
 * The fast path of the decoder: whole records, read in WebAssembly into blocks of columns.
 *
 * It reads what nearly all records are made of (see `assembly/records.ts`) and leaves every other record to the general
 * path. Its memory holds the ids of fields and options, one block, and the window, or a copy of it.
 */

import type { ColumnBlock, Gathered } from '../../columns/block.ts'
import { QUOTE } from '../../json/bytes.ts'
import { type Cursor, SENTINEL_BYTES } from '../../json/cursor.ts'
import { GUID, QUOTED_GUID_BYTES } from '../../json/id-table.ts'
import { kernelModule } from '../../package-file.ts'
import type { AnswerLayout } from '../layout.ts'
import { BlockSize, SHORTEST_ELEMENT } from './block-size.ts'
import { FIELD_BYTES, FieldAt, FieldKind, GUID_STRIDE } from './field-layout.ts'
import { type DecoderMemory, type MemoryPlan, WINDOW_BYTES } from './memory.ts'

/** What the kernel is to do with one field. */
export interface KernelField {
  readonly kind: FieldKind
  /** Number of the field's column among the columns that can be skipped. */
  readonly column: number
  /** Option ids in the order of their indices; only for choices. */
  readonly optionIds: readonly string[]
  /** Bytes of an index: 2 or 4. */
  readonly indexBytes: number
}

/** Records that pass them are left to the general path. */
export interface RecordLimits {
  readonly maxRecordBytes: number
  readonly maxKeyBytes: number
  readonly maxNesting: number
}

interface KernelExports {
  setTemplate(
    heads: number,
    headLength: number,
    idOffset: number,
    opening: number,
    openingLength: number,
    afterOpen: number,
    afterOpenLength: number,
    close: number,
    closeLength: number,
    closeAnswer: number,
    closeAnswerLength: number,
  ): void
  setFields(descriptors: number, count: number, ids: number, slots: number, slotBits: number): void
  addOptions(field: number, count: number): void
  setBlock(
    rowCapacity: number,
    validity: number,
    validityLength: number,
    listElements: number,
    keptTexts: number,
    skippedEnds: number,
    skippedColumns: number,
    answeredFields: number,
  ): void
  setInexact(notes: number, capacity: number): void
  setLimits(recordBytes: number, keyBytes: number, nesting: number): void
  beginBlock(firstRow: number): void
  decodeRecords(p: number, blockRow: number, row: number, maxRows: number, cutAt: number, lookAt: number): number
  keepTexts(end: number): void
  finishBlock(firstRow: number, end: number): number
  rows(): number
  variable(): number
  skipped(): number
  kept(): number
  endsAfterRecord(): number
  gaveUp(): number
  inexact(): number
  gatherTexts(field: number, firstRow: number, rows: number, base: number, ends: number, bytes: number): number
  gatherLists(field: number, firstRow: number, rows: number, base: number, ends: number, elements: number): number
}

/** Tables of ids of more bytes than this are left to the general path. */
const MOST_TABLE_BYTES = 2 ** 28

/** Numbers of a block, beside one a field, that the general path's function reads. */
const INEXACT_NUMBERS = 4096
const INEXACT_BYTES = 16

const BLOCK_BYTES = 16

/** Where windows are copied in parts, a record is read from a part that has so much behind the record's start. */
const LEAST_COPIED_BYTES = WINDOW_BYTES / 2

export class RecordsKernel {
  /** Rows of the block that is being filled, and the place of the first of them in its cells and bits. */
  rows = 0
  first = 0
  /** Whether the last `decode` ended right behind a record; else in front of one. */
  endsAfterRecord = false
  /** Whether the record in front of which it ended cannot be read here, or is not complete. */
  gaveUp = false
  /** Bytes of JSON of the records that it read, on average. */
  recordBytes = 0
  /** Bytes of JSON in the block. */
  #blockBytes = 0
  readonly #exports: KernelExports
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #view: DataView<ArrayBuffer>
  readonly #fields: number
  readonly #size: BlockSize
  readonly #window: number
  readonly #skippedEnds: Int32Array
  readonly #skippedColumns: Int32Array
  readonly #ends: Int32Array
  readonly #gathered: number
  readonly #inexact: Int32Array
  readonly #answered: Int32Array
  readonly #blocks: readonly FieldBlock[]
  /** The window that was copied last, and the part of it that was. */
  #copied: Uint8Array | undefined
  #copiedBase = 0
  #copiedEnd = 0
  #copiedFrom = 0
  #copiedTo = 0

  /**
   * Makes a kernel for the fields of a definition, `ownerId` and `lastUpdateDate`.
   * @param ids The fields' ids, in the definition's order.
   * @returns undefined when there is nothing that it could read.
   */
  static create(
    ids: readonly string[],
    fields: readonly KernelField[],
    layout: AnswerLayout,
    limits: RecordLimits,
    shared: DecoderMemory,
  ): RecordsKernel | undefined {
    if (!ids.some((id) => GUID.test(id))) return undefined
    const options = fields.reduce((sum, field) => sum + field.optionIds.length, ids.length)
    if (options * (GUID_STRIDE + 16) > MOST_TABLE_BYTES) return undefined
    try {
      return new RecordsKernel(ids, fields, layout, limits, shared)
    } catch (error) {
      // Where address space is short, the general path reads everything.
      if (error instanceof RangeError) return undefined
      throw error
    }
  }

  private constructor(
    ids: readonly string[],
    fields: readonly KernelField[],
    layout: AnswerLayout,
    limits: RecordLimits,
    shared: DecoderMemory,
  ) {
    const count = fields.length
    const all: readonly KernelField[] = [...fields, RECORD_MEMBERS.ownerId, RECORD_MEMBERS.lastUpdateDate]
    const size = new BlockSize(all.map(cellBytes))
    const { rows } = size
    const plan = shared.plan()
    const descriptors = plan.add(all.length * FIELD_BYTES)
    const choices = all.map(({ optionIds }) => new GuidTable(plan, optionIds))
    const fieldIds = new GuidTable(plan, ids)
    const headBytes = layout.heads[0]?.length ?? 0
    const headStride = Math.ceil(headBytes / BLOCK_BYTES) * BLOCK_BYTES
    const heads = plan.add(headStride * count)
    const { opening, afterOpen, close, closeAnswer } = layout
    const [openingAt, afterOpenAt, closeAt, closeAnswerAt] = [
      plan.add(maskedBytes(opening)),
      plan.add(maskedBytes(afterOpen)),
      plan.add(maskedBytes(close)),
      plan.add(maskedBytes(closeAnswer)),
    ]
    // Whole words, with one more for the first row's place in its byte.
    const bitBytes = rows / 8 + 8
    const validity = plan.add(all.length * bitBytes)
    const cells = all.map((field) => plan.add((rows + 8) * cellBytes(field)))
    const listElements = plan.add(size.elements * 4)
    const keptTexts = plan.add(size.keptBytes)
    const gathered = plan.add(size.gatheredBytes)
    const ends = plan.add(rows * 4)
    const skippedEnds = plan.add(rows * 4)
    const skippedColumns = plan.add(size.elements * 4)
    const answered = plan.add(all.length * 4)
    const maxInexact = count + INEXACT_NUMBERS
    const inexact = plan.add(maxInexact * INEXACT_BYTES)

    this.#window = plan.add(WINDOW_BYTES + SENTINEL_BYTES)

    const memory = shared.take(plan) ?? plan.build()
    const buffer = memory.buffer as ArrayBuffer
    this.#bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
    this.#exports = instantiate(memory)
    this.#fields = descriptors
    this.#size = size
    this.#gathered = gathered
    this.#ends = new Int32Array(buffer, ends, rows)
    this.#skippedEnds = new Int32Array(buffer, skippedEnds, rows)
    this.#skippedColumns = new Int32Array(buffer, skippedColumns, size.elements)
    this.#inexact = new Int32Array(buffer, inexact, (maxInexact * INEXACT_BYTES) / 4)
    this.#answered = new Int32Array(buffer, answered, all.length)

    for (const [i, field] of all.entries()) {
      const table = choices[i]!
      table.write(this.#bytes, field.optionIds)
      this.#describe(i, field, table, cells[i]!, validity + i * bitBytes)
    }
    fieldIds.write(this.#bytes, ids)
    for (const [i, head] of layout.heads.entries()) this.#bytes.set(head, heads + i * headStride)
    this.#writeMasked(openingAt, opening)
    this.#writeMasked(afterOpenAt, afterOpen)
    this.#writeMasked(closeAt, close)
    this.#writeMasked(closeAnswerAt, closeAnswer)
    this.#exports.setTemplate(
      ...[heads, headBytes, layout.beforeIdBytes, openingAt, opening.length, afterOpenAt, afterOpen.length],
      ...[closeAt, close.length, closeAnswerAt, closeAnswer.length],
    )
    this.#exports.setFields(descriptors, count, fieldIds.guids, fieldIds.slots, fieldIds.slotBits)
    for (const [i, { optionIds }] of fields.entries()) {
      if (optionIds.length > 0) this.#exports.addOptions(i, optionIds.length)
    }
    const validityBytes = all.length * bitBytes
    this.#exports.setBlock(
      ...[rows, validity, validityBytes, listElements, keptTexts, skippedEnds, skippedColumns, answered],
    )
    this.#exports.setInexact(inexact, maxInexact)
    const { maxRecordBytes, maxKeyBytes, maxNesting } = limits
    this.#exports.setLimits(Math.min(maxRecordBytes, WINDOW_BYTES), maxKeyBytes, maxNesting)
    this.#blocks = all.map((field, i) => {
      const values = valuesOf(field, buffer, cells[i]!, rows + 8)
      return new FieldBlock(this, i, new Uint8Array(buffer, validity + i * bitBytes, bitBytes), values)
    })
  }

  /**
   * Reads records from the cursor on, where one begins, into the block, and moves the cursor past them.
   *
   * @param row The table's row that the first of them becomes.
   * @param mostRows Rows to read at most.
   * @param cutOffset No record that begins at this offset of the document or behind is read.
   * @param lookOffset Once a record ends at this offset or behind, no more are read.
   * @returns how many it read: 0 leaves the next one to the general path.
   */
  decode(cursor: Cursor, row: number, mostRows: number, cutOffset: number, lookOffset: number): number {
    if (cursor.end - cursor.pos < SHORTEST_ELEMENT) return 0
    if (this.rows === 0) this.#begin(row & 7)
    const { baseOffset, pos } = cursor
    const base = this.#addressOf(cursor)
    const cutAt = base + Math.min(cutOffset - baseOffset, cursor.end, this.#lastStart(cursor))
    // White space in front of the record may reach past the place of the look.
    const lookAt = base + Math.max(pos, Math.min(lookOffset - baseOffset, cursor.end))
    const { first } = this
    const next = first + this.rows
    const most = Math.min(mostRows, this.#size.rows - next)
    const end = this.#exports.decodeRecords(base + pos, first, next, most, cutAt, lookAt)
    const rows = this.#exports.rows()
    this.gaveUp = this.#exports.gaveUp() !== 0
    if (rows === 0) return 0
    this.rows += rows
    this.endsAfterRecord = this.#exports.endsAfterRecord() !== 0
    this.#readInexactNumbers(this.#exports.inexact())
    cursor.pos = end - base
    this.recordBytes = (cursor.pos - pos) / rows
    this.#blockBytes += cursor.pos - pos
    return rows
  }

  #begin(first: number): void {
    this.first = first
    this.#blockBytes = 0
    this.#exports.beginBlock(first)
  }

  /** Whether the block has no room for what one more call of `decode` may read. */
  get isFull(): boolean {
    const { rows, first } = this
    return rows > 0 && this.#size.isFull(first + rows, this.#blockBytes, this.#exports.kept())
  }

  /** Bytes of the block's texts and of its indices in sets; `skippedBytes` for each column that a row skipped. */
  variableBytes(skippedBytes: number): number {
    return this.rows === 0 ? 0 : this.#exports.variable() + this.#exports.skipped() * skippedBytes
  }

  /** Makes the block independent of the window, which will be gone. */
  keepTexts(): void {
    this.#exports.keepTexts(this.first + this.rows)
  }

  /** Completes the block; the fields that have values in it. `reset` then makes room for the next one. */
  finish(): Int32Array {
    const count = this.#exports.finishBlock(this.first, this.first + this.rows)
    return this.#answered.subarray(0, count)
  }

  reset(): void {
    this.rows = 0
  }

  /** The rows of a field's column in the block. */
  blockOf(field: number): ColumnBlock {
    return this.#blocks[field]!
  }

  /** The columns that the block's rows skipped, row after row, and where those of each row end. */
  get skipped(): Gathered {
    return { ends: this.#skippedEnds, elements: this.#skippedColumns }
  }

  /** @internal */
  gather(field: number, base: number): Gathered {
    const { kind, indexBytes } = this.#kindOf(field)
    const at = this.#gathered
    const args = [field, this.first, this.rows, base, this.#ends.byteOffset, at] as const
    if (kind === FieldKind.text) {
      const length = this.#exports.gatherTexts(...args)
      return { ends: this.#ends, elements: this.#bytes.subarray(at, at + length) }
    }
    const length = this.#exports.gatherLists(...args)
    const Indices = indexBytes === 2 ? Int16Array : Int32Array
    return { ends: this.#ends, elements: new Indices(this.#bytes.buffer, at, length) }
  }

  #kindOf(field: number): { kind: number; indexBytes: number } {
    const at = this.#fields + field * FIELD_BYTES
    const kind = this.#view.getInt32(at + FieldAt.kind, true)
    return { kind, indexBytes: this.#view.getInt32(at + FieldAt.indexBytes, true) }
  }

  #describe(index: number, field: KernelField, options: GuidTable, cells: number, validity: number): void {
    const at = this.#fields + index * FIELD_BYTES
    const set = (offset: number, value: number) => this.#view.setInt32(at + offset, value, true)
    set(FieldAt.kind, field.kind)
    set(FieldAt.column, field.column)
    set(FieldAt.slots, options.slots)
    set(FieldAt.slotBits, options.slotBits)
    set(FieldAt.options, options.guids)
    set(FieldAt.stamps, options.stamps)
    set(FieldAt.cells, cells)
    set(FieldAt.validity, validity)
    set(FieldAt.indexBytes, field.indexBytes)
  }

  /** Blocks of 16 bytes of the literal, each followed by 16 bytes of mask. */
  #writeMasked(at: number, literal: Uint8Array): void {
    for (const [i, byte] of literal.entries()) {
      const p = at + Math.floor(i / BLOCK_BYTES) * 2 * BLOCK_BYTES + (i % BLOCK_BYTES)
      this.#bytes[p] = byte
      this.#bytes[p + BLOCK_BYTES] = 0xff
    }
  }

  /** Address of the window's first byte. */
  #addressOf(cursor: Cursor): number {
    if (cursor.bytes.buffer === this.#bytes.buffer) return cursor.bytes.byteOffset
    this.#copyWindow(cursor)
    return this.#window - this.#copiedFrom
  }

  /** Where in the window the last record may begin: where only a part of it was copied, enough must lie behind. */
  #lastStart({ bytes, end }: Cursor): number {
    const isWhole = bytes.buffer === this.#bytes.buffer || this.#copiedTo === end
    return isWhole ? end : this.#copiedTo - LEAST_COPIED_BYTES
  }

  /** Copies the window from the cursor on, unless that was done before. */
  #copyWindow(cursor: Cursor): void {
    const { bytes, pos, end, baseOffset } = cursor
    const isCopied = bytes === this.#copied && baseOffset === this.#copiedBase && end === this.#copiedEnd
    if (isCopied && pos >= this.#copiedFrom && pos < this.#lastStart(cursor)) return
    if (this.rows > 0) this.#exports.keepTexts(this.first + this.rows)
    const to = Math.min(end, pos + WINDOW_BYTES)
    this.#bytes.set(bytes.subarray(pos, to), this.#window)
    this.#bytes.fill(0, this.#window + to - pos, this.#window + to - pos + SENTINEL_BYTES)
    this.#copied = bytes
    this.#copiedBase = baseOffset
    this.#copiedEnd = end
    this.#copiedFrom = pos
    this.#copiedTo = to
  }

  #readInexactNumbers(count: number): void {
    const notes = this.#inexact
    for (let i = 0; i < count * 4; i += 4) {
      const at = notes[i + 2]!
      const text = String.fromCharCode(...this.#bytes.subarray(at, at + notes[i + 3]!))
      this.#blocks[notes[i]!]!.values[notes[i + 1]!] = Number(text)
    }
  }
}

class FieldBlock implements ColumnBlock {
  readonly validity: Uint8Array
  readonly values: Int16Array | Int32Array | Float64Array
  readonly #kernel: RecordsKernel
  readonly #field: number

  constructor(kernel: RecordsKernel, field: number, validity: Uint8Array, values: FieldBlock['values']) {
    this.#kernel = kernel
    this.#field = field
    this.validity = validity
    this.values = values
  }

  get first(): number {
    return this.#kernel.first
  }

  get rows(): number {
    return this.#kernel.rows
  }

  gather(base: number): Gathered {
    return this.#kernel.gather(this.#field, base)
  }
}

/** A table of quoted GUIDs with its hash table and a stamp for each. */
class GuidTable {
  readonly slotBits: number
  readonly guids: number
  readonly slots: number
  readonly stamps: number

  constructor(plan: MemoryPlan, ids: readonly string[]) {
    this.slotBits = Math.max(2, Math.ceil(Math.log2(ids.length * 4 + 1)))
    this.guids = plan.add(ids.length * GUID_STRIDE)
    this.slots = plan.add(4 << this.slotBits)
    this.stamps = plan.add(ids.length * 4)
  }

  /** Ids of another form stay NULs, which the kernel takes for none. */
  write(bytes: Uint8Array<ArrayBuffer>, ids: readonly string[]): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (const [i, id] of ids.entries()) {
      if (!GUID.test(id)) continue
      const at = this.guids + i * GUID_STRIDE
      bytes[at] = bytes[at + QUOTED_GUID_BYTES - 1] = QUOTE
      buffer.write(id, at + 1, 'latin1')
    }
  }
}

const RECORD_MEMBERS = {
  ownerId: { kind: FieldKind.text, column: 0, optionIds: [], indexBytes: 0 },
  lastUpdateDate: { kind: FieldKind.timestamp, column: 0, optionIds: [], indexBytes: 0 },
} as const

/** Bytes of a row's cell. */
function cellBytes({ kind, indexBytes }: KernelField): number {
  return kind === FieldKind.dictionary ? indexBytes : 8
}

/** Returns the bytes of a literal's blocks and of their masks. */
function maskedBytes(literal: Uint8Array): number {
  return Math.ceil(literal.length / BLOCK_BYTES) * 2 * BLOCK_BYTES
}

function valuesOf(field: KernelField, buffer: ArrayBuffer, at: number, rows: number): ColumnBlock['values'] {
  switch (field.kind) {
    case FieldKind.dictionary:
      return field.indexBytes === 2 ? new Int16Array(buffer, at, rows) : new Int32Array(buffer, at, rows)
    case FieldKind.double:
      return new Float64Array(buffer, at, rows)
    default:
      return new Int32Array(buffer, at, rows * 2)
  }
}

function instantiate(memory: WebAssembly.Memory): KernelExports {
  return new WebAssembly.Instance(kernelModule('decode/kernel/records.wasm'), { env: { memory } })
    .exports as unknown as KernelExports
}
