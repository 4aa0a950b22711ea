/**
 * Runs the WebAssembly kernel, which reads whole records into blocks of columns.
 *
 * The kernel reads records that hold what nearly all do (see `assembly/records.ts`) and leaves every other record to
 * the general path. Its memory holds the ids of fields and options, one block, and the window, or a copy of it.
 */

import type { ColumnBlock, Gathered } from '../../columns/block.ts'
import { QUOTE } from '../../json/bytes.ts'
import { type Cursor, SENTINEL_BYTES } from '../../json/cursor.ts'
import { GUID, QUOTED_GUID_BYTES } from '../../json/id-table.ts'
import { kernelModule } from '../../package-file.ts'
import type { AnswerTemplate } from '../layout.ts'
import { BlockSize, MIN_ELEMENT_BYTES } from './block-size.ts'
import { FIELD_BYTES, FieldAt, FieldKind, GUID_STRIDE } from './field-layout.ts'
import { type DecoderMemory, type MemoryPlan, WINDOW_BYTES } from './memory.ts'

/** What the kernel has to do with one field. */
export interface KernelField {
  readonly kind: FieldKind
  /** Number of the field's column among the columns that can be skipped. */
  readonly column: number
  /** Option ids in the order of their indices; only for choices. */
  readonly optionIds: readonly string[]
  /** Bytes of an index, 2 or 4; 0 for fields that are not choices. */
  readonly indexBytes: number
}

/** Limits of a record; records that exceed one are left to the general path. */
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

/** If the tables of ids take more bytes than this, there is no kernel, and the general path reads everything. */
const MAX_TABLE_BYTES = 2 ** 28

/** Numbers per call of `decode`, in addition to one per field, that the kernel may leave to JavaScript's `Number`. */
const INEXACT_NUMBERS = 4096
/** Bytes of the note about such a number (see `assembly/inexact.ts`). */
const INEXACT_BYTES = 16

/** Literals are compared in blocks of this many bytes. */
const BLOCK_BYTES = 16

/** If windows are copied in parts, a record is read only if the part has at least this many bytes from its start on. */
const MIN_COPIED_BYTES = WINDOW_BYTES / 2

export class RecordsKernel {
  /** Rows of the block that is being filled. */
  rows = 0
  /** Index of the first of these rows in the block's cells and bits. */
  first = 0
  /** Whether the last `decode` stopped right after a record; otherwise, it stopped before one. */
  endsAfterRecord = false
  /** Whether it stopped before a record that it cannot read, or that is not complete. */
  gaveUp = false
  /** Mean bytes of JSON of the records that the last `decode` read. */
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
  /** The window that was copied last, and which part of it was copied. */
  #copied: Uint8Array | undefined
  #copiedBase = 0
  #copiedEnd = 0
  #copiedFrom = 0
  #copiedTo = 0

  /**
   * Creates a kernel for the fields of a definition, `ownerId` and `lastUpdateDate`.
   * @param ids The fields' ids, in the definition's order.
   * @returns undefined if no field has a GUID as its id, or if there is not enough memory.
   */
  static create(
    ids: readonly string[],
    fields: readonly KernelField[],
    template: AnswerTemplate,
    limits: RecordLimits,
    shared: DecoderMemory,
  ): RecordsKernel | undefined {
    if (!ids.some((id) => GUID.test(id))) return undefined
    const options = fields.reduce((sum, field) => sum + field.optionIds.length, ids.length)
    if (options * (GUID_STRIDE + 16) > MAX_TABLE_BYTES) return undefined
    try {
      return new RecordsKernel(ids, fields, template, limits, shared)
    } catch (error) {
      // Not enough address space: the general path reads everything.
      if (error instanceof RangeError) return undefined
      throw error
    }
  }

  private constructor(
    ids: readonly string[],
    fields: readonly KernelField[],
    template: AnswerTemplate,
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
    const headBytes = template.heads[0]?.length ?? 0
    const headStride = Math.ceil(headBytes / BLOCK_BYTES) * BLOCK_BYTES
    const heads = plan.add(headStride * count)
    const { opening, afterOpen, close, closeAnswer } = template
    const [openingAt, afterOpenAt, closeAt, closeAnswerAt] = [
      plan.add(maskedBytes(opening)),
      plan.add(maskedBytes(afterOpen)),
      plan.add(maskedBytes(close)),
      plan.add(maskedBytes(closeAnswer)),
    ]
    // Whole 64-bit words, and one more because the first row may be any bit of its byte.
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
    for (const [i, head] of template.heads.entries()) this.#bytes.set(head, heads + i * headStride)
    this.#writeMasked(openingAt, opening)
    this.#writeMasked(afterOpenAt, afterOpen)
    this.#writeMasked(closeAt, close)
    this.#writeMasked(closeAnswerAt, closeAnswer)
    this.#exports.setTemplate(
      ...[heads, headBytes, template.beforeIdBytes, openingAt, opening.length, afterOpenAt, afterOpen.length],
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
   * @param row Row of the batch that the first record becomes.
   * @param maxRows Most rows to read.
   * @param cutOffset No record that begins at or after this document offset is read.
   * @param lookOffset Reading stops once a record ends at or after this document offset.
   * @returns the number of records read; 0 leaves the next one to the general path.
   */
  decode(cursor: Cursor, row: number, maxRows: number, cutOffset: number, lookOffset: number): number {
    if (cursor.end - cursor.pos < MIN_ELEMENT_BYTES) return 0
    if (this.rows === 0) this.#begin(row & 7)
    const { baseOffset, pos } = cursor
    const base = this.#addressOf(cursor)
    const cutAt = base + Math.min(cutOffset - baseOffset, cursor.end, this.#lastStart(cursor))
    // White space before the record may reach past `lookOffset`.
    const lookAt = base + Math.max(pos, Math.min(lookOffset - baseOffset, cursor.end))
    const { first } = this
    const next = first + this.rows
    const rowsToRead = Math.min(maxRows, this.#size.rows - next)
    const end = this.#exports.decodeRecords(base + pos, first, next, rowsToRead, cutAt, lookAt)
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

  /** Whether the block may have no room for what one more `decode` reads. */
  get isFull(): boolean {
    const { rows, first } = this
    return rows > 0 && this.#size.isFull(first + rows, this.#blockBytes, this.#exports.kept())
  }

  /** Returns the bytes of the block's texts and sets, plus `skippedBytes` for each column that a row skipped. */
  variableBytes(skippedBytes: number): number {
    return this.rows === 0 ? 0 : this.#exports.variable() + this.#exports.skipped() * skippedBytes
  }

  /** Makes the block independent of the window, which is about to be overwritten. */
  keepTexts(): void {
    this.#exports.keepTexts(this.first + this.rows)
  }

  /** Completes the block and returns the fields that have values in it. `reset` then makes room for the next one. */
  finish(): Int32Array {
    const count = this.#exports.finishBlock(this.first, this.first + this.rows)
    return this.#answered.subarray(0, count)
  }

  /** Empties the block. */
  reset(): void {
    this.rows = 0
  }

  /** Returns the block's rows of one field. */
  blockOf(field: number): ColumnBlock {
    return this.#blocks[field]!
  }

  /** The columns that each row of the block skipped, in sequence, and where those of each row end. */
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

  /** Writes a literal in blocks of 16 bytes, each followed by 16 bytes of mask. */
  #writeMasked(at: number, literal: Uint8Array): void {
    for (const [i, byte] of literal.entries()) {
      const p = at + Math.floor(i / BLOCK_BYTES) * 2 * BLOCK_BYTES + (i % BLOCK_BYTES)
      this.#bytes[p] = byte
      this.#bytes[p + BLOCK_BYTES] = 0xff
    }
  }

  /** Returns the address of the window's first byte in the kernel's memory, copying the window if it is elsewhere. */
  #addressOf(cursor: Cursor): number {
    if (cursor.bytes.buffer === this.#bytes.buffer) return cursor.bytes.byteOffset
    this.#copyWindow(cursor)
    return this.#window - this.#copiedFrom
  }

  /** Returns the position before which a record must begin, so that enough of the copied part follows. */
  #lastStart({ bytes, end }: Cursor): number {
    const isWhole = bytes.buffer === this.#bytes.buffer || this.#copiedTo === end
    return isWhole ? end : this.#copiedTo - MIN_COPIED_BYTES
  }

  /** Copies the window from the cursor on, unless that part is copied already. */
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

  /** Parses the numbers that the kernel has left, and writes them to their cells. */
  #readInexactNumbers(count: number): void {
    const notes = this.#inexact
    for (let i = 0; i < count * 4; i += 4) {
      const at = notes[i + 2]!
      const text = String.fromCharCode(...this.#bytes.subarray(at, at + notes[i + 3]!))
      this.#blocks[notes[i]!]!.values[notes[i + 1]!] = Number(text)
    }
  }
}

/** The rows of one field in the kernel's memory. */
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

/** Addresses of a table of quoted GUIDs, its hash table, and one stamp per GUID. */
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

  /** Writes the ids. Those that are not GUIDs stay NUL bytes, which the kernel skips. */
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

/** Returns the bytes of a row's cell. */
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
