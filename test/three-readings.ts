/** The same export read by the three readers, each as a plain table that can be compared. */

import { isDeepStrictEqual } from 'node:util'
import { isExportError } from '../src/errors.ts'
import type { ExportSource } from '../src/input/source.ts'
import type { ColumnOptions } from '../src/plan/schema.ts'
import { openReader, type ReaderInternals, type ReadOptions } from '../src/reader.ts'
import type { Cell } from '../src/verify/answer-values.ts'
import { CellDecoder } from '../src/verify/arrow-cells.ts'
import { openReference } from '../src/verify/reference-reader.ts'
import type { Warning } from '../src/warnings.ts'
import { chunked } from './json-layout.ts'
import { modelTable } from './model.ts'

export interface Reading {
  columns: string[]
  rows: Cell[][]
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

export async function referenceReading(
  bytes: Uint8Array,
  options: ColumnOptions,
  chunkBytes: number,
): Promise<Reading> {
  const reader = await openReference(async function* () {
    yield* chunked(bytes, chunkBytes)
  }, options)
  const { columns } = reader
  const rows: Cell[][] = []
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
  const reader = await openReader(source, options, internals)
  const decoder = new CellDecoder()
  const rows: Cell[][] = []
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
  return Object.fromEntries(
    columns.flatMap((column, i) => (isLabelled(column) ? [[column.name, labelsOf(i) ?? []]] : [])),
  )
}

function stateText(name: string, state: { answered: number; skipped: number; notAsked: number } | undefined): string[] {
  return state === undefined ? [] : [`${name} ${state.answered}/${state.skipped}/${state.notAsked}`]
}

function warningTexts(warnings: readonly Warning[]): string[] {
  return warnings.map(({ kind, fieldId, count }) => `${kind} ${fieldId ?? ''}: ${count}`).sort()
}

/** How the main reader is driven; what must not change what it finds. */
export interface Way {
  /** 0 for one chunk. */
  chunkBytes: number
  batchSize: number | undefined
  windowBytes: number | undefined
  useKernel: boolean
  /** Bytes themselves, which can be read twice, or a stream, which is spooled where that is needed. */
  isStream: boolean
}

type Outcome = { reading: Reading } | { error: unknown }

/**
 * Reads an export three times.
 * @returns What differs between the readers, or how one of them broke; undefined when they agree on a table or that
 *   there is none.
 */
export async function disagreement(bytes: Uint8Array, options: ColumnOptions, way: Way): Promise<string | undefined> {
  const { chunkBytes, batchSize, windowBytes, useKernel, isStream } = way
  const chunks = async function* () {
    yield* chunked(bytes, chunkBytes)
  }
  const internals = windowBytes === undefined ? { useKernel } : { useKernel, windowBytes }
  const model = await outcomeOf(async () => modelReading(bytes, options))
  const readers = {
    'the reference reader': await outcomeOf(() => referenceReading(bytes, options, chunkBytes)),
    'the main reader': await outcomeOf(() =>
      mainReading(isStream ? chunks() : bytes, { ...options, batchSize }, internals),
    ),
  }
  for (const [name, outcome] of Object.entries(readers)) {
    const found = differenceOf(model, outcome)
    if (found !== undefined) return `${name}: ${found}`
  }
  return undefined
}

async function outcomeOf(read: () => Promise<Reading>): Promise<Outcome> {
  try {
    return { reading: await read() }
  } catch (error) {
    return { error }
  }
}

function differenceOf(model: Outcome, other: Outcome): string | undefined {
  if ('error' in other && !isExportError(other.error)) return `broke with ${stackOf(other.error)}`
  if ('error' in model && 'error' in other) return undefined
  if ('error' in other) return `refused what the model takes: ${String(other.error)}`
  if ('error' in model) return `took what the model refuses: ${String(model.error)}`
  for (const part of ['columns', 'rows', 'labels', 'states', 'warnings'] as const) {
    if (isDeepStrictEqual(model.reading[part], other.reading[part])) continue
    if (part === 'warnings') return warningsApart(model.reading.warnings, other.reading.warnings)
    return `${part}\n  expected ${shown(model.reading[part])}\n  found    ${shown(other.reading[part])}`
  }
  return undefined
}

/** On one line which kinds they are, then the counts. */
function warningsApart(expected: readonly string[], found: readonly string[]): string {
  const missing = expected.filter((warning) => !found.includes(warning))
  const extra = found.filter((warning) => !expected.includes(warning))
  const kinds = new Set([...missing, ...extra].map((warning) => warning.split(' ')[0]))
  return `warnings ${[...kinds].join(', ')}\n  expected ${shown(missing)}\n  found    ${shown(extra)}`
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    return Object.is(part, -0) ? '-0' : part
  })
}
