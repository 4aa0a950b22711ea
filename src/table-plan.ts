/** Definition + options → the table: its columns, its schema, and how a decoded batch becomes one of that schema. */

import type { RecordBatch, Schema } from 'apache-arrow'
import type { BatchLimits } from './decode/document.ts'
import type { Definition, ExportHeader } from './definition.ts'
import { arrowSchema, type ColumnOptions, type ColumnPlan, planColumns, rowsWithin } from './schema.ts'
import type { WarningLog } from './warnings.ts'

export interface TablePlan {
  /** What the records are decoded into. */
  readonly columns: readonly ColumnPlan[]
  readonly decodedSchema: Schema
  /** The schema of the batches that the user gets. */
  readonly schema: Schema
  /** A decoded batch in that schema. */
  readonly shape: (batch: RecordBatch) => RecordBatch
}

/**
 * Plans the table. Depends on its arguments alone, so that every thread comes to the same plan.
 * @throws OptionError `ERR_OPTION` when an option names something that is not in the definition.
 */
export function planTable(
  definition: Definition,
  header: ExportHeader,
  options: ColumnOptions,
  warnings: WarningLog,
): TablePlan {
  const columns = planColumns(definition, options, warnings)
  const schema = arrowSchema(columns, header, definition)
  return { columns, decodedSchema: schema, schema, shape: (batch) => batch }
}

const MOST_BATCH_ROWS = 131_072
const BATCH_BYTES = 64 * 2 ** 20

/** Limits that keep a batch within about 128 MiB: 64 for what every row takes, 64 for texts and lists. */
export function batchLimits(columns: readonly ColumnPlan[], batchSize: number | undefined): BatchLimits {
  const rows = batchSize ?? Math.min(MOST_BATCH_ROWS, rowsWithin(BATCH_BYTES, columns))
  return { rows, variableBytes: BATCH_BYTES }
}
