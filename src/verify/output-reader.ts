/** Reads output files as batches of plain cells. */

import type { Schema } from 'apache-arrow'
import { OutputError } from '../errors.ts'
import { openOutputFile } from '../read-back/output-file.ts'
import type { OutputFormat } from '../read-back/output-format.ts'
import { type BatchCells, CellDecoder } from './arrow-cells.ts'

export interface OutputReader {
  readonly format: OutputFormat
  readonly schema: Schema
  /** Metadata of the whole file, from each place where the format keeps it. */
  readonly metadata: readonly ReadonlyMap<string, string>[]
  /**
   * Whether each batch has its column's whole dictionary in the original order. Other writers of Parquet preserve
   * neither.
   */
  readonly keepsDictionaries: boolean
  /** Yields the batches. Can be iterated once. */
  batches(): AsyncGenerator<BatchCells>
  close(): Promise<void>
}

/**
 * Opens an output file. Its format is recognised by its content, not its name.
 * @throws OutputError `ERR_OUTPUT` when it is missing, has another format, or is damaged.
 */
export async function openOutput(path: string): Promise<OutputReader> {
  const file = await openOutputFile(path, (problem, cause) => new OutputError('ERR_OUTPUT', problem, { cause }))
  const { format, schema, metadata } = file
  return {
    format,
    schema,
    metadata,
    keepsDictionaries: format !== 'parquet',
    batches() {
      const decoder = new CellDecoder()
      return file.batches((batch) => decoder.batch(batch))
    },
    close: () => file.close(),
  }
}
