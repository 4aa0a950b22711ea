/** Converts network failures to our own errors; undici's may contain headers, and so secrets. */

import { ApiError } from '../errors.ts'
import { codeOf, plainUrl, type Redactor } from './redaction.ts'
import { TemporaryFailure } from './retry.ts'

/** No connection was made, so the server never saw the request. */
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

/** Converts an error of undici or the system to one of ours; everything transient becomes temporary. */
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
    const host = memberOf(error, 'hostname') ?? url.hostname
    const advice = host === url.hostname ? 'check the region or base URL, and the network' : 'check the proxy'
    return new ApiError('ERR_API_NETWORK', `${what}: no host named ${host}; ${advice}`, place)
  }
  const proxyStatus = statusOfProxy(error)
  const reason = proxyStatus === undefined ? reasonOf(code, error, place.cause) : refusalOfProxy(proxyStatus)
  const failure = new ApiError('ERR_API_NETWORK', `${what}: ${reason} (${url.origin})`, place)
  // HPE_: the answer was truncated or violated the protocol.
  const notActedOn = NOT_CONNECTED.has(code) || proxyStatus !== undefined
  const mayPass =
    proxyStatus === undefined ? notActedOn || CUT_OFF.has(code) || code.startsWith('HPE_') : proxyStatus >= 500
  return mayPass ? new TemporaryFailure(failure, { notActedOn }) : failure
}

/** Returns the HTTP status with which a proxy refused a tunnel; undici gives it only in its message. */
function statusOfProxy(error: unknown): number | undefined {
  const text = error instanceof Error ? /^Proxy response \((\d{3})\)/.exec(error.message)?.[1] : undefined
  return text === undefined ? undefined : Number(text)
}

function refusalOfProxy(status: number): string {
  const advice = status === 407 ? ', it expects a user and password, as in http://user:password@host:port' : ''
  return `the proxy made no connection, HTTP ${status}${advice}`
}

/** Returns a member of a system error that names the host, address or port it is about. */
function memberOf(error: unknown, member: 'hostname' | 'address' | 'port'): string | undefined {
  const value = error instanceof Error ? (error as { [name: string]: unknown } & Error)[member] : undefined
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function reasonOf(code: string, error: unknown, cause: Error): string {
  if (NOT_CONNECTED.has(code)) {
    const address = memberOf(error, 'address')
    // With a proxy, this is the proxy's address.
    return `no connection, ${code}${address === undefined ? '' : ` at ${address} port ${memberOf(error, 'port')}`}`
  }
  if (CUT_OFF.has(code)) return 'the connection broke off'
  // OpenSSL's messages contain locations in its own source.
  if (code.startsWith('ERR_SSL_')) return `no secure connection, ${code}`
  return cause.message
}
