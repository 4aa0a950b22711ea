/**
 * A second reader of exports, based on stream-json. It shares no decoding with the main one, so that agreement of the
 * two is evidence. Slower and as simple as possible; memory holds one record and one piece of the input.
 */

import type { Schema } from 'apache-arrow'
import { type Definition, definitionFromJson, type ExportHeader, headerFromJson } from '../definition.ts'
import type { InputLimits } from '../limits.ts'
import type { ColumnPlan, InvalidCounts } from '../plan/schema.ts'
import type { ShapeOptions } from '../shape/options.ts'
import { invalidCounts, planTable } from '../shape/table-plan.ts'
import { type Warning, WarningLog } from '../warnings.ts'
import type { Cell } from './answer-values.ts'
import { DocumentWalker } from './document-walker.ts'
import { decompress } from './gunzip.ts'
import { type JsonNode, plainValue } from './json-tree.ts'
import { type AnswerTally, RecordReader, type ReferenceReject } from './record-reader.ts'
import { tokenStream } from './token-stream.ts'

/** The options of `readExport` that change the table or refuse input. */
export type ReferenceOptions = ShapeOptions & InputLimits

/** Opens an export that can be read more than once, such as a file; gzip is recognised. */
export type ReopenableSource = () => AsyncIterable<Uint8Array>

export interface ReferenceRow {
  /** 1-based number of the record. */
  readonly record: number
  /** One per column. */
  readonly cells: readonly Cell[]
  /** Values that were left out, in the order of the document. */
  readonly rejects: readonly ReferenceReject[]
}

/** A question's column, and counts of how it was answered. */
export interface ReferenceQuestion extends AnswerTally {
  readonly column: ColumnPlan
}

/**
 * Reads an export up to its definition, wherever that is.
 * @throws JsonSyntaxError, DefinitionError or OptionError, as `readExport` does, but without byte offsets.
 */
export async function openReference(open: ReopenableSource, options: ReferenceOptions = {}): Promise<ReferenceReader> {
  const walker = new DocumentWalker(options)
  await walkToDefinition(walker, decompress(open(), options))
  const warnings = new WarningLog()
  const members = new Map([...walker.members].map(([key, node]) => [key, plainValue(node)]))
  const definition = definitionFromJson(members.get('definition'), warnings, options)
  const header = headerFromJson(members)
  const { columns, shape } = await planTable(definition, header, options, warnings)
  const { schema } = shape
  return new ReferenceReader(open, { definition, header, columns, schema }, options, warnings)
}

async function walkToDefinition(walker: DocumentWalker, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const { tokens, byteLength } of tokenStream(chunks, false)) {
    for (const token of tokens) {
      walker.push(token)
      if (walker.hasRecords && walker.members.has('definition')) return
    }
    walker.finishPiece(byteLength)
  }
  walker.finish()
}

interface TablePlan {
  readonly definition: Definition
  readonly header: ExportHeader
  readonly columns: readonly ColumnPlan[]
  readonly schema: Schema
}

export class ReferenceReader implements TablePlan {
  readonly definition: Definition
  readonly header: ExportHeader
  readonly columns: readonly ColumnPlan[]
  /** The Arrow schema that an output must have. */
  readonly schema: Schema
  readonly #open: ReopenableSource
  readonly #limits: InputLimits
  readonly #warnings: WarningLog
  readonly #records: RecordReader

  constructor(open: ReopenableSource, plan: TablePlan, limits: InputLimits, warnings: WarningLog) {
    this.#open = open
    this.#limits = limits
    this.definition = plan.definition
    this.header = plan.header
    this.columns = plan.columns
    this.schema = plan.schema
    this.#warnings = warnings
    this.#records = new RecordReader(plan.columns, plan.definition, warnings)
  }

  /** Yields the rows in order; can be iterated once. Also checks the document after the last record. */
  async *rows(): AsyncGenerator<ReferenceRow> {
    const records: JsonNode[] = []
    let count = 0
    const walker = new DocumentWalker(this.#limits, (record) => records.push(record))
    const needsSources = this.columns.some(({ type, source }) => {
      return type === 'json' || source === 'extra' || source === 'invalid'
    })
    const document = decompress(this.#open(), this.#limits)
    for await (const { tokens, byteLength } of tokenStream(document, needsSources)) {
      for (const token of tokens) {
        walker.push(token)
        const record = records.pop()
        if (record === undefined) continue
        const cells = this.#records.read(record, ++count)
        yield { record: count, cells, rejects: this.#records.rejects }
      }
      walker.finishPiece(byteLength)
    }
    walker.finish()
  }

  /** Returns the dictionary of a column, in the order that an output must have. Complete after the last row. */
  labelsOf(column: number): readonly string[] {
    return this.#records.labelsOf(column)
  }

  /** Returns the id of the option with this label in a column. */
  optionIdOf(column: number, label: string): string {
    return this.#records.optionIdOf(column, label)
  }

  /** Complete after the last row. */
  get questions(): ReferenceQuestion[] {
    return this.columns.flatMap((column, i) => {
      const tally = this.#records.tallies[i]
      return tally === undefined ? [] : [{ column, ...tally }]
    })
  }

  /** Number of values left out, as the output must record it; complete after the last row. */
  get invalidCounts(): InvalidCounts {
    return invalidCounts(this.#warnings)
  }

  /** Complete after the last row. */
  get warnings(): readonly Warning[] {
    return this.#warnings.list()
  }
}
