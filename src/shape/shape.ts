/** Creates the shape that turns decoded batches into output batches; the entry point of this folder. */

import { DataType, type Field, makeData, type RecordBatch, Schema, Struct } from 'apache-arrow'
import { recordBatch } from '../columns/record-batch.ts'
import type { Definition } from '../definition.ts'
import type { Naming } from '../plan/name-modes.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import { LongShape } from './long.ts'
import { ROLE_METADATA_KEY, tableMetadata } from './metadata.ts'
import type { ResolvedShape } from './options.ts'
import { BaseBatch, type Shape } from './recipe.ts'
import { type WideColumns, wideColumns } from './wide.ts'

/**
 * Creates the shape of a table.
 * @param plans The decoded columns.
 * @param base Their Arrow schema.
 */
export function shapeOf(
  plans: readonly ColumnPlan[],
  base: Schema,
  definition: Definition,
  shape: ResolvedShape,
  naming: Naming,
): Shape {
  if (isIdentity(shape)) return new IdentityShape(base)
  if (shape.layout === 'long') return new LongShape(plans, tableMetadata(base.metadata, plans, shape), shape)
  const wide = wideColumns(plans, base, definition, shape, naming)
  return new WideShape(wide, tableMetadata(base.metadata, plans, shape, wide.names))
}

/** Whether decoded batches are written unchanged, without metadata about the shape. */
function isIdentity(shape: ResolvedShape): boolean {
  const { answerStates, sets, values, names, groups, layout, timezone, stripHtml, sensitive, hashOwner } = shape
  const isPlain = answerStates === 'list' && sets === 'list' && values === 'label' && groups === 'flat'
  return (
    isPlain &&
    names === 'name' &&
    layout === 'wide' &&
    timezone === 'utc' &&
    !stripHtml &&
    sensitive !== 'hash' &&
    !hashOwner
  )
}

class IdentityShape implements Shape {
  readonly schema: Schema
  readonly moreBytesPerRow = 0
  readonly numbersRecords = false

  constructor(schema: Schema) {
    this.schema = schema
  }

  apply(batch: RecordBatch): RecordBatch[] {
    return [batch]
  }

  forgetUnknownOptions(): void {}
}

class WideShape implements Shape {
  readonly schema: Schema
  readonly moreBytesPerRow: number
  readonly numbersRecords = false
  readonly #wide: WideColumns
  readonly #type: Struct

  constructor(wide: WideColumns, metadata: Map<string, string>) {
    const fields = wide.columns.map((column) => column.field)
    this.#wide = wide
    this.schema = new Schema(fields, metadata)
    this.#type = new Struct(fields)
    this.moreBytesPerRow = fields.reduce((bytes, field) => bytes + moreBytesPerRow(field), 0)
  }

  apply(batch: RecordBatch): RecordBatch[] {
    const base = new BaseBatch(batch)
    const children = this.#wide.columns.map((column) => column.build(base))
    return [recordBatch(this.schema, makeData({ type: this.#type, length: base.rows, nullCount: 0, children }))]
  }

  forgetUnknownOptions(): void {
    this.#wide.otherOptions?.forgetUnknownOptions()
  }
}

/** Bytes per row: 64 characters and an offset. */
const HASH_BYTES = 68
const FLAG_BYTES = 2 / 8
const STATE_BYTES = 1

/** Returns the bytes per row that a column adds; all others share their buffers with the decoded column. */
function moreBytesPerRow(field: Field): number {
  if (DataType.isStruct(field.type)) {
    return field.type.children.reduce((bytes: number, member: Field) => bytes + moreBytesPerRow(member), 0)
  }
  if (field.metadata.has('alida:hashed')) return HASH_BYTES
  if (DataType.isBool(field.type)) return FLAG_BYTES
  return field.metadata.get(ROLE_METADATA_KEY) === 'state' ? STATE_BYTES : 0
}
