/** Definition + options → the table: its columns, its schema, and how a decoded batch becomes one of that schema. */

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
  /** What the records are decoded into. */
  readonly columns: readonly ColumnPlan[]
  readonly decodedSchema: Schema
  /** What becomes of a decoded batch; its schema is that of the batches that the user gets. */
  readonly shape: Shape
}

/**
 * Plans the table. Depends on its arguments alone, so that every thread comes to the same plan.
 * @throws OptionError `ERR_OPTION` when options contradict each other or name something that is not in the definition;
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

/** The columns' batch without rows: its dictionaries have the labels that there are without a record. */
export function emptyDecodedBatch({ columns, decodedSchema }: TablePlan): RecordBatch {
  return new BatchBuilder(columns, decodedSchema, new RecordNotes(new WarningLog())).finishBatch()
}

function requireFewColumns(columns: number, limits: InputLimits): void {
  const most = limitOf(limits, 'maxColumns')
  if (columns > most) throw limitError('maxColumns', `a table of at most ${most} columns`, String(columns))
}

/** Columns that hold values: structs have some of them inside. */
function leafCount(fields: readonly Field[]): number {
  return fields.reduce((sum, { type }) => sum + (DataType.isStruct(type) ? leafCount(type.children) : 1), 0)
}

/**
 * What takes invalid values; undefined where they are errors.
 * @param tell Called with each of them, in the order of the document.
 */
export function rejectLogOf(options: ShapeOptions, tell: (value: RejectedValue) => void): RejectLog | undefined {
  const { onInvalid, hashOwner, hashKey } = resolveShape(options)
  if (onInvalid === 'error') return undefined
  return new RejectLog(tell, hashOwner ? (ownerId) => keyedHash(ownerId, hashKey) : undefined)
}

/** What a file says of its invalid values when all of them are known; nothing where they are errors. */
export function invalidMetadata({ onInvalid }: ShapeOptions, warnings: WarningLog): Map<string, string> {
  if (onInvalid !== 'null') return new Map()
  return new Map([[INVALID_METADATA_KEY, JSON.stringify(invalidCounts(warnings))]])
}

export function invalidCounts(warnings: WarningLog): InvalidCounts {
  const codes = warnings.detailsOf('invalid-value')
  const total = [...codes.values()].reduce((sum, count) => sum + count, 0)
  return { total, codes: Object.fromEntries([...codes].sort()) }
}

const MOST_BATCH_ROWS = 131_072
const BATCH_BYTES = 64 * 2 ** 20

/** Limits that keep a batch within about 128 MiB: 64 for what every row takes, 64 for texts and lists. */
export function batchLimits(
  columns: readonly ColumnPlan[],
  batchSize: number | undefined,
  moreBytesPerRow = 0,
): BatchLimits {
  const rows = batchSize ?? Math.min(MOST_BATCH_ROWS, rowsWithin(BATCH_BYTES, columns, moreBytesPerRow))
  return { rows, variableBytes: BATCH_BYTES }
}
