/** The codebook of an export, or of a file made from one: what each question is, and how it was answered. */

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Schema } from 'apache-arrow'
import { SourceError } from '../errors.ts'
import type { ExportSource } from '../input/source.ts'
import { requireKnownOptions } from '../option-values.ts'
import { outputFormatOf } from '../read-back/output-format.ts'
import { openReader } from '../reader.ts'
import { READ_OPTION_NAMES, type ReadOptions } from '../shape/read-options.ts'
import { type BatchReader, closing } from '../sinks/batch-reader.ts'
import { type QuestionTally, Tally } from './tally.ts'

export interface Codebook {
  /** Records, or of a long table those up to the last one that has a row. */
  readonly records: number
  /** In the order of the columns. */
  readonly questions: readonly QuestionTally[]
}

/** Rows of a batch that is only counted: few, for the memory's sake. */
const BATCH_ROWS = 16_384

/**
 * Reads the codebook of an export, or of a Parquet or Arrow file (or star folder) that was made from one, which is told
 * by its first bytes.
 * @param options How an export is read: what columns are called, which questions are kept. A file says so itself.
 * @throws what `readExport` throws; SourceError `ERR_SOURCE` for a file that cannot be read or was not made here.
 */
export async function readCodebook(source: ExportSource, options: ReadOptions = {}): Promise<Codebook> {
  requireKnownOptions(options, READ_OPTION_NAMES)
  if (typeof source === 'string') {
    if (isFolder(source)) return readStarFolder(source)
    if ((await outputFormatOf(source)) !== undefined) return readTable(await openFile(source))
  }
  return readTable(await openReader(source, { batchSize: BATCH_ROWS, ...options }))
}

/** What keeps a path from being looked at is told by who opens it. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** A file that was written before. Its schema has all that the file says of itself. */
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
  return closing(reader, async () => {
    const tally = new Tally(reader.schema)
    for await (const batch of reader) tally.add(batch)
    return tally
  })
}

/** Records without an answer have no row among the answers, but one among the responses. */
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
  return closing(reader, async () => {
    let rows = 0
    for await (const batch of reader) rows += batch.numRows
    return rows
  })
}
