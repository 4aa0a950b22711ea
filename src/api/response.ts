/** Reading answers: bodies with a limit, Retry-After, and what a failure says about itself. */

import { ApiError, shortened } from '../errors.ts'
import { type Wording, worded } from '../wording.ts'
import type { HttpResponse } from './connection.ts'
import { plainUrl, type Redactor } from './redaction.ts'
import { TemporaryFailure } from './retry.ts'

/** Bodies of failures are read up to this size; they are only looked through for a message. */
const LARGEST_ERROR_BODY = 64 * 1024
/** A page of 1000 activities with long names is well below. */
const LARGEST_JSON_BODY = 32 * 1024 * 1024
const LONGEST_MESSAGE = 500

export type ResponseHeaders = HttpResponse['headers']

/** The one value of a header, the first of several; undefined if it is absent or empty. */
export function header(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name]
  const text = Array.isArray(value) ? value[0] : value
  return text === undefined || text.trim() === '' ? undefined : text.trim()
}

/** A header that is a plain count; undefined if it is absent or something else. */
export function byteCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Lets go of a body nobody needs. Not awaited: a stalled one must hold up nothing. */
export function discard(response: HttpResponse): void {
  response.body.dump({ limit: LARGEST_ERROR_BODY }).catch(() => {})
}

/** Milliseconds to wait as the server asks (seconds or a date), undefined if it does not or cannot be understood. */
function retryAfterMs(headers: ResponseHeaders, nowMs: number): number | undefined {
  const text = header(headers, 'retry-after')
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const dateMs = Date.parse(text)
  if (Number.isNaN(dateMs)) return undefined
  // Measured on the server's clock, if it tells the time: ours may be wrong.
  const serverNowMs = Date.parse(header(headers, 'date') ?? '')
  return Math.max(0, dateMs - (Number.isNaN(serverNowMs) ? nowMs : serverNowMs))
}

/** Puts the pieces of a body together; undefined if it is larger than `maxBytes`. */
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

/** An answer's JSON, which must be an object. Throws ERR_API_RESPONSE. */
export async function jsonObject(
  chunks: AsyncIterable<Uint8Array>,
  url: URL,
  status: number,
): Promise<Record<string, unknown>> {
  const bytes = await bytesOf(chunks, LARGEST_JSON_BODY)
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

/** The object a text holds as JSON, undefined if it holds none. */
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

/** A member whose name is spelled in any case, if it is a text with something in it. */
export function textMember(object: Record<string, unknown>, ...names: string[]): string | undefined {
  for (const name of names) {
    for (const [key, value] of Object.entries(object)) {
      if (key.toLowerCase() === name && typeof value === 'string' && value.trim() !== '') return value.trim()
    }
  }
  return undefined
}

/** An id, which may be a text or a whole number; not a number so large that its digits are lost. */
export function idMember(object: Record<string, unknown>, ...names: string[]): string | undefined {
  const numbers = Object.entries(object).filter(([, value]) => Number.isSafeInteger(value))
  return textMember({ ...object, ...Object.fromEntries(numbers.map(([key, id]) => [key, String(id)])) }, ...names)
}

/** What an unsuccessful answer says: the API's `message`, OAuth's `error`, or a file store's XML `<Code>`. */
interface FailureReport {
  readonly message: string | undefined
  readonly errorId: string | undefined
  readonly developerMessage: string | undefined
  /** Of the file store, such as `AccessDenied` or `ExpiredToken`. */
  readonly storeCode: string | undefined
}

/** Reads the body of a failure as far as it can be understood; a broken body is no further failure. */
export async function failureReport(response: HttpResponse, redactor: Redactor): Promise<FailureReport> {
  let text = ''
  try {
    const bytes = await bytesOf(response.body, LARGEST_ERROR_BODY)
    text = bytes?.toString('utf8') ?? ''
  } catch {
    // The status says enough.
  }
  const body = parsedObject(text) ?? {}
  const clean = (value: string | undefined) =>
    value === undefined ? undefined : shortened(redactor.text(value), LONGEST_MESSAGE)
  return {
    message: clean(messageIn(body)),
    errorId: clean(idMember(body, 'errorid')),
    developerMessage: clean(textMember(body, 'developermessage')),
    storeCode: /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(text)?.[1],
  }
}

/** The API's own form first; gateways in front of it put theirs inside of `error`, `fault` or `errors`. */
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
  /** What was asked for, as in "the status of the export". */
  readonly what: string
  readonly url: URL
  readonly response: HttpResponse
  readonly report: FailureReport
  /** What to do about it. */
  readonly advice?: Wording | undefined
}

/** The error for an answer with status 400 or above. */
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

/** Whether an answer of this status may be another one next time: too slow, too early, too often, or a server's fault. */
export function statusMayPass(statusCode: number): boolean {
  return statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500
}

/**
 * The failure to throw for an answer with status 400 or above; temporary if it may pass.
 * 429, and 503 with Retry-After, are refusals: the server did not act on the request.
 */
export function statusFailure(answer: FailedAnswer, nowMs: number): ApiError | TemporaryFailure {
  const { statusCode, headers } = answer.response
  const error = statusError(answer)
  if (!statusMayPass(statusCode)) return error
  const waitMs = statusCode === 429 || statusCode === 503 ? retryAfterMs(headers, nowMs) : undefined
  const notActedOn = statusCode === 429 || (statusCode === 503 && waitMs !== undefined)
  return new TemporaryFailure(error, { retryAfterMs: waitMs, notActedOn })
}
