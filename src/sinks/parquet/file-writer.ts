/** Writes row groups to a Parquet file, and the footer that describes them. */

import { Schema } from 'apache-arrow'
import { ExportError } from '../../errors.ts'
import { ARROW_SCHEMA_KEY, arrowSchemaValue } from './arrow-schema.ts'
import { encodeFooter, encodeRowGroup, MAGIC, type SchemaElement } from './format.ts'
import { ColumnLabels } from './polars-enum.ts'
import type { EncodedRowGroup } from './row-group.ts'
import { schemaTree } from './schema-tree.ts'

/** Takes the file's bytes in order; their memory may be reused once the promise is settled. */
export interface ParquetOutput {
  write(bytes: Uint8Array[]): Promise<void>
}

export interface ParquetEnding {
  /** Labels of dictionary columns by column name, for files in which no row group has them. */
  labels?: ReadonlyMap<string, readonly string[]>
  /** Added to the metadata of the Arrow schema. */
  schemaMetadata?: ReadonlyMap<string, string>
}

/** Returns the text of `created_by` in the form that readers parse: `alida-arrow version 0.1.0 (build unknown)`. */
export function createdByText(version: string): string {
  return `alida-arrow version ${version} (build unknown)`
}

/**
 * Writes a file: call `addRowGroup` for each row group in order, then `finish` once. A file without row groups has
 * typed columns and no rows.
 */
export class ParquetFileWriter {
  readonly #schema: Schema
  readonly #elements: readonly SchemaElement[]
  readonly #output: ParquetOutput
  readonly #createdBy: string
  readonly #rowGroups: Uint8Array[] = []
  readonly #labels = new ColumnLabels()
  #byteCount = 0
  #rowCount = 0
  #isFinished = false

  /** @throws ExportError `ERR_PARQUET` for a schema that Parquet cannot hold. */
  constructor(schema: Schema, output: ParquetOutput, createdBy: string) {
    this.#schema = schema
    this.#elements = schemaTree(schema).elements
    this.#output = output
    this.#createdBy = createdBy
  }

  /** Rows of all groups so far. */
  get rowCount(): number {
    return this.#rowCount
  }

  async addRowGroup(group: EncodedRowGroup): Promise<void> {
    this.#checkOpen()
    const start = this.#byteCount === 0 ? [MAGIC] : []
    const byteOffset = this.#byteCount + (start[0]?.length ?? 0)
    this.#rowGroups.push(encodeRowGroup(group, byteOffset))
    this.#rowCount += group.rowCount
    this.#labels.add(group.labels)
    await this.#write([...start, group.bytes])
  }

  /** Writes the footer. `keyValueMetadata` keeps its order; the Arrow schema is added as the last entry. */
  async finish(
    keyValueMetadata: ReadonlyMap<string, string> = new Map(),
    { labels, schemaMetadata = new Map() }: ParquetEnding = {},
  ): Promise<void> {
    this.#checkOpen()
    if (labels !== undefined) this.#labels.add(labels)
    const { fields, metadata } = this.#labels.describe(this.#schema)
    const schema = new Schema(fields, new Map([...metadata, ...schemaMetadata]))
    const footer = encodeFooter({
      elements: this.#elements,
      rowCount: this.#rowCount,
      rowGroups: this.#rowGroups,
      keyValueMetadata: [
        ...[...keyValueMetadata].filter(([key]) => key !== ARROW_SCHEMA_KEY),
        [ARROW_SCHEMA_KEY, arrowSchemaValue(schema)],
      ],
      createdBy: this.#createdBy,
    })
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, footer.length, true)
    await this.#write([...(this.#byteCount === 0 ? [MAGIC] : []), footer, length, MAGIC])
    this.#isFinished = true
  }

  async #write(parts: Uint8Array[]): Promise<void> {
    for (const part of parts) this.#byteCount += part.length
    await this.#output.write(parts)
  }

  #checkOpen(): void {
    if (this.#isFinished) throw new ExportError('ERR_PARQUET', 'expected a file that is not finished yet')
  }
}
