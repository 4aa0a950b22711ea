/** Reads the codebook of an export, or of a file made from one: what each question is, and how it was answered. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Schema } from 'apache-arrow'
import { SourceError } from '../errors.ts'
import type { ExportSource } from '../input/source.ts'
import { requireKnownOptions } from '../option-values.ts'
import { isFolder, outputFormatOf } from '../read-back/output-format.ts'
import { openReader } from '../reader.ts'
import { READ_OPTION_NAMES, type ReadOptions } from '../shape/read-options.ts'
import { type BatchReader, closeAfter } from '../sinks/batch-reader.ts'
import { type QuestionTally, Tally } from './tally.ts'

export interface Codebook {
  /** Number of records; of a long table, up to the last one that has a row. */
  readonly records: number
  /** In column order. */
  readonly questions: readonly QuestionTally[]
}

/** Batches are only counted, so they are small to save memory. */
const BATCH_ROWS = 16_384

/**
 * Reads the codebook of an export, or of a Parquet or Arrow file (or star folder) made from one, recognised by its
 * first bytes.
 * @param options How an export is read: column names, selected questions. Ignored for a file, which has this in its
 * metadata.
 * @throws what `readExport` throws; SourceError `ERR_SOURCE` for a file that cannot be read or was not made by this
 * package.
 */
export async function readCodebook(source: ExportSource, options: ReadOptions = {}): Promise<Codebook> {
  requireKnownOptions(options, READ_OPTION_NAMES)
  const path = source instanceof URL && source.protocol === 'file:' ? fileURLToPath(source) : source
  if (typeof path === 'string') {
    if (isFolder(path)) return readStarFolder(path)
    if ((await outputFormatOf(path)) !== undefined) return readTable(await openFile(path))
  }
  return readTable(await openReader(source, { batchSize: BATCH_ROWS, ...options }))
}

async function openFile(path: string): Promise<BatchReader> {
  const { openOutputFile } = await import('../read-back/output-file.ts')
  const file = await openOutputFile(path, (problem, cause) => new SourceError('ERR_SOURCE', problem, { cause }))
  const metadata = new Map(file.metadata.flatMap((place) => [...place]))
  return {
    schema: new Schema(file.schema.fields, metadata),
    [Symbol.asyncIterator]: () => file.batches((batch) => batch),
    close: () => file.close(),
  }
}

async function readTable(reader: BatchReader): Promise<Codebook> {
  const tally = await tallyBatches(reader)
  return { records: tally.records, questions: tally.questions() }
}

function tallyBatches(reader: BatchReader): Promise<Tally> {
  return closeAfter(reader, async () => {
    const tally = new Tally(reader.schema)
    for await (const batch of reader) tally.add(batch)
    return tally
  })
}

/** Reads the codebook of a star folder. Records without an answer have no row in `answers`, but one in `responses`. */
async function readStarFolder(folder: string): Promise<Codebook> {
  const [answers, responses] = [join(folder, 'answers.parquet'), join(folder, 'responses.parquet')]
  if (!existsSync(answers) || !existsSync(responses)) {
    throw new SourceError('ERR_SOURCE', `expected a file, or a folder of the star layout, found the folder ${folder}`)
  }
  const tally = await tallyBatches(await openFile(answers))
  const records = await countRows(await openFile(responses))
  return { records, questions: tally.questions(records) }
}

function countRows(reader: BatchReader): Promise<number> {
  return closeAfter(reader, async () => {
    let rows = 0
    for await (const batch of reader) rows += batch.numRows
    return rows
  })
}
