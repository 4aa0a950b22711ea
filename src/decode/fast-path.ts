/**
 * The fast path of the decoder: decides when the kernel reads, and when the general path has to.
 *
 * Learns from the first answers how the document writes them, starts the kernel with that template, and pauses it while
 * it meets records that it cannot read.
 */

import type { FieldDefinition } from '../definition.ts'
import { isWhitespace, OPEN_ARRAY, OPEN_OBJECT } from '../json/bytes.ts'
import { type Cursor, NEED_MORE } from '../json/cursor.ts'
import { kernelField } from './kernel/kernel-field.ts'
import type { DecoderMemory } from './kernel/memory.ts'
import { type RecordLimits, RecordsKernel } from './kernel/records-kernel.ts'
import { type AnswerTemplate, learnAnswerTemplate, NO_TEMPLATE } from './layout.ts'
import { type BatchBuilder, FIRST_QUESTION } from './table.ts'

/** After this many answers without a template, the kernel is started without one. */
const MAX_TEMPLATE_TRIALS = 1000

/** Arrays that are searched for the answers of the first record. */
const ARRAYS_AHEAD = 4

/** Records that the general path reads, at most, before the kernel is tried again after a failure. */
const MAX_PAUSE = 64

/** A record is assumed to be complete if the window holds this many times the mean length of a record. */
const LIKELY_LENGTH = 2

/** Whether the cursor stands after a record or before one. */
type Stop = 'after' | 'before'

export class FastPath {
  readonly #cursor: Cursor
  readonly #builder: BatchBuilder
  readonly #fields: readonly FieldDefinition[]
  /** Per field, the index of its column, or `NO_COLUMN`. */
  readonly columnOfField: Int32Array
  readonly #memory: DecoderMemory
  readonly #limits: RecordLimits
  #kernel: RecordsKernel | undefined
  #templateTrials: number
  #hasLookedAhead = false
  /** Document offset of a record that the kernel has left to the general path. */
  #givenUpAt = -1
  /** Document offset of a record for which a longer window was requested. */
  #requestedAt = -1
  /** Records that the general path still reads before the next attempt, and attempts in a row that read nothing. */
  #pause = 0
  #failures = 0

  /** @param isEnabled Off only in tests that prove that the fast path changes no result. */
  constructor(
    cursor: Cursor,
    builder: BatchBuilder,
    fields: readonly FieldDefinition[],
    memory: DecoderMemory,
    limits: RecordLimits,
    isEnabled: boolean,
  ) {
    this.#cursor = cursor
    this.#builder = builder
    this.#fields = fields
    this.columnOfField = builder.columnOfField(fields)
    this.#memory = memory
    this.#limits = limits
    this.#templateTrials = isEnabled ? 0 : MAX_TEMPLATE_TRIALS
  }

  /**
   * Reads records from the cursor on, as many as the kernel can, and completes their rows.
   *
   * @param maxRows Most rows to read.
   * @param cutOffset No record that begins at or after this document offset is read.
   * @param lookOffset Reading stops once a record ends at or after this document offset.
   * @returns where the cursor stands; undefined if no record was read, so that the general path has to read one.
   * @throws NEED_MORE if the record at the cursor may not be complete, once per record.
   */
  readRecords(maxRows: number, cutOffset: number, lookOffset: number): Stop | undefined {
    const cursor = this.#cursor
    if (!this.#hasLookedAhead) this.#learnFromFirstRecord()
    const kernel = this.#kernel
    if (kernel === undefined || this.#pause > 0 || cursor.offsetOf(cursor.pos) === this.#givenUpAt) return undefined
    if (kernel.isFull) this.flush()
    const rows = kernel.decode(cursor, this.#builder.row, maxRows, cutOffset, lookOffset)
    if (rows === 0) {
      this.#requestMoreOnce(kernel)
      this.#pause = Math.min(2 ** this.#failures++, MAX_PAUSE)
      return undefined
    }
    this.#failures = 0
    this.#builder.advance(rows)
    if (kernel.endsAfterRecord) return 'after'
    if (kernel.gaveUp && !this.#mayBeIncomplete(kernel)) this.#givenUpAt = cursor.offsetOf(cursor.pos)
    return 'before'
  }

  /** Appends the kernel's rows to the columns, so that the general path can append the next one. */
  flush(): void {
    const kernel = this.#kernel
    if (kernel === undefined || kernel.rows === 0) return
    this.#builder.appendBlock(kernel, this.columnOfField)
    kernel.reset()
  }

  /** Lets the general path read one record: appends the kernel's rows, and shortens the pause. */
  yieldRecord(): void {
    this.flush()
    if (this.#pause > 0) this.#pause--
  }

  /** Makes the kernel's rows independent of the window, whose bytes are about to be overwritten. */
  leaveWindow(): void {
    const kernel = this.#kernel
    if (kernel?.isFull) this.flush()
    else kernel?.keepTexts()
  }

  /** Bytes of text and list elements in the kernel's rows. */
  get variableBytes(): number {
    return this.#kernel?.variableBytes(this.#builder.skippedBytes) ?? 0
  }

  /** Learns the template from the answer that begins at `start` of the window, if none is known yet. */
  learnFrom(start: number): void {
    if (this.#kernel === undefined && this.#templateTrials < MAX_TEMPLATE_TRIALS) this.#tryTemplate(start)
  }

  /** Learns the template before the first record is read, so that the kernel can read that one, too. */
  #learnFromFirstRecord(): void {
    this.#hasLookedAhead = true
    const { bytes, pos, end } = this.#cursor
    let at = pos
    for (let i = 0; i < ARRAYS_AHEAD && this.#templateTrials < MAX_TEMPLATE_TRIALS; i++) {
      at = bytes.indexOf(OPEN_ARRAY, at) + 1
      if (at === 0 || at >= end) return
      let start = at
      while (isWhitespace(bytes[start]!)) start++
      if (bytes[start] === OPEN_OBJECT) this.#tryTemplate(start)
    }
  }

  #tryTemplate(start: number): void {
    this.#templateTrials++
    const ids = this.#fields.map((field) => field.id)
    const template = learnAnswerTemplate(this.#cursor, start, ids)
    if (template !== undefined) this.#startKernel(ids, template)
    else if (this.#templateTrials === MAX_TEMPLATE_TRIALS) this.#startKernel(ids, NO_TEMPLATE)
  }

  #startKernel(ids: readonly string[], template: AnswerTemplate): void {
    this.#templateTrials = MAX_TEMPLATE_TRIALS
    const { columns } = this.#builder
    const fields = this.#fields.map((_, field) => {
      const columnIndex = this.columnOfField[field]!
      return kernelField(columns[columnIndex], columnIndex - FIRST_QUESTION)
    })
    this.#kernel = RecordsKernel.create(ids, fields, template, this.#limits, this.#memory)
  }

  /** Requests a longer window for a record that may continue after this one. */
  #requestMoreOnce(kernel: RecordsKernel): void {
    if (!this.#mayBeIncomplete(kernel)) return
    this.#requestedAt = this.#cursor.offsetOf(this.#cursor.pos)
    throw NEED_MORE
  }

  #mayBeIncomplete(kernel: RecordsKernel): boolean {
    const { end, pos, isLast } = this.#cursor
    const likelyBytes = Math.min(kernel.recordBytes * LIKELY_LENGTH, this.#limits.maxRecordBytes)
    return !isLast && end - pos < likelyBytes && this.#cursor.offsetOf(pos) !== this.#requestedAt
  }
}
