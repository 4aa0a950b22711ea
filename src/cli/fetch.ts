/**
 * `alida-arrow fetch`: requests an export from the API, waits for it, and converts it to one file while it downloads.
 */

import { resolve } from 'node:path'
import type { DownloadProgress, ExportClient, ExportStatus } from '../api/client.ts'
import { formatOf } from '../convert/options.ts'
import { ApiError, isExportError, OptionError } from '../errors.ts'
import type { ReadProgress } from '../reader.ts'
import { requireWritable } from '../sinks/output.ts'
import { requireRejects } from '../sinks/rejects-path.ts'
import { withApiClient } from './api-connection.ts'
import type { ApiOptions } from './api-settings.ts'
import { type ConvertCommandOptions, type ConvertReport, convertSource, printReport, requireFolder } from './convert.ts'
import { duration } from './figures.ts'
import { aboutInput } from './input-failure.ts'
import { showWaiting } from './progress.ts'
import { SavedDocument } from './saved-document.ts'
import { STANDARD_STREAM, targetOf } from './standard-stream.ts'

/** Options for the export itself, apart from those of the API and of the output. */
export interface FetchOptions {
  batch?: string | undefined
  activity?: string | undefined
  since?: string | undefined
  until?: string | undefined
  saveJson?: string | undefined
  /** Maximum bytes of the document. */
  maxBytes?: number | undefined
  /** Maximum time for everything, in milliseconds. */
  timeout?: number | undefined
}

interface FetchReport extends ConvertReport {
  readonly batchId: string
  readonly waitedMilliseconds: number
}

/** Limits that apply to every step. */
interface Limits {
  readonly signal: AbortSignal
  /** Remaining time for everything, in milliseconds; undefined without a limit. */
  remainingMs(): number | undefined
}

export async function fetchExport(
  api: ApiOptions,
  options: FetchOptions,
  output: ConvertCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  requireOneExport(options)
  requireRejects(output, { output: output.output, 'saved document': options.saveJson })
  await requirePaths(output, options.saveJson)
  const isQuiet = output.quiet === true
  const report = await withApiClient(api, isQuiet, async (client): Promise<FetchReport> => {
    const limits = limitsOf(options, signal)
    const started = performance.now()
    const status = await readyExport(client, options, output, limits)
    const waitedMilliseconds = performance.now() - started
    const name = `export ${status.batchId}`
    const converted = await aboutInput(name, () => convertDownload(client, status, options, output, limits))
    return { ...converted, batchId: status.batchId, waitedMilliseconds }
  })
  printReport(report, output)
  if (!isQuiet && output.json !== true) {
    process.stderr.write(`  export    ${report.batchId}, ready after ${duration(report.waitedMilliseconds)}\n`)
  }
}

function requireOneExport({ batch, activity, since, until }: FetchOptions): void {
  if ((batch === undefined) === (activity === undefined)) {
    const found = batch === undefined ? 'neither' : 'both'
    throw new OptionError(
      'ERR_OPTION',
      `expected --batch (an export that was asked for before) or --activity (a new export), found ${found}`,
    )
  }
  if (batch !== undefined && (since !== undefined || until !== undefined)) {
    throw new OptionError('ERR_OPTION', '--since and --until belong to a new export (--activity), not to --batch')
  }
}

/** Checks the paths before anything is requested from the API. */
async function requirePaths(output: ConvertCommandOptions, saveJson: string | undefined): Promise<void> {
  const isStream = output.output === STANDARD_STREAM
  const target = targetOf(output.output)
  if (output.format === undefined && output.layout !== 'star') formatOf(target)
  if (saveJson === STANDARD_STREAM) throw new OptionError('ERR_OPTION', 'expected a file for --save-json, found -')
  if (saveJson !== undefined && !isStream && resolve(saveJson) === resolve(output.output)) {
    throw new OptionError('ERR_OPTION', `--output and --save-json name the same file: ${saveJson}`)
  }
  if (output.layout === 'star') requireFolder(output.output, output.format)
  if (output.layout === 'star') (await import('../star/star.ts')).requireStarFolder(output.output)
  else await requireWritable(target)
  if (saveJson !== undefined) await requireWritable(saveJson)
  if (output.rejects !== undefined) await requireWritable(output.rejects)
}

function limitsOf({ timeout }: FetchOptions, signal: AbortSignal): Limits {
  const started = performance.now()
  const remainingMs = () => (timeout === undefined ? undefined : Math.max(0, timeout - (performance.now() - started)))
  return { signal, remainingMs }
}

/** Requests the export if it is a new one, and waits until its file is available. */
async function readyExport(
  client: ExportClient,
  options: FetchOptions,
  output: ConvertCommandOptions,
  { signal, remainingMs }: Limits,
): Promise<ExportStatus> {
  let words = 'asking for the export'
  const line = await showWaiting(output.quiet !== true && output.json !== true, () => words)
  try {
    const batchId = options.batch ?? (await newExport(client, options, output.fields, { signal, remainingMs }))
    words = `export ${batchId}`
    return await client.waitForExport(batchId, {
      signal,
      deadlineMs: remainingMs(),
      onProgress: ({ state }) => {
        words = `export ${batchId}: ${state}`
      },
    })
  } finally {
    line.stop()
  }
}

async function newExport(
  client: ExportClient,
  options: FetchOptions,
  fields: readonly string[] | undefined,
  { signal, remainingMs }: Limits,
): Promise<string> {
  const { batchId } = await client.createExport(options.activity ?? '', {
    fieldIds: fieldIdsOf(fields),
    sinceDatetime: options.since,
    untilDatetime: options.until,
    signal,
    deadlineMs: remainingMs(),
  })
  return batchId
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Returns the ids to request. The API accepts only ids: if there are names or patterns, all fields are requested and
 * the reader selects.
 */
function fieldIdsOf(fields: readonly string[] | undefined): string[] | undefined {
  const ids = fields?.flatMap((words) => words.split(',')).map((word) => word.trim())
  return ids?.every((id) => GUID.test(id)) ? ids : undefined
}

async function convertDownload(
  client: ExportClient,
  status: ExportStatus,
  options: FetchOptions,
  output: ConvertCommandOptions,
  { signal, remainingMs }: Limits,
): Promise<ConvertReport> {
  let progress: DownloadProgress | undefined
  const download = client.download(status, {
    signal,
    deadlineMs: remainingMs(),
    maxBytes: options.maxBytes,
    maxGzipRatio: output.maxGzipRatio,
    onProgress: (now) => {
      progress = now
    },
  })
  const known = (): Partial<ReadProgress> =>
    progress === undefined ? {} : { bytesRead: progress.receivedBytes, totalBytes: progress.totalBytes }
  const convertInto = (source: AsyncIterable<Uint8Array>) =>
    convertSource(source, `export ${status.batchId}`, output, signal, known, { expectsLongStream: true })
  if (options.saveJson === undefined) return convertInto(download)
  return keepingDocument(await SavedDocument.open(download, options.saveJson), options.saveJson, signal, convertInto)
}

/** Saves the document whenever it was received completely, even if it cannot be converted. */
async function keepingDocument(
  document: SavedDocument,
  path: string,
  signal: AbortSignal,
  convertInto: (source: AsyncIterable<Uint8Array>) => Promise<ConvertReport>,
): Promise<ConvertReport> {
  try {
    const report = await convertInto(document)
    await document.commit()
    return report
  } catch (error) {
    if (signal.aborted || !isExportError(error) || error instanceof ApiError) {
      await document.discard()
      throw error
    }
    try {
      await document.drain()
      await document.commit()
    } catch {
      await document.discard()
      throw error
    }
    process.stderr.write(`alida-arrow: the download was kept as ${path}\n`)
    throw error
  }
}
