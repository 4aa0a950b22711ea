/** Options → what becomes of each decoded batch: the one entrance to this folder. */

import { DataType, type Field, makeData, type RecordBatch, Schema, Struct } from 'apache-arrow'
import { recordBatch } from '../columns/record-batch.ts'
import type { Definition } from '../definition.ts'
import type { ColumnPlan } from '../schema.ts'
import { LongShape } from './long.ts'
import { ROLE_METADATA_KEY, tableMetadata } from './metadata.ts'
import type { ResolvedShape } from './options.ts'
import { BaseBatch, type Shape } from './recipe.ts'
import { type WideColumns, wideColumns } from './wide.ts'

/**
 * Makes the shape of a table.
 * @param plans The columns that are decoded.
 * @param base Their Arrow schema, which the identity keeps.
 */
export function shapeOf(
  plans: readonly ColumnPlan[],
  base: Schema,
  definition: Definition,
  shape: ResolvedShape,
): Shape {
  if (isIdentity(shape)) return new IdentityShape(base)
  if (shape.layout === 'long') return new LongShape(plans, tableMetadata(base.metadata, plans, shape), shape)
  const columns = wideColumns(plans, base, definition, shape)
  return new WideShape(columns, tableMetadata(base.metadata, plans, shape, columns.names))
}

/** Whether decoding and planning alone give the table; what it says of itself is then the same as ever. */
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
  readonly #columns: WideColumns
  readonly #type: Struct

  constructor(columns: WideColumns, metadata: Map<string, string>) {
    const fields = columns.recipes.map((recipe) => recipe.field)
    this.#columns = columns
    this.schema = new Schema(fields, metadata)
    this.#type = new Struct(fields)
    this.moreBytesPerRow = fields.reduce((bytes, field) => bytes + moreBytesPerRow(field), 0)
  }

  apply(batch: RecordBatch): RecordBatch[] {
    const base = new BaseBatch(batch)
    const children = this.#columns.recipes.map((recipe) => recipe.build(base))
    return [recordBatch(this.schema, makeData({ type: this.#type, length: base.rows, nullCount: 0, children }))]
  }

  forgetUnknownOptions(): void {
    this.#columns.otherOptions?.forgetUnknownOptions()
  }
}

const HASH_BYTES = 68
const FLAG_BYTES = 2 / 8
const STATE_BYTES = 1

/** Whatever is not listed here shares its buffers with the decoded column. */
function moreBytesPerRow(field: Field): number {
  if (DataType.isStruct(field.type)) {
    return field.type.children.reduce((bytes: number, member: Field) => bytes + moreBytesPerRow(member), 0)
  }
  if (field.metadata.has('alida:hashed')) return HASH_BYTES
  if (DataType.isBool(field.type)) return FLAG_BYTES
  return field.metadata.get(ROLE_METADATA_KEY) === 'state' ? STATE_BYTES : 0
}
