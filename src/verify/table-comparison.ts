/** Compares one table of an output with expected rows, one by one and in the same order. */

import type { Cell } from './answer-values.ts'
import { type BatchCells, typeName } from './arrow-cells.ts'
import { type Difference, type DifferenceLog, shownCell } from './difference-log.ts'
import type { OutputReader } from './output-reader.ts'
import { sameCell } from './record-reader.ts'

export interface ExpectedColumn {
  readonly name: string
  /** As returned by `typeName`. */
  readonly type: string
}

/** The place in the export that a row comes from. */
type RowPlace = Pick<Difference, 'record' | 'ownerId' | 'key'>

export class TableComparison {
  /** Number of rows in the output. */
  rows = 0
  /** Number of cells compared. */
  cells = 0
  readonly #table: string
  readonly #columns: readonly ExpectedColumn[]
  readonly #log: DifferenceLog
  readonly #batches: AsyncGenerator<BatchCells>
  /** Index of the output column for each expected one; -1 where it is missing. */
  readonly #outputColumns: readonly number[]
  #batch: BatchCells | undefined
  #row = 0
  #expectedRows = 0

  /** @param table Name of the table in differences. */
  constructor(table: string, file: OutputReader, columns: readonly ExpectedColumn[], log: DifferenceLog) {
    this.#table = table
    this.#columns = columns
    this.#log = log
    this.#batches = file.batches()
    const { fields } = file.schema
    for (let i = 0; i < Math.max(columns.length, fields.length); i++) {
      log.compare({ kind: 'column', table, column: `#${i + 1}` }, columns[i]?.name, fields[i]?.name)
    }
    this.#outputColumns = columns.map(({ name }) => fields.findIndex((field) => field.name === name))
    for (const [i, { name, type }] of columns.entries()) {
      const field = fields[this.#outputColumns[i] ?? -1]
      if (field !== undefined) log.compare({ kind: 'type', table, column: name }, type, typeName(field.type))
    }
  }

  /** Compares the next row. */
  async compare(expected: readonly Cell[], place: RowPlace): Promise<void> {
    this.#expectedRows++
    if (this.#batch === undefined || this.#row === this.#batch.rows) await this.#nextBatch()
    const batch = this.#batch
    if (batch === undefined) return
    const row = this.#row++
    for (let i = 0; i < expected.length; i++) {
      const column = this.#outputColumns[i] ?? -1
      if (column === -1) continue
      this.cells++
      const value = expected[i] ?? null
      const found = batch.cell(column, row)
      if (!sameCell(value, found)) this.#differs(i, value, found, place)
    }
  }

  /** Must be called after the last row. */
  async finish(): Promise<void> {
    do await this.#nextBatch()
    while (this.#batch !== undefined)
    this.#log.compare({ kind: 'rows', table: this.#table }, String(this.#expectedRows), String(this.rows))
  }

  async #nextBatch(): Promise<void> {
    do {
      const next = await this.#batches.next()
      this.#batch = next.done === true ? undefined : next.value
      this.rows += this.#batch?.rows ?? 0
    } while (this.#batch?.rows === 0)
    this.#row = 0
  }

  #differs(column: number, expected: Cell, found: Cell, place: RowPlace): void {
    const name = this.#columns[column]?.name ?? ''
    const kind = name === 'state' ? 'state' : 'cell'
    this.#log.compare({ kind, table: this.#table, ...place, column: name }, shownCell(expected), shownCell(found))
  }
}
