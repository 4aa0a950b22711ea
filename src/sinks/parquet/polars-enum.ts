/**
 * polars keeps the order of categories, and those that do not occur, only in its type Enum. It reads a dictionary
 * column as an Enum if the Arrow field has polars' own metadata for it, which other readers ignore. Columns inside
 * lists and structs do not get the metadata: polars 1.44 panics on lists of Enums with signed indices.
 */

import { DataType, Field, Schema } from 'apache-arrow'

const ENUM_KEY = '_PL_ENUM_VALUES2'

/** Columns with more labels stay categorical, since all labels are stored in the footer. */
export const MAX_ENUM_LABELS = 4096

/** Labels of the top-level dictionary columns, in order of first appearance over the row groups. */
export class ColumnLabels {
  readonly #labels = new Map<string, Set<string>>()

  add(labels: ReadonlyMap<string, readonly string[]>): void {
    for (const [column, texts] of labels) {
      const known = this.#labels.get(column)
      if (known === undefined) this.#labels.set(column, new Set(texts))
      else for (const text of texts) known.add(text)
    }
  }

  /** Returns the schema with the labels in the metadata of its fields. */
  describe(schema: Schema): Schema {
    const fields = schema.fields.map((field) => {
      const labels = this.#labels.get(field.name)
      if (!DataType.isDictionary(field.type) || labels === undefined) return field
      if (labels.size === 0 || labels.size > MAX_ENUM_LABELS) return field
      const metadata = new Map(field.metadata).set(ENUM_KEY, enumValues(labels))
      return new Field(field.name, field.type, field.nullable, metadata)
    })
    return new Schema(fields, schema.metadata)
  }
}

/** Returns the labels, each after its length in bytes: `3;red4;blue`. */
function enumValues(labels: Iterable<string>): string {
  return Array.from(labels, (label) => `${Buffer.byteLength(label)};${label}`).join('')
}
