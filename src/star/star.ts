/**
 * The star layout: a folder of Parquet files that join by id. `answers` has one row per record, question and chosen
 * option; `responses` one per record; `fields`, `options` and `groups` describe the ids.
 */

import { join } from 'node:path'
import type { RecordBatch } from 'apache-arrow'
import { Tally } from '../codebook/tally.ts'
import type { ExportSource } from '../input/source.ts'
import { type OptionNames, requireFunction, requireKnownOptions } from '../option-values.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import { ProgressReports } from '../progress-reports.ts'
import { type ExportReader, openReader, type ReadProgress, type ReadSummary } from '../reader.ts'
import { type LongColumn, LongShape } from '../shape/long.ts'
import { tableMetadata } from '../shape/metadata.ts'
import { requireOneForm, resolveShape } from '../shape/options.ts'
import { READ_OPTION_NAMES, type ReadOptions } from '../shape/read-options.ts'
import { BaseBatch } from '../shape/recipe.ts'
import { closeAfter } from '../sinks/batch-reader.ts'
import { type Output, openOutput } from '../sinks/output.ts'
import { requireWritableFolder, writeFolder } from '../sinks/output-folder.ts'
import { type Compression, type Encodings, ParquetSink, requireParquetOptions, writeParquet } from '../sinks/parquet.ts'
import { type RejectsFile, withRejects } from '../sinks/rejects-file.ts'
import { requireRejects } from '../sinks/rejects-path.ts'
import { Wording } from '../wording.ts'
import { fieldsTable, groupsTable, optionsTable } from './dimensions.ts'
import { Responses } from './responses.ts'

export interface StarOptions extends Omit<ReadOptions, 'layout'> {
  /** Path of a file, outside the folder, for values that were left out, as in `convertExport`. */
  rejects?: string | URL | undefined
  /** Default: `snappy`. */
  compression?: Compression | undefined
  /** Default: `delta`; `plain` for readers that support nothing else. */
  encodings?: Encodings | undefined
  /** Called as in `convertExport`. */
  onProgress?: ((progress: ReadProgress) => void) | undefined
}

const { layout: _, ...READ_NAMES } = READ_OPTION_NAMES

const STAR_OPTION_NAMES: OptionNames<StarOptions> = {
  ...READ_NAMES,
  rejects: true,
  compression: true,
  encodings: true,
  onProgress: true,
}

export interface StarResult {
  readonly columns: readonly ColumnPlan[]
  readonly documentBytes: number
  readonly outputBytes: number
  readonly summary: ReadSummary
}

const FILES = {
  responses: 'responses.parquet',
  answers: 'answers.parquet',
  fields: 'fields.parquet',
  options: 'options.parquet',
  groups: 'groups.parquet',
} as const

const ANSWER_COLUMNS: readonly LongColumn[] = [
  'record',
  'field_id',
  'state',
  'option_id',
  'value_double',
  'value_datetime',
  'value_string',
  'position',
]

/** Small batches, because each record becomes many rows. */
const BATCH_ROWS = 16_384

/**
 * Converts an export to a folder of Parquet files, which appears once it is complete.
 * @throws what `readExport` and `writeParquet` throw; OutputError when something else exists at the path.
 */
export async function writeStar(source: ExportSource, folder: string, options: StarOptions = {}): Promise<StarResult> {
  requireKnownOptions(options, STAR_OPTION_NAMES)
  requireFunction('onProgress', options.onProgress)
  requireOneForm(resolveShape(options), new Wording(['the star layout']))
  requireParquetOptions(options)
  requireRejects(options, { export: source, output: folder })
  return withRejects(options.rejects, (rejects) =>
    writeFolder(
      folder,
      Object.values(FILES),
      (temporary) => writeTables(source, temporary, options, rejects),
      options.signal,
    ),
  )
}

async function writeTables(
  source: ExportSource,
  folder: string,
  options: StarOptions,
  rejects: RejectsFile | undefined,
): Promise<StarResult> {
  const reader = await openReader(source, { batchSize: BATCH_ROWS, ...options }, { rejects })
  const reports = new ProgressReports(options.onProgress)
  try {
    const { tally, bytes } = await closeAfter(reader, async () => {
      reports.watch(() => reader.progress)
      return writeRecords(reader, folder, options)
    })
    const dimensionBytes = await writeDimensions(reader, tally, folder, options)
    reports.finish()
    await rejects?.finish()
    const { columns, summary, progress } = reader
    return { columns, summary, documentBytes: progress.documentBytes, outputBytes: bytes + dimensionBytes }
  } finally {
    reports.stop()
  }
}

/**
 * Checks the path before any record is read.
 * @throws OutputError `ERR_OUTPUT`.
 */
export function requireStarFolder(folder: string): void {
  requireWritableFolder(folder, Object.values(FILES))
}

/** Reads all records; writes each batch to both `answers` and `responses`. */
async function writeRecords(
  reader: ExportReader,
  folder: string,
  options: StarOptions,
): Promise<{ tally: Tally; bytes: number }> {
  const tally = new Tally(reader.schema)
  const long = answersShape(reader, options)
  const responses = new Responses(reader.schema)
  const outputs: Output[] = []
  try {
    outputs.push(await openOutput(join(folder, FILES.answers)), await openOutput(join(folder, FILES.responses)))
    const answerFile = new RowGroups(new ParquetSink(long.schema, outputs[0]!, options))
    const responseFile = new RowGroups(new ParquetSink(responses.schema, outputs[1]!, options))
    let records = 0
    for await (const batch of reader) {
      tally.add(batch)
      for (const rows of long.apply(batch, records)) await answerFile.add(rows)
      await responseFile.add(responses.batchOf(new BaseBatch(batch), records))
      records += batch.numRows
    }
    await answerFile.finish(reader.finalMetadata, () => emptyAnswers(reader, long))
    await responseFile.finish()
    for (const output of outputs) await output.commit()
  } catch (error) {
    for (const output of outputs) await output.discard()
    throw error
  }
  return { tally, bytes: outputs.reduce((bytes, output) => bytes + output.bytesWritten, 0) }
}

async function writeDimensions(
  reader: ExportReader,
  tally: Tally,
  folder: string,
  { compression, encodings }: StarOptions,
): Promise<number> {
  const questions = tally.questions()
  const plans = reader.columns.filter((plan) => plan.field !== undefined)
  const tables = {
    [FILES.fields]: fieldsTable(
      questions,
      plans.map((plan) => plan.group),
      reader.columns.some((plan) => plan.source === 'invalid'),
    ),
    [FILES.options]: optionsTable(questions),
    [FILES.groups]: groupsTable(plans),
  }
  let bytes = 0
  for (const [name, table] of Object.entries(tables))
    bytes += (await writeParquet(table, join(folder, name), { compression, encodings })).outputBytes
  return bytes
}

/** Returns the shape of `answers`. The reader has already applied hashes and time zones, but no other shaping. */
function answersShape(reader: ExportReader, options: StarOptions): LongShape {
  const shape = resolveShape({ ...options, layout: 'long', hashOwner: false, keepUnknown: false })
  const metadata = tableMetadata(reader.schema.metadata, reader.columns, shape)
  const plans = reader.columns.map((plan): ColumnPlan => {
    if (plan.isHashed !== true) return plan
    const { isHashed: _, ...shown } = plan
    return { ...shown, type: 'utf8', labels: [] }
  })
  return new LongShape(plans, metadata, shape, ANSWER_COLUMNS)
}

function emptyAnswers(reader: ExportReader, long: LongShape): RecordBatch | undefined {
  const decoded = reader.emptyBatch()
  if (decoded === undefined) return undefined
  const [batch] = long.apply(decoded, 0)
  return batch
}

const ROW_GROUP_ROWS = 131_072

/** Collects batches until they are large enough for a row group. */
class RowGroups {
  readonly #sink: ParquetSink
  #batches: RecordBatch[] = []
  #rows = 0

  constructor(sink: ParquetSink) {
    this.#sink = sink
  }

  async add(batch: RecordBatch): Promise<void> {
    if (this.#rows > 0 && this.#rows + batch.numRows > ROW_GROUP_ROWS) await this.#flush()
    this.#batches.push(batch)
    this.#rows += batch.numRows
  }

  async finish(finalMetadata?: ReadonlyMap<string, string>, emptyBatch?: () => RecordBatch | undefined): Promise<void> {
    await this.#flush()
    await this.#sink.finish(finalMetadata, emptyBatch)
  }

  async #flush(): Promise<void> {
    if (this.#rows > 0) await this.#sink.write(this.#batches)
    this.#batches = []
    this.#rows = 0
  }
}
