/** Compares an export, read by a second implementation, with a star folder: every row of its five tables. */

import { join } from 'node:path'
import { INVALID_METADATA_KEY } from '../plan/schema.ts'
import { SHAPE_METADATA_KEY } from '../shape/metadata.ts'
import type { Cell } from './answer-values.ts'
import {
  openWritten,
  reopenable,
  reportOfOptions,
  type VerifyInput,
  type VerifyReport,
  whileUnchanged,
  withoutReading,
} from './compare.ts'
import { DifferenceLog } from './difference-log.ts'
import { ExpectedStar } from './expected-star.ts'
import { compareFileMetadata } from './file-metadata.ts'
import { type OutputReader, openOutput } from './output-reader.ts'
import { requireExportPath, requireOutputPath } from './paths.ts'
import { RejectsComparison } from './rejects.ts'
import { TableComparison } from './table-comparison.ts'

const TABLES = ['answers', 'responses', 'fields', 'options', 'groups'] as const

type Files = Record<(typeof TABLES)[number], OutputReader>

/**
 * Compares a folder of the star layout with the export that it was made from.
 * @throws ExportError when the export or a file cannot be read at all; differences are reported, not thrown.
 */
export function verifyStar(input: VerifyInput): Promise<VerifyReport> {
  return whileUnchanged(input, compare)
}

async function compare({ source, output, rejects, options: given = {} }: VerifyInput): Promise<VerifyReport> {
  if (typeof source === 'string') await requireExportPath(source)
  for (const table of TABLES) requireOutputPath(tablePath(output, table))
  if (rejects !== undefined) requireOutputPath(rejects)
  const open = reopenable(source)
  const log = new DifferenceLog(given.maxDifferences ?? 20)
  const files = await openTables(output)
  try {
    const opened = await openWritten(open, output, wideFile(files.answers), log, { ...given, layout: undefined })
    const { reference, expected: options } = opened
    if (reference === undefined) return reportOfOptions('star', log)
    const expected = new ExpectedStar(reference, options)
    const rejected = rejects === undefined ? undefined : new RejectsComparison(rejects, log, options)
    const comparison = (table: keyof Files) => new TableComparison(table, files[table], expected.columns[table], log)
    const [answers, responses] = [comparison('answers'), comparison('responses')]
    compareFileMetadata(log, withoutReading(answersMetadata(reference.schema.metadata)), files.answers.metadata)
    let records = 0
    for await (const row of reference.rows()) {
      records++
      await rejected?.compare(row.rejects)
      const { answers: rows, response } = expected.rowsOf(row)
      const [, ownerId] = response
      const place = { record: row.record, ...(typeof ownerId === 'string' ? { ownerId } : {}) }
      for (const cells of rows) await answers.compare(cells, place)
      await responses.compare(response, place)
    }
    await rejected?.finish()
    if (options.onInvalid === 'null') {
      const invalid = new Map([[INVALID_METADATA_KEY, JSON.stringify(reference.invalidCounts)]])
      compareFileMetadata(log, invalid, files.answers.metadata)
    }
    const tables = [answers, responses]
    for (const table of ['fields', 'options', 'groups'] as const) {
      tables.push(await compareAll(comparison(table), expected[table]))
    }
    for (const table of [answers, responses]) await table.finish()
    await rejected?.comparePlaces(open)
    return {
      format: 'star',
      records,
      rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      columns: Object.values(expected.columns).reduce((sum, { length }) => sum + length, 0),
      cells: tables.reduce((sum, { cells }) => sum + cells, 0),
      differences: log.differences,
      differenceCount: log.count,
      questions: reference.questions,
      warnings: reference.warnings,
    }
  } finally {
    for (const file of Object.values(files)) await file.close()
  }
}

/**
 * Returns `answers` as if it were a wide file, the layout that records are read in: `long` is not an option of the star
 * layout.
 */
function wideFile(answers: OutputReader): OutputReader {
  const metadata = answers.metadata.map((place) => {
    const shape = jsonOf(place.get(SHAPE_METADATA_KEY))
    return new Map([...place, [SHAPE_METADATA_KEY, JSON.stringify({ ...shape, layout: 'wide' })]])
  })
  return { ...answers, metadata }
}

function jsonOf(text: string | undefined): object {
  try {
    return JSON.parse(text ?? '{}')
  } catch {
    // The comparison of the metadata reports it.
    return {}
  }
}

/** Returns the metadata of `answers`, which always has the long layout. */
function answersMetadata(wide: ReadonlyMap<string, string>): Map<string, string> {
  const shape = JSON.parse(wide.get(SHAPE_METADATA_KEY) ?? '{}') as object
  return new Map([...wide, [SHAPE_METADATA_KEY, JSON.stringify({ ...shape, layout: 'long' })]])
}

/** Compares a table that is small enough to be in memory as a whole. */
async function compareAll(table: TableComparison, rows: readonly Cell[][]): Promise<TableComparison> {
  for (const cells of rows) await table.compare(cells, { key: cells.slice(0, 2).map(String).join(' ') })
  await table.finish()
  return table
}

function tablePath(folder: string, table: keyof Files): string {
  return join(folder, `${table}.parquet`)
}

async function openTables(folder: string): Promise<Files> {
  const files: Partial<Files> = {}
  try {
    for (const table of TABLES) files[table] = await openOutput(tablePath(folder, table))
    return files as Files
  } catch (error) {
    for (const file of Object.values(files)) await file.close()
    throw error
  }
}
