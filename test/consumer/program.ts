/** A program that uses the published types: it must compile as it stands, and what is internal must not be there. */

import {
  type AnswerCounts,
  type ConnectionOptions,
  type ConvertOptions,
  type ConvertResult,
  convertExport,
  type Difference,
  type EndpointOptions,
  ExportClient,
  type ExportReader,
  type InputLimits,
  type NameMode,
  type PrivacyOptions,
  type ReadOptions,
  type ReadProgress,
  readCodebook,
  readExport,
  type SelectionOptions,
  type VerifyOptions,
  type VerifyReport,
  verifyExport,
  type WaitProgress,
  type WriteResult,
  writeCodebook,
  writeIpc,
  writeParquet,
  writeStar,
} from 'alida-arrow'
import type { RecordBatch, Schema } from 'apache-arrow'

const limits: InputLimits = { maxNesting: 100 }
const names: NameMode = 'snake'
const selection: SelectionOptions = { fields: ['Q*'], hidden: false }
const privacy: PrivacyOptions = { sensitive: 'drop', hashOwner: true }
const endpoint: EndpointOptions = { region: 'na1', community: 'panel_example' }
const connection: ConnectionOptions = { connectTimeoutMs: 1000 }

export async function read(signal: AbortSignal): Promise<number> {
  const options: ReadOptions = { ...limits, ...selection, ...privacy, names, signal }
  await using reader: ExportReader = await readExport('export.json', options)
  const schema: Schema = reader.schema
  let rows = schema.fields.length
  for await (const batch of reader) rows += (batch satisfies RecordBatch).numRows
  const counts: AnswerCounts | undefined = reader.summary.questions[0]
  return rows + (counts?.answered ?? 0)
}

export async function write(): Promise<number> {
  const { signal } = new AbortController()
  const onProgress = ({ records, documentBytes }: ReadProgress): void => console.log(records, documentBytes)
  const options: ConvertOptions = { onProgress, threads: 2, format: 'parquet', signal }
  const results: (WriteResult | ConvertResult)[] = [
    await writeParquet(await readExport('export.json'), 'out.parquet', { compression: 'zstd', signal }),
    await writeIpc(await readExport('export.json'), process.stdout, { format: 'arrows', signal }),
    await writeCodebook(await readCodebook('export.json'), new URL('file:///tmp/codebook.csv')),
    await writeStar('export.json', 'folder', { onProgress }),
    await convertExport('export.json', 'out.parquet', options),
  ]
  return results.reduce((sum, { outputBytes }) => sum + outputBytes, 0)
}

export async function check(): Promise<readonly Difference[]> {
  const options: VerifyOptions = { fields: ['Q*'], maxDifferences: 5, rejects: 'rejects.jsonl' }
  const report: VerifyReport = await verifyExport('export.json', 'out.parquet', options)
  return report.differences
}

export async function download(): Promise<void> {
  const retry = { maxDelayMs: 1000 }
  const client = new ExportClient({ ...endpoint, ...connection, token: 'token', retry })
  const onProgress = ({ state, elapsedMs }: WaitProgress): void => console.log(state, elapsedMs)
  const status = await client.waitForExport('batch', { onProgress, maxPollMs: 5000 })
  for await (const bytes of client.download(status, { maxBytes: 1e9 })) console.log(bytes.length)
}

/** Each line is an error of the compiler. */
export async function misuse(reader: ExportReader): Promise<void> {
  // @ts-expect-error: tests alone have a third parameter
  await readExport('export.json', {}, { windowBytes: 64 })
  // @ts-expect-error: tests and the command alone have a fourth parameter
  await convertExport('export.json', 'out.parquet', {}, { minPoolBytes: 0 })
  // @ts-expect-error: it would overwrite memory that the caller holds
  reader.recycle()
  // @ts-expect-error: where a file is cut is the business of threads
  console.log(reader.pieces)
  // @ts-expect-error: a misspelt option
  await readExport('export.json', { feilds: [] })
  // @ts-expect-error: time is replaced in tests alone
  new ExportClient({ ...endpoint, token: 'token', clock: {} })
}
