/** Describes columns to the kernel. */

import type { Column } from '../../columns/column.ts'
import { DictionaryColumn } from '../../columns/dictionary.ts'
import { DoubleColumn, TimestampColumn } from '../../columns/fixed.ts'
import { ListColumn } from '../../columns/list.ts'
import { Utf8Column } from '../../columns/utf8.ts'
import { indexBits } from '../../plan/schema.ts'
import { FieldKind } from './field-layout.ts'
import type { KernelField } from './records-kernel.ts'

const NO_COLUMN: KernelField = { kind: FieldKind.none, column: 0, optionIds: [], indexBytes: 0 }

/**
 * Returns what the kernel has to do with the answers to a field.
 * @param column The field's column; undefined if it has none.
 * @param number Number of the column among those that can be skipped.
 */
export function kernelField(column: Column | undefined, number: number): KernelField {
  if (column === undefined) return NO_COLUMN
  const kind = kindOf(column)
  const isChoice = kind === FieldKind.dictionary || kind === FieldKind.list
  return {
    kind,
    column: number,
    optionIds: isChoice ? (column.plan.field?.options.map((option) => option.id) ?? []) : [],
    indexBytes: isChoice ? indexBits(column.plan) / 8 : 0,
  }
}

function kindOf(column: Column): FieldKind {
  if (column instanceof DictionaryColumn) return FieldKind.dictionary
  if (column instanceof ListColumn) return FieldKind.list
  if (column instanceof DoubleColumn) return FieldKind.double
  if (column instanceof TimestampColumn) return FieldKind.timestamp
  return column instanceof Utf8Column ? FieldKind.text : FieldKind.other
}
