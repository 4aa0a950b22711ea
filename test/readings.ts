/** The same export read by the three readers, each as a plain table that can be compared. */

import type { ExportSource } from '../src/source.ts'
import { type ReaderInternals, type ReadOptions, readExport } from '../src/reader.ts'
import type { ColumnOptions } from '../src/schema.ts'
import { CellDecoder } from '../src/verify/arrow-cells.ts'
import { openReference } from '../src/verify/reference-reader.ts'
import type { Warning } from '../src/warnings.ts'
import { chunked } from './json-layout.ts'
import { type ModelCell, modelTable } from './model.ts'

export interface Reading {
  columns: string[]
  rows: ModelCell[][]
  /** Dictionaries by column name; those of tables without rows are left out. */
  labels: Record<string, readonly string[]>
  /** `name answered/skipped/notAsked` of each question. */
  states: string[]
  /** `kind fieldId: count`, sorted. */
  warnings: string[]
}

export function modelReading(bytes: Uint8Array, options: ColumnOptions): Reading {
  const { columns, rows, labels, states, warnings } = modelTable(bytes, options)
  return {
    columns: columns.map(({ name }) => name),
    rows,
    labels: labelledBy(columns, rows, (i) => labels[i]),
    states: columns.flatMap(({ name }, i) => stateText(name, states[i])),
    warnings: [...warnings].map(([key, count]) => `${key}: ${count}`).sort(),
  }
}

export async function referenceReading(bytes: Uint8Array, options: ColumnOptions, chunkBytes: number): Promise<Reading> {
  const reader = await openReference(async function* () {
    yield* chunked(bytes, chunkBytes)
  }, options)
  const { columns } = reader
  const rows: ModelCell[][] = []
  for await (const { cells } of reader.rows()) rows.push([...cells])
  return {
    columns: columns.map(({ name }) => name),
    rows,
    labels: labelledBy(columns, rows, (i) => reader.labelsOf(i)),
    states: reader.questions.flatMap((question) => stateText(question.column.name, question)),
    warnings: warningTexts(reader.warnings),
  }
}

export async function mainReading(
  source: ExportSource,
  options: ReadOptions,
  internals: ReaderInternals,
): Promise<Reading> {
  const reader = await readExport(source, options, internals)
  const decoder = new CellDecoder()
  const rows: ModelCell[][] = []
  let labelsOf: (i: number) => readonly string[] | undefined = () => undefined
  for await (const batch of reader) {
    const cells = decoder.batch(batch)
    labelsOf = cells.labels
    for (let row = 0; row < cells.rows; row++) rows.push(reader.columns.map((_, column) => cells.cell(column, row)))
  }
  const { questions, warnings } = reader.summary
  return {
    columns: reader.schema.fields.map(({ name }) => name),
    rows,
    labels: labelledBy(reader.columns, rows, labelsOf),
    states: questions.flatMap((question) => stateText(question.column.name, question)),
    warnings: warningTexts(warnings),
  }
}

function labelledBy(
  columns: readonly { name: string; type: string }[],
  rows: readonly unknown[],
  labelsOf: (column: number) => readonly string[] | undefined,
): Record<string, readonly string[]> {
  if (rows.length === 0) return {}
  const isLabelled = ({ type }: { type: string }) => type === 'dictionary' || type === 'list'
  return Object.fromEntries(columns.flatMap((column, i) => (isLabelled(column) ? [[column.name, labelsOf(i) ?? []]] : [])))
}

function stateText(name: string, state: { answered: number; skipped: number; notAsked: number } | undefined): string[] {
  return state === undefined ? [] : [`${name} ${state.answered}/${state.skipped}/${state.notAsked}`]
}

function warningTexts(warnings: readonly Warning[]): string[] {
  return warnings.map(({ kind, fieldId, count }) => `${kind} ${fieldId ?? ''}: ${count}`).sort()
}
