/** Reads responses: bodies with a size limit, Retry-After, and the error details of a failure. */

import { ApiError, shortened } from '../errors.ts'
import { type Wording, worded } from '../wording.ts'
import type { HttpResponse } from './connection.ts'
import { plainUrl, type Redactor } from './redaction.ts'
import { TemporaryFailure } from './retry.ts'

/** Bodies of failures are read up to this size; they are only searched for a message. */
const MAX_ERROR_BODY_BYTES = 64 * 1024
/** Well above a page of 1000 activities with long names. */
const MAX_JSON_BODY_BYTES = 32 * 1024 * 1024
const MAX_MESSAGE_LENGTH = 500

export type ResponseHeaders = HttpResponse['headers']

/** Returns the value of a header, the first if there are several; undefined if it is absent or empty. */
export function header(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name]
  const text = Array.isArray(value) ? value[0] : value
  return text === undefined || text.trim() === '' ? undefined : text.trim()
}

/** Parses a header that is a plain count; undefined if it is absent or anything else. */
export function byteCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Discards a body that is not needed. Not awaited, because a stalled body must not delay the call. */
export function discard(response: HttpResponse): void {
  response.body.dump({ limit: MAX_ERROR_BODY_BYTES }).catch(() => {})
}

/** Returns the milliseconds that Retry-After asks for (in seconds or as a date); undefined if absent or unreadable. */
function retryAfterMs(headers: ResponseHeaders, nowMs: number): number | undefined {
  const text = header(headers, 'retry-after')
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const dateMs = Date.parse(text)
  if (Number.isNaN(dateMs)) return undefined
  // Relative to the server's clock if it sends a Date, because ours may be wrong.
  const serverNowMs = Date.parse(header(headers, 'date') ?? '')
  return Math.max(0, dateMs - (Number.isNaN(serverNowMs) ? nowMs : serverNowMs))
}

/** Concatenates the chunks of a body; undefined if it is larger than `maxBytes`. */
async function bytesOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = []
  let byteLength = 0
  for await (const chunk of chunks) {
    byteLength += chunk.length
    if (byteLength > maxBytes) return undefined
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** Reads the JSON of an answer, which must be an object. Throws ERR_API_RESPONSE. */
export async function jsonObject(
  chunks: AsyncIterable<Uint8Array>,
  url: URL,
  status: number,
): Promise<Record<string, unknown>> {
  const bytes = await bytesOf(chunks, MAX_JSON_BODY_BYTES)
  const parsed = bytes === undefined ? undefined : parsedObject(bytes.toString('utf8'))
  if (parsed !== undefined) return parsed
  throw new ApiError('ERR_API_RESPONSE', `expected a JSON object from ${plainUrl(url)}, found ${foundInstead(bytes)}`, {
    status,
    url: plainUrl(url),
  })
}

function foundInstead(bytes: Buffer | undefined): string {
  if (bytes === undefined) return 'a larger body'
  if (bytes.length === 0) return 'nothing'
  const isMarkup = /^\ufeff?\s*</.test(bytes.toString('utf8', 0, 1024))
  return isMarkup ? 'an HTML or XML page, such as a login page or that of a proxy' : 'something else'
}

/** Parses a text as a JSON object; undefined if it is not one. */
export function parsedObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns a non-empty text member by name, ignoring case. */
export function textMember(object: Record<string, unknown>, ...names: string[]): string | undefined {
  for (const name of names) {
    for (const [key, value] of Object.entries(object)) {
      if (key.toLowerCase() === name && typeof value === 'string' && value.trim() !== '') return value.trim()
    }
  }
  return undefined
}

/** Returns an id, a text or a whole number; undefined for numbers too large to keep their digits. */
export function idMember(object: Record<string, unknown>, ...names: string[]): string | undefined {
  const numbers = Object.entries(object).filter(([, value]) => Number.isSafeInteger(value))
  return textMember({ ...object, ...Object.fromEntries(numbers.map(([key, id]) => [key, String(id)])) }, ...names)
}

/** Details of a failed response: the API's `message`, OAuth's `error`, or a file store's XML `<Code>`. */
interface FailureReport {
  readonly message: string | undefined
  readonly errorId: string | undefined
  readonly developerMessage: string | undefined
  /** Code of the file store, such as `AccessDenied` or `ExpiredToken`. */
  readonly storeCode: string | undefined
}

/** Reads what it can of a failure's body; an unreadable body is not a further failure. */
export async function failureReport(response: HttpResponse, redactor: Redactor): Promise<FailureReport> {
  let text = ''
  try {
    const bytes = await bytesOf(response.body, MAX_ERROR_BODY_BYTES)
    text = bytes?.toString('utf8') ?? ''
  } catch {
    // The status is enough.
  }
  const body = parsedObject(text) ?? {}
  const clean = (value: string | undefined) =>
    value === undefined ? undefined : shortened(redactor.text(value), MAX_MESSAGE_LENGTH)
  return {
    message: clean(messageIn(body)),
    errorId: clean(idMember(body, 'errorid')),
    developerMessage: clean(textMember(body, 'developermessage')),
    storeCode: /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(text)?.[1],
  }
}

/**
 * Returns the message in an error body: the API's own form first, then the forms of gateways, in `error`, `fault` or
 * `errors`.
 */
function messageIn(body: Record<string, unknown>): string | undefined {
  const said = textMember(body, 'message', 'errormessage', 'error_description', 'error', 'detail', 'title')
  if (said !== undefined) return said
  const inner = [body.error, body.fault, Array.isArray(body.errors) ? body.errors[0] : body.errors]
  for (const object of inner.filter(isObject)) {
    const message = textMember(object, 'message', 'faultstring', 'description', 'detail', 'title')
    if (message !== undefined) return message
  }
  return undefined
}

interface FailedAnswer {
  /** What was requested, as in "the status of the export". */
  readonly what: string
  readonly url: URL
  readonly response: HttpResponse
  readonly report: FailureReport
  /** What to do about it. */
  readonly advice?: Wording | undefined
}

/** Returns the error for an answer with status 400 or above. */
export function statusError(
  answer: FailedAnswer,
  code: 'ERR_API_STATUS' | 'ERR_API_AUTH' = 'ERR_API_STATUS',
): ApiError {
  const { report, response, url, advice } = answer
  const said = report.message ?? report.storeCode
  const support = report.errorId === undefined ? '' : ` [errorId ${report.errorId}]`
  const text = `${answer.what}: HTTP ${response.statusCode} from ${plainUrl(url)}${said === undefined ? '' : ` (${said})`}`
  const problem = advice === undefined ? worded`${text}${support}` : worded`${text}; ${advice}${support}`
  return new ApiError(code, problem, {
    status: response.statusCode,
    errorId: report.errorId,
    developerMessage: report.developerMessage,
    url: plainUrl(url),
  })
}

/** Whether a retry may get another status: too slow, too early, too many requests, or a server error. */
export function statusMayPass(statusCode: number): boolean {
  return statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500
}

/**
 * Returns the failure to throw for an answer with status 400 or above; temporary if it may pass. 429, and 503 with
 * Retry-After, are refusals: the server did not act on the request.
 */
export function statusFailure(answer: FailedAnswer, nowMs: number): ApiError | TemporaryFailure {
  const { statusCode, headers } = answer.response
  const error = statusError(answer)
  if (!statusMayPass(statusCode)) return error
  const waitMs = statusCode === 429 || statusCode === 503 ? retryAfterMs(headers, nowMs) : undefined
  const notActedOn = statusCode === 429 || (statusCode === 503 && waitMs !== undefined)
  return new TemporaryFailure(error, { retryAfterMs: waitMs, notActedOn })
}
