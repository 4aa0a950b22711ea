/** Definition + options → the table: its columns, its schema, and how a decoded batch becomes one of that schema. */

import type { Schema } from 'apache-arrow'
import type { BatchLimits } from './decode/document.ts'
import type { Definition, ExportHeader } from './definition.ts'
import { arrowSchema, type ColumnPlan, planColumns, rowsWithin } from './schema.ts'
import { resolveShape, type ShapeOptions } from './shape/options.ts'
import type { Shape } from './shape/recipe.ts'
import { shapeOf } from './shape/shape.ts'
import type { WarningLog } from './warnings.ts'

export interface TablePlan {
  /** What the records are decoded into. */
  readonly columns: readonly ColumnPlan[]
  readonly decodedSchema: Schema
  /** What becomes of a decoded batch; its schema is that of the batches that the user gets. */
  readonly shape: Shape
}

/**
 * Plans the table. Depends on its arguments alone, so that every thread comes to the same plan.
 * @throws OptionError `ERR_OPTION` when options contradict each other or name something that is not in the definition.
 */
export function planTable(
  definition: Definition,
  header: ExportHeader,
  options: ShapeOptions,
  warnings: WarningLog,
): TablePlan {
  const resolved = resolveShape(options)
  const columns = planColumns(definition, options, warnings)
  const decodedSchema = arrowSchema(columns, header, definition, resolved)
  return { columns, decodedSchema, shape: shapeOf(columns, decodedSchema, definition, resolved) }
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
