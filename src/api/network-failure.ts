/** What went wrong below HTTP, in our own errors: undici's may hold headers, and so secrets. */

import { ApiError } from '../errors.ts'
import { codeOf, plainUrl, type Redactor } from './redaction.ts'
import { TemporaryFailure } from './retry.ts'

/** No connection came about: the server never saw the request. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

const TIMED_OUT: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stalled',
  ETIMEDOUT: 'the connection timed out',
}

const CUT_OFF: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

/** Turns an error of undici or of the system into one of ours; everything that may pass becomes temporary. */
export function networkFailure(
  error: unknown,
  what: string,
  url: URL,
  redactor: Redactor,
): TemporaryFailure | ApiError {
  const code = codeOf(error) ?? ''
  const place = { url: plainUrl(url), cause: redactor.cause(error) }
  const timedOut = TIMED_OUT[code]
  if (timedOut !== undefined) {
    const failure = new ApiError('ERR_API_TIMEOUT', `${what}: ${timedOut} from ${url.origin}`, place)
    return new TemporaryFailure(failure, { notActedOn: NOT_CONNECTED.has(code) })
  }
  if (code === 'ENOTFOUND') {
    const advice = 'check the region or base URL, and the network'
    return new ApiError('ERR_API_NETWORK', `${what}: no host named ${url.hostname}; ${advice}`, place)
  }
  const problem = `${what}: ${reasonOf(code, place.cause)} (${url.origin})`
  const failure = new ApiError('ERR_API_NETWORK', problem, place)
  // HPE_: the answer broke off or broke the protocol in the middle.
  const mayPass = NOT_CONNECTED.has(code) || CUT_OFF.has(code) || code.startsWith('HPE_')
  return mayPass ? new TemporaryFailure(failure, { notActedOn: NOT_CONNECTED.has(code) }) : failure
}

function reasonOf(code: string, cause: Error): string {
  if (NOT_CONNECTED.has(code)) return `no connection, ${code}`
  if (CUT_OFF.has(code)) return 'the connection broke off'
  return cause.message
}
