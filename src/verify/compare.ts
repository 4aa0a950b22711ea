/**
 * Compares an export, read by a second implementation, with an output file: every name, type, label, state and cell.
 */

import { createReadStream } from 'node:fs'
import type { Field } from 'apache-arrow'
import { isExportError, OutputError } from '../errors.ts'
import { SourceState } from '../input/source-state.ts'
import { SYSTEM_COLUMNS } from '../plan/names.ts'
import { INVALID_METADATA_KEY, READING_METADATA_KEY, ROLE_METADATA_KEY } from '../plan/schema.ts'
import type { OutputFormat } from '../read-back/output-format.ts'
import { unreadableSourceError } from '../system/unreadable-source.ts'
import type { Warning } from '../warnings.ts'
import { worded } from '../wording.ts'
import type { Cell } from './answer-values.ts'
import { type BatchCells, typeName } from './arrow-cells.ts'
import { type Difference, DifferenceLog, shownCell } from './difference-log.ts'
import { ExpectedTable } from './expected-table.ts'
import { compareFileMetadata } from './file-metadata.ts'
import { type LeafColumn, leafColumns, structColumns } from './leaf-columns.ts'
import { type OutputReader, openOutput } from './output-reader.ts'
import { requireExportPath, requireOutputPath } from './paths.ts'
import { sameCell } from './record-reader.ts'
import {
  openReference,
  type ReferenceOptions,
  type ReferenceQuestion,
  type ReferenceReader,
  type ReopenableSource,
} from './reference-reader.ts'
import { RejectsComparison } from './rejects.ts'
import { compareOptions, compareSelection, expectedOptions, writtenOptions } from './written-options.ts'

export interface VerifyOptions extends ReferenceOptions {
  /** Maximum differences that are listed; all are counted. Default: 20. */
  maxDifferences?: number | undefined
}

export interface VerifyInput {
  /** The export: a path, or a function that opens it again on each call. */
  source: string | ReopenableSource
  /** Path of the .parquet, .arrow or .arrows file, or of the folder. */
  output: string
  /** Path of the file of rejected values, if it is to be compared, too. */
  rejects?: string | undefined
  /** Options that the output must have been written with; those not given are taken from its metadata. */
  options?: VerifyOptions
}

export interface VerifyReport {
  readonly format: OutputFormat | 'star'
  /** Number of records in the export. */
  readonly records: number
  /**
   * Number of rows in the output. The long layout has more rows than records; for the star layout, the rows of all
   * tables.
   */
  readonly rows: number
  readonly columns: number
  /** Number of cells compared. */
  readonly cells: number
  /** The first differences, in the order found. */
  readonly differences: readonly Difference[]
  readonly differenceCount: number
  readonly questions: readonly ReferenceQuestion[]
  readonly warnings: readonly Warning[]
}

/**
 * Compares an output with the export that it was made from. Both are read as streams, in step.
 *
 * @throws ExportError when one of them cannot be read at all; differences are reported, not thrown.
 */
export function verifyOutput(input: VerifyInput): Promise<VerifyReport> {
  return whileUnchanged(input, compare)
}

/**
 * Compares, and throws if the export changes meanwhile.
 * @throws SourceError `ERR_SOURCE_CHANGED`, and whatever `compare` throws.
 */
export async function whileUnchanged(
  input: VerifyInput,
  compare: (input: VerifyInput) => Promise<VerifyReport>,
): Promise<VerifyReport> {
  const state = new SourceState(typeof input.source === 'string' ? input.source : undefined)
  try {
    const report = await compare(input)
    state.requireUnchanged()
    return report
  } catch (error) {
    throw state.explain(error)
  }
}

async function compare({ source, output, rejects, options = {} }: VerifyInput): Promise<VerifyReport> {
  await requirePaths(source, output, rejects)
  const open = reopenable(source)
  const log = new DifferenceLog(options.maxDifferences ?? 20)
  const file = await openOutput(output)
  try {
    const { reference, expected } = await openWritten(open, output, file, log, options)
    if (reference === undefined) return reportOfOptions(file.format, log)
    const rejected = rejects === undefined ? undefined : new RejectsComparison(rejects, log, expected)
    const report = await new Comparison(reference, file, expected, log, rejected).run()
    await rejected?.comparePlaces(open)
    return { ...report, differences: log.differences, differenceCount: log.count }
  } finally {
    await file.close()
  }
}

async function requirePaths(
  source: string | ReopenableSource,
  output: string,
  rejects: string | undefined,
): Promise<void> {
  if (typeof source === 'string') await requireExportPath(source)
  requireOutputPath(output)
  if (rejects !== undefined) requireOutputPath(rejects)
}

/**
 * Opens the export with the options that the output was written with. Given options take precedence.
 * @returns undefined as reference when a given option differs from the output's, which is logged.
 * @throws OutputError `ERR_OUTPUT` when the output's metadata has invalid options.
 */
export async function openWritten(
  open: ReopenableSource,
  output: string,
  file: OutputReader,
  log: DifferenceLog,
  options: VerifyOptions,
): Promise<{ reference: ReferenceReader | undefined; expected: VerifyOptions }> {
  const written = writtenOptions(file.metadata)
  compareOptions(log, written, options)
  const expected = log.count > 0 ? options : expectedOptions(output, written, options)
  if (log.count > 0) return { reference: undefined, expected }
  const reference = await openReference(open, expected).catch(async (error: unknown) => {
    if (!isExportError(error, 'ERR_OPTION') || written === undefined) throw error
    // Throws if the given options are at fault.
    await openReference(open, options)
    throw new OutputError('ERR_OUTPUT', worded`the metadata of ${output} has invalid options: ${error.wording}`, {
      cause: error,
    })
  })
  compareSelection(log, written, options, file, reference)
  return { reference: log.count > 0 ? undefined : reference, expected }
}

/** Returns the report when only options were compared. */
export function reportOfOptions(format: VerifyReport['format'], log: DifferenceLog): VerifyReport {
  const { differences, count: differenceCount } = log
  return {
    format,
    records: 0,
    rows: 0,
    columns: 0,
    cells: 0,
    differences,
    differenceCount,
    questions: [],
    warnings: [],
  }
}

/** Returns a function that opens the export. */
export function reopenable(source: string | ReopenableSource): ReopenableSource {
  return typeof source === 'string' ? () => bytesOf(source) : source
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path)
  } catch (error) {
    throw unreadableSourceError(path, error)
  }
}

/**
 * Removes the reading options from metadata. They are compared by their effect, because a selection can be written in
 * several ways.
 */
export function withoutReading(metadata: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...metadata].filter(([key]) => key !== READING_METADATA_KEY))
}

interface ExpectedRow {
  /** 1-based number of the record. */
  readonly record: number
  readonly cells: readonly Cell[]
}

class Comparison {
  readonly #reference: ReferenceReader
  readonly #output: OutputReader
  readonly #log: DifferenceLog
  readonly #rejects: RejectsComparison | undefined
  readonly #expected: ExpectedTable
  readonly #columns: readonly LeafColumn[]
  /** Index of the output column for each expected one; -1 where it is missing. */
  #outputColumns: number[] = []
  #labels: (readonly string[] | undefined)[] = []
  #records = 0
  #expectedCount = 0
  #rows = 0
  #cells = 0

  constructor(
    reference: ReferenceReader,
    output: OutputReader,
    options: VerifyOptions,
    log: DifferenceLog,
    rejects: RejectsComparison | undefined,
  ) {
    this.#reference = reference
    this.#output = output
    this.#log = log
    this.#rejects = rejects
    this.#expected = new ExpectedTable(reference, options)
    this.#columns = leafColumns(this.#expected.schema.fields)
  }

  async run(): Promise<Omit<VerifyReport, 'differences' | 'differenceCount'>> {
    this.#compareColumns()
    compareFileMetadata(this.#log, withoutReading(this.#expected.schema.metadata), this.#output.metadata)
    await this.#compareRows()
    await this.#rejects?.finish()
    compareFileMetadata(this.#log, this.#finalMetadata(), this.#output.metadata)
    if (this.#output.keepsDictionaries) this.#compareLabels()
    return {
      format: this.#output.format,
      records: this.#records,
      rows: this.#rows,
      columns: this.#columns.length,
      cells: this.#cells,
      questions: this.#reference.questions,
      warnings: this.#reference.warnings,
    }
  }

  #compareColumns(): void {
    const expected = this.#columns
    const found = leafColumns(this.#output.schema.fields)
    for (let i = 0; i < Math.max(expected.length, found.length); i++) {
      this.#log.compare({ kind: 'column', column: `#${i + 1}` }, expected[i]?.path, found[i]?.path)
    }
    const byPath = new Map(found.map(({ path }, i) => [path, i]))
    this.#outputColumns = expected.map(({ path }, i) => (found[i]?.path === path ? i : (byPath.get(path) ?? -1)))
    for (const [i, column] of expected.entries()) {
      const other = found[this.#outputColumns[i] ?? -1]
      if (other !== undefined) this.#compareField(column, other.field)
    }
    const structs = new Map(structColumns(this.#output.schema.fields).map(({ path, field }) => [path, field]))
    for (const struct of structColumns(this.#expected.schema.fields)) {
      const other = structs.get(struct.path)
      if (other !== undefined) this.#compareField(struct, other)
    }
  }

  #compareField({ path: column, field: expected }: LeafColumn, found: Field): void {
    this.#log.compare({ kind: 'type', column }, typeName(expected.type), typeName(found.type))
    for (const [key, value] of expected.metadata) {
      const read = found.metadata.get(key)
      // arrow-js drops a leading byte order mark.
      this.#log.compare({ kind: 'metadata', column, key }, read === withoutFirstMark(value) ? read : value, read)
    }
  }

  /** Returns the metadata that is known only after the last record, which only files have. */
  #finalMetadata(): Map<string, string> {
    if (this.#output.format === 'arrows' || !this.#expected.leavesOutInvalid) return new Map()
    return new Map([[INVALID_METADATA_KEY, JSON.stringify(this.#reference.invalidCounts)]])
  }

  async #compareRows(): Promise<void> {
    const expected = this.#expectedRows()
    for await (const batch of this.#output.batches()) {
      this.#labels = this.#outputColumns.map((column) => batch.labels(column))
      for (let row = 0; row < batch.rows; row++) {
        this.#rows++
        const next = await expected.next()
        if (next.done !== true) this.#compareRow(next.value, batch, row)
      }
    }
    // The rest of the document must be read too: an error there is an error of the export.
    for await (const _ of expected);
    this.#log.compare({ kind: 'rows' }, String(this.#expectedCount), String(this.#rows))
  }

  async *#expectedRows(): AsyncGenerator<ExpectedRow> {
    for await (const record of this.#reference.rows()) {
      this.#records++
      await this.#rejects?.compare(record.rejects)
      for (const cells of this.#expected.rowsOf(record)) {
        this.#expectedCount++
        yield { record: record.record, cells }
      }
    }
  }

  #compareRow(expected: ExpectedRow, batch: BatchCells, row: number): void {
    for (let i = 0; i < expected.cells.length; i++) {
      const column = this.#outputColumns[i] ?? -1
      if (column === -1) continue
      this.#cells++
      const value = expected.cells[i] ?? null
      const found = batch.cell(column, row)
      if (!sameCell(value, found)) this.#cellDiffers(expected, i, value, found)
    }
  }

  #cellDiffers({ record, cells }: ExpectedRow, column: number, expected: Cell, found: Cell): void {
    const [ownerId] = cells
    const { path, field } = this.#columns[column] ?? {}
    const role = field?.metadata.get(ROLE_METADATA_KEY)
    const isState = field?.name === SYSTEM_COLUMNS.skipped || role === 'state' || role === 'invalid'
    this.#log.compare(
      {
        kind: isState ? 'state' : 'cell',
        record,
        ...(typeof ownerId === 'string' ? { ownerId } : {}),
        ...(path === undefined ? {} : { column: path }),
      },
      shownCell(expected),
      shownCell(found),
    )
  }

  #compareLabels(): void {
    for (const [i, { path, field }] of this.#columns.entries()) {
      const [expected, found] = [this.#expected.labelsOf(field), this.#labels[i]]
      if (expected === undefined || found === undefined) continue
      this.#log.compare({ kind: 'labels', column: path }, JSON.stringify(expected), JSON.stringify(found))
    }
  }
}

function withoutFirstMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text
}
