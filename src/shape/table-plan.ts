/** Plans the table: its columns, its schema, and how a decoded batch is turned into one of that schema. */

import { DataType, type Field, type RecordBatch, type Schema } from 'apache-arrow'
import type { BatchLimits } from '../decode/document.ts'
import { RecordNotes } from '../decode/notes.ts'
import { type RejectedValue, RejectLog } from '../decode/rejects.ts'
import { BatchBuilder } from '../decode/table.ts'
import type { Definition, ExportHeader } from '../definition.ts'
import { type InputLimits, limitError, limitOf } from '../limits.ts'
import { loadNaming } from '../plan/name-modes.ts'
import {
  arrowSchema,
  type ColumnPlan,
  INVALID_METADATA_KEY,
  type InvalidCounts,
  planColumns,
  rowsWithin,
} from '../plan/schema.ts'
import { WarningLog } from '../warnings.ts'
import { resolveShape, type ShapeOptions } from './options.ts'
import { keyedHash } from './privacy.ts'
import type { Shape } from './recipe.ts'
import { shapeOf } from './shape.ts'

export interface TablePlan {
  /** The columns that the records are decoded into. */
  readonly columns: readonly ColumnPlan[]
  readonly decodedSchema: Schema
  /** Turns decoded batches into those that the user gets; its schema is theirs. */
  readonly shape: Shape
}

/**
 * Plans the table. Depends only on its arguments, so that every thread makes the same plan.
 * @throws OptionError `ERR_OPTION` if options contradict each other or name something that is not in the definition;
 *   LimitError for too many columns.
 */
export async function planTable(
  definition: Definition,
  header: ExportHeader,
  options: ShapeOptions & InputLimits,
  warnings: WarningLog,
): Promise<TablePlan> {
  const resolved = resolveShape(options)
  const naming = await loadNaming(resolved.names)
  const columns = planColumns(definition, options, naming, warnings)
  requireFewColumns(columns.length, options)
  const decodedSchema = arrowSchema(columns, header, definition, options)
  const shape = shapeOf(columns, decodedSchema, definition, resolved, naming)
  requireFewColumns(leafCount(shape.schema.fields), options)
  return { columns, decodedSchema, shape }
}

/** Returns a decoded batch without rows, whose dictionaries hold the labels of the definition. */
export function emptyDecodedBatch({ columns, decodedSchema }: TablePlan): RecordBatch {
  return new BatchBuilder(columns, decodedSchema, new RecordNotes(new WarningLog())).finishBatch()
}

function requireFewColumns(columns: number, limits: InputLimits): void {
  const max = limitOf(limits, 'maxColumns')
  if (columns > max) throw limitError('maxColumns', `a table of at most ${max} columns`, String(columns))
}

/** Counts the columns that hold values, including those inside structs. */
function leafCount(fields: readonly Field[]): number {
  return fields.reduce((sum, { type }) => sum + (DataType.isStruct(type) ? leafCount(type.children) : 1), 0)
}

/**
 * Returns the log of invalid values; undefined if they are errors.
 * @param report Called with each of them, in the order of the document.
 */
export function rejectLogOf(options: ShapeOptions, report: (value: RejectedValue) => void): RejectLog | undefined {
  const { onInvalid, hashOwner, hashKey } = resolveShape(options)
  if (onInvalid === 'error') return undefined
  return new RejectLog(report, hashOwner ? (ownerId) => keyedHash(ownerId, hashKey) : undefined)
}

/** Returns the metadata that counts the invalid values, once all of them are known; empty if they are errors. */
export function invalidMetadata({ onInvalid }: ShapeOptions, warnings: WarningLog): Map<string, string> {
  if (onInvalid !== 'null') return new Map()
  return new Map([[INVALID_METADATA_KEY, JSON.stringify(invalidCounts(warnings))]])
}

export function invalidCounts(warnings: WarningLog): InvalidCounts {
  const codes = warnings.detailsOf('invalid-value')
  const total = [...codes.values()].reduce((sum, count) => sum + count, 0)
  return { total, codes: Object.fromEntries([...codes].sort()) }
}

const MAX_BATCH_ROWS = 131_072
const BATCH_BYTES = 64 * 2 ** 20

/** Returns limits that keep a batch within about 128 MiB: 64 for the fixed size of rows, 64 for texts and lists. */
export function batchLimits(
  columns: readonly ColumnPlan[],
  batchSize: number | undefined,
  moreBytesPerRow = 0,
): BatchLimits {
  const rows = batchSize ?? Math.min(MAX_BATCH_ROWS, rowsWithin(BATCH_BYTES, columns, moreBytesPerRow))
  return { rows, variableBytes: BATCH_BYTES }
}
