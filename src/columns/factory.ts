/** Creates columns from their plans; the only place that chooses a column class by data type. */

import type { DataType } from 'apache-arrow'
import type { ColumnPlan } from '../plan/schema.ts'
import type { Column, Notes } from './column.ts'
import { DictionaryColumn } from './dictionary.ts'
import { DoubleColumn, TimestampColumn } from './fixed.ts'
import { ListColumn } from './list.ts'
import { ExtraColumn, JsonColumn, Utf8Column } from './utf8.ts'

/** Creates the column for a plan; `type` is its type in the Arrow schema. */
export function columnOf(plan: ColumnPlan, type: DataType, notes: Notes): Column {
  switch (plan.type) {
    case 'dictionary':
      return new DictionaryColumn(plan, type, notes)
    case 'list':
      return new ListColumn(plan, type, notes)
    case 'double':
      return new DoubleColumn(plan, notes)
    case 'timestamp':
      return new TimestampColumn(plan, notes)
    case 'utf8':
      return plan.source === 'extra' ? new ExtraColumn(plan, notes) : new Utf8Column(plan, notes)
    case 'json':
      return new JsonColumn(plan, notes)
  }
}
