/** Client of Alida's batch export API, for one community. */

import { OptionError } from '../errors.ts'
import { releaseChunk } from '../input/reused-chunks.ts'
import { type OptionNames, requireKnownOptions } from '../option-values.ts'
import {
  ACTIVITIES_OPTION_NAMES,
  type ActivitiesOptions,
  type Activity,
  type ActivityPage,
  activityPage,
  allActivities,
} from './activities.ts'
import { type Clock, systemClock } from './clock.ts'
import { CONNECTION_OPTION_NAMES, Connection, type ConnectionOptions } from './connection.ts'
import { DOWNLOAD_OPTION_NAMES, type DownloadOptions, type DownloadProgress, documentBytes } from './download.ts'
import { ENDPOINT_OPTION_NAMES, Endpoint, type EndpointOptions } from './endpoint.ts'
import {
  CREATE_OPTION_NAMES,
  type CreatedExport,
  type CreateExportOptions,
  createExport,
  DEFAULT_WAIT_DEADLINE_MS,
  type ExportState,
  type ExportStatus,
  exportStatus,
  fileUrlOf,
  WAIT_OPTION_NAMES,
  type WaitForExportOptions,
  type WaitProgress,
  waitForExport,
} from './exports.ts'
import { OPERATION_OPTION_NAMES, type Operation, type OperationOptions } from './operation.ts'
import { Redactor } from './redaction.ts'
import { DEFAULT_RETRY, RETRY_OPTION_NAMES, type RetryPolicy } from './retry.ts'
import { Session } from './session.ts'
import { credentialText, GivenToken, RenewedToken, secretText, type TokenSource } from './token.ts'
import { basicAuthorization, type TokenRequestParts, tokenIssuer } from './token-request.ts'

export type {
  ActivitiesOptions,
  Activity,
  ActivityPage,
  ConnectionOptions,
  CreatedExport,
  CreateExportOptions,
  DownloadOptions,
  DownloadProgress,
  EndpointOptions,
  ExportState,
  ExportStatus,
  OperationOptions,
  RetryPolicy,
  WaitForExportOptions,
  WaitProgress,
}

export interface ExportClientOptions extends EndpointOptions, ConnectionOptions {
  /** A bearer token. Either this, or `clientId` and `clientSecret`. */
  token?: string | undefined
  clientId?: string | undefined
  clientSecret?: string | undefined
  /** Sent as `x-api-key`, to the API's own origin only. Most set-ups do not need it. */
  apiKey?: string | undefined
  /** How transient failures are retried. Default: 5 times, after 0.5 s, 1 s, 2 s … with jitter. */
  retry?: Partial<RetryPolicy> | undefined
  /**
   * Called with a message about something unusual but usable, such as an unfamiliar region. Default:
   * `process.emitWarning`.
   */
  onWarning?: ((message: string) => void) | undefined
  /**
   * Clock and randomness, replaced in tests.
   * @internal
   */
  clock?: Clock | undefined
}

const CLIENT_OPTION_NAMES: OptionNames<ExportClientOptions> = {
  ...ENDPOINT_OPTION_NAMES,
  ...CONNECTION_OPTION_NAMES,
  token: true,
  clientId: true,
  clientSecret: true,
  apiKey: true,
  retry: true,
  onWarning: true,
  clock: true,
}

/**
 * Creates, awaits and downloads batch exports. Secrets are sent to the API's own origin only and never appear in
 * errors, `toString`, inspection or JSON. All methods throw ApiError (ERR_API_…), AbortError when their `signal` fires,
 * and OptionError.
 */
export class ExportClient {
  readonly #session: Session
  readonly #connection: Connection
  /** Ids of the exports that this client created. */
  readonly #created = new Set<string>()

  /** Throws OptionError if an option is missing or contradicts another. Sends nothing. */
  constructor(options: ExportClientOptions) {
    requireKnownOptions(options, CLIENT_OPTION_NAMES)
    requireKnownOptions(options.retry ?? {}, RETRY_OPTION_NAMES)
    const redactor = new Redactor()
    const clock = options.clock ?? systemClock
    this.#connection = new Connection(options)
    const parts: TokenRequestParts = {
      endpoint: new Endpoint(options, options.onWarning ?? ((message) => process.emitWarning(message))),
      connection: this.#connection,
      apiKey: options.apiKey === undefined ? undefined : secretText('an API key', options.apiKey),
      redactor,
      retry: { ...DEFAULT_RETRY, ...options.retry },
      clock,
    }
    if (parts.apiKey !== undefined) redactor.add(parts.apiKey)
    this.#session = new Session({ ...parts, tokens: tokenSource(options, parts) })
  }

  /** Requests a new export of an activity. The other methods take the id it returns. */
  async createExport(activityId: string, options: CreateExportOptions = {}): Promise<CreatedExport> {
    requireKnownOptions(options, CREATE_OPTION_NAMES)
    const created = await this.#session.run('the request for an export', options, (operation) =>
      createExport(this.#session, operation, activityId, options),
    )
    this.#created.add(created.batchId)
    return created
  }

  /** Fetches the status of an export once. */
  async getExportStatus(batchId: string, options: OperationOptions = {}): Promise<ExportStatus> {
    requireKnownOptions(options, OPERATION_OPTION_NAMES)
    return this.#session.run('the status of the export', options, (operation) =>
      exportStatus(this.#session, operation, batchId),
    )
  }

  /** Resolves when the export succeeded. Throws ERR_API_EXPORT_FAILED, or ERR_API_TIMEOUT after `deadlineMs` (2 h). */
  async waitForExport(batchId: string, options: WaitForExportOptions = {}): Promise<ExportStatus> {
    requireKnownOptions(options, WAIT_OPTION_NAMES)
    const limits = { ...options, deadlineMs: options.deadlineMs ?? DEFAULT_WAIT_DEADLINE_MS }
    return this.#session.run('waiting for the export', limits, (operation) =>
      waitForExport(this.#session, operation, batchId, { ...options, isNew: this.#created.has(batchId.trim()) }),
    )
  }

  /**
   * Downloads the JSON document of a finished export: decompressed bytes, each once and in order. Iterate once, to the
   * end: an iteration that ends without an error has seen the whole file. Stopping early closes the connection.
   */
  download(batch: string | ExportStatus, options: DownloadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    requireKnownOptions(options, DOWNLOAD_OPTION_NAMES)
    const chunks = this.#session.stream('the download', options, (operation) =>
      downloadExport(this.#session, operation, batch, options),
    )
    return Object.assign(chunks, { [releaseChunk]: (chunk: Uint8Array) => this.#connection.release(chunk) })
  }

  /** Yields all activities of the community; pages are fetched as needed. */
  activities(options: ActivitiesOptions = {}): AsyncGenerator<Activity, void, undefined> {
    requireKnownOptions(options, ACTIVITIES_OPTION_NAMES)
    return this.#session.stream('the list of activities', options, (operation) =>
      allActivities(this.#session, operation, options),
    )
  }

  /** Fetches one page of activities: the first one for `options`, or `page`, the `next` of another page. */
  async activityPage(options: ActivitiesOptions & { page?: URL | undefined } = {}): Promise<ActivityPage> {
    requireKnownOptions(options, { ...ACTIVITIES_OPTION_NAMES, page: true })
    return this.#session.run('the list of activities', options, (operation) =>
      activityPage(this.#session, operation, options.page ?? options),
    )
  }

  /** Closes the client's own connections. Idle ones also close by themselves and do not keep the process alive. */
  async close(): Promise<void> {
    await this.#connection.close()
  }
}

async function* downloadExport(
  session: Session,
  operation: Operation,
  batch: string | ExportStatus,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const status = typeof batch === 'string' ? await exportStatus(session, operation, batch) : batch
  yield* documentBytes(session, operation, fileUrlOf(status, session), options)
}

function tokenSource(options: ExportClientOptions, parts: TokenRequestParts): TokenSource {
  const { token, clientId, clientSecret } = options
  const hasPair = clientId !== undefined || clientSecret !== undefined
  if (token !== undefined && hasPair) {
    throw new OptionError('ERR_OPTION', 'expected a token, or a client id and secret; found both')
  }
  if (token !== undefined) {
    const bearer = secretText('a token', String(token).replace(/^\s*Bearer\s+/i, ''))
    parts.redactor.add(bearer)
    return new GivenToken(bearer)
  }
  if (clientId === undefined || clientSecret === undefined) {
    throw new OptionError('ERR_OPTION', 'expected a token, or a client id and a client secret; something is missing')
  }
  const credentials = {
    clientId: credentialText('a client id', clientId),
    clientSecret: credentialText('a client secret', clientSecret),
  }
  if (credentials.clientId.includes(':')) {
    throw new OptionError('ERR_OPTION', 'expected a client id without a colon, which HTTP Basic cannot carry')
  }
  parts.redactor.add(credentials.clientSecret)
  parts.redactor.add(basicAuthorization(credentials).slice('Basic '.length))
  return new RenewedToken(tokenIssuer(credentials, parts), parts.clock)
}
