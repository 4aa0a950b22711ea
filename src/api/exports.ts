/** Batch activity exports: creates one, fetches its status, waits until it is done. */

import { ApiError, isExportError, OptionError, quoted, shortened } from '../errors.ts'
import { type OptionNames, requireTexts } from '../option-values.ts'
import { option, worded } from '../wording.ts'
import { pathSegment } from './endpoint.ts'
import { OPERATION_OPTION_NAMES, type Operation, type OperationOptions } from './operation.ts'
import { idMember, isObject, textMember } from './response.ts'
import { backoffMs } from './retry.ts'
import type { Session } from './session.ts'

export interface CreateExportOptions extends OperationOptions {
  /** Only these fields (GUIDs). Default: all. */
  fieldIds?: readonly string[] | undefined
  /** Only records last updated at or after this time: a Date or ISO 8601 text; without a zone it is UTC. */
  sinceDatetime?: string | Date | undefined
  /** Only records last updated before this time. */
  untilDatetime?: string | Date | undefined
}

export interface CreatedExport {
  readonly batchId: string
  /** The API's whole answer. */
  readonly raw: Readonly<Record<string, unknown>>
}

/** The API's status in lower case. Any status other than these four is `unknown`, and waiting continues. */
export type ExportState = 'pending' | 'executing' | 'succeeded' | 'failed' | 'unknown'

export interface ExportStatus {
  readonly batchId: string
  readonly state: ExportState
  /** The API's status as it was sent. */
  readonly status: string
  readonly datasetId: string | undefined
  /** The API's message, however its key is spelled. */
  readonly message: string | undefined
  readonly errorId: string | undefined
  /** `data`: address of the file, once the export has succeeded. */
  readonly fileUrl: string | undefined
  /** The API's whole answer. */
  readonly raw: Readonly<Record<string, unknown>>
}

/** Result of the last status request. */
export interface WaitProgress extends ExportStatus {
  /** Milliseconds since the wait began. */
  readonly elapsedMs: number
}

export interface WaitForExportOptions extends OperationOptions {
  /** Called after each status request. */
  onProgress?: ((progress: WaitProgress) => void) | undefined
  /** First pause between two status requests, in milliseconds; each is 1.5 times the last. Default 1 s. */
  pollMs?: number | undefined
  /** Longest pause between two status requests, in milliseconds. Default 15 s. */
  maxPollMs?: number | undefined
}

export const CREATE_OPTION_NAMES: OptionNames<CreateExportOptions> = {
  ...OPERATION_OPTION_NAMES,
  fieldIds: true,
  sinceDatetime: true,
  untilDatetime: true,
}

export const WAIT_OPTION_NAMES: OptionNames<WaitForExportOptions> = {
  ...OPERATION_OPTION_NAMES,
  onProgress: true,
  pollMs: true,
  maxPollMs: true,
}

/** An export that takes longer is considered stuck, unless `deadlineMs` says otherwise. */
export const DEFAULT_WAIT_DEADLINE_MS = 2 * 60 * 60 * 1000

/** Time until all servers behind one address know a new export. */
const UNKNOWN_AT_FIRST_MS = 10_000

const KNOWN_STATES: ReadonlySet<string> = new Set(['pending', 'executing', 'succeeded', 'failed'])

/**
 * Requests a new export. Throws ERR_API_STATUS, or a network error; does not repeat a request that may have taken
 * effect.
 */
export async function createExport(
  session: Session,
  operation: Operation,
  activityId: string,
  options: CreateExportOptions,
): Promise<CreatedExport> {
  const activity = pathSegment('an activity id', activityId)
  const url = session.endpoint.resource('v2', `data/activities/${activity}/responses/batch`)
  const raw = await session.json(operation, { method: 'POST', url, body: creationBody(options) })
  const batchId = idMember(raw, 'batchid', 'id')
  if (batchId === undefined) {
    throw new ApiError('ERR_API_RESPONSE', 'expected the id of the new export in the answer, found none')
  }
  return { batchId, raw }
}

/** Fetches the status of an export once. */
export async function exportStatus(session: Session, operation: Operation, batchId: string): Promise<ExportStatus> {
  const batch = pathSegment('a batch id', batchId)
  const url = session.endpoint.resource('v2', `data/activities/responses/batch/${batch}`)
  return statusOf(batchId.trim(), await session.json(operation, { method: 'GET', url }), session)
}

/**
 * Polls until the export has succeeded. An export that was just created (`isNew`) may be unknown (404) for a few
 * seconds. Throws ERR_API_EXPORT_FAILED with the API's message, or ERR_API_TIMEOUT at the deadline.
 */
export async function waitForExport(
  session: Session,
  operation: Operation,
  batchId: string,
  options: WaitForExportOptions & { readonly isNew: boolean },
): Promise<ExportStatus> {
  const { pollMs = 1000, maxPollMs = 15_000 } = options
  let isUnknown = options.isNew
  for (let looks = 1; ; looks++) {
    const status = await exportStatus(session, operation, batchId).catch((error: unknown) => {
      if (isUnknown && isNotFound(error) && operation.elapsedMs < UNKNOWN_AT_FIRST_MS) return undefined
      throw error
    })
    if (status !== undefined) {
      isUnknown = false
      options.onProgress?.({ ...status, elapsedMs: operation.elapsedMs })
      if (status.state === 'succeeded') return status
      if (status.state === 'failed') throw failedExport(status)
    }
    const detail = status === undefined ? '; it is not known yet' : `; the last status was ${quoted(status.status)}`
    operation.check(detail)
    const pause = backoffMs(1, Math.min(pollMs * 1.5 ** (looks - 1), maxPollMs), maxPollMs, session.clock)
    await operation.pause(Math.min(pause, operation.remainingMs), detail)
  }
}

/** Returns the URL of a finished export's file. Throws if the export has failed or is not finished. */
export function fileUrlOf(status: ExportStatus, session: Session): URL {
  if (status.state === 'failed') throw failedExport(status)
  if (status.state !== 'succeeded') {
    const advice = 'wait for it first'
    throw new ApiError('ERR_API_RESPONSE', `the export is not ready, its status is ${quoted(status.status)}; ${advice}`)
  }
  if (status.fileUrl === undefined) {
    throw new ApiError('ERR_API_RESPONSE', 'expected the address of the file in the status (data), found none')
  }
  const files = session.endpoint.resource('v2', 'data/activities/responses/files/')
  return session.endpoint.link(status.fileUrl, files, 'the address of the file')
}

function isNotFound(error: unknown): boolean {
  return isExportError(error, 'ERR_API_STATUS') && (error as ApiError).status === 404
}

function creationBody(options: CreateExportOptions): Record<string, unknown> {
  const { fieldIds } = options
  requireTexts('fieldIds', fieldIds)
  if (fieldIds !== undefined && (fieldIds.length === 0 || fieldIds.some((id) => id.trim() === ''))) {
    throw new OptionError(
      'ERR_OPTION',
      'expected at least one field id and none empty; leave them out to get all fields',
    )
  }
  const since = utcText('sinceDatetime', options.sinceDatetime)
  const until = utcText('untilDatetime', options.untilDatetime)
  if (since !== undefined && until !== undefined && Date.parse(since) >= Date.parse(until)) {
    throw new OptionError(
      'ERR_OPTION',
      worded`expected ${option('sinceDatetime')} before ${option('untilDatetime')}, found ${since} and ${until}`,
    )
  }
  return {
    ...(fieldIds === undefined ? {} : { fieldIds: fieldIds.map((id) => id.trim()) }),
    ...(since === undefined ? {} : { sinceDatetime: since }),
    ...(until === undefined ? {} : { untilDatetime: until }),
  }
}

const ISO_DATETIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/i

/**
 * Returns a time as `2024-12-01T12:00:00Z`, the form in the vendor's documentation; with milliseconds only if there are
 * any.
 */
function utcText(name: string, value: string | Date | undefined): string | undefined {
  if (value === undefined) return undefined
  const dateMs = value instanceof Date ? value.getTime() : utcMs(value.trim())
  if (Number.isNaN(dateMs)) {
    const found = value instanceof Date ? 'an invalid Date' : quoted(value)
    throw new OptionError('ERR_OPTION', worded`expected an ISO 8601 date or time as ${option(name)}, found ${found}`)
  }
  return new Date(dateMs).toISOString().replace('.000Z', 'Z')
}

function utcMs(text: string): number {
  const match = ISO_DATETIME.exec(text)
  if (match === null) return Number.NaN
  const iso = text.toUpperCase().replace(' ', 'T')
  const dateMs = Date.parse(match[1] === undefined && iso.includes('T') ? `${iso}Z` : iso)
  // Date.parse reads 31 February as 3 March.
  const day = Number(text.slice(8, 10))
  const lastDay = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate()
  return day > lastDay ? Number.NaN : dateMs
}

function statusOf(batchId: string, raw: Record<string, unknown>, session: Session): ExportStatus {
  const status = textMember(raw, 'status') ?? ''
  const word = status.toLowerCase()
  const message = textMember(raw, 'message', 'errormessage')
  return {
    batchId,
    state: KNOWN_STATES.has(word) ? (word as ExportState) : 'unknown',
    status,
    datasetId: idMember(raw, 'datasetid'),
    message: message === undefined ? undefined : session.redactor.text(message),
    errorId: idMember(raw, 'errorid'),
    fileUrl: textMember(raw, 'data') ?? (isObject(raw.data) ? textMember(raw.data, 'url', 'href') : undefined),
    raw,
  }
}

function failedExport(status: ExportStatus): ApiError {
  const said = status.message === undefined ? 'the API gives no reason' : shortened(status.message, 500)
  const support = status.errorId === undefined ? '' : ` [errorId ${status.errorId}]`
  return new ApiError('ERR_API_EXPORT_FAILED', `the export failed: ${said}${support}`, { errorId: status.errorId })
}
