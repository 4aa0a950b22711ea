/** Follows the address of an export's file at the API to the file itself: one attempt, through any kind of link. */

import { gunzipSync } from 'node:zlib'
import { ApiError } from '../errors.ts'
import type { HttpResponse } from './connection.ts'
import type { Operation } from './operation.ts'
import { plainUrl } from './redaction.ts'
import { locationOf, RedirectTrail, redirectTarget } from './redirect.ts'
import {
  byteCount,
  discard,
  failureReport,
  header,
  parsedObject,
  type ResponseHeaders,
  statusError,
  textMember,
} from './response.ts'
import { TemporaryFailure } from './retry.ts'
import type { Session } from './session.ts'

/** An open response from the server that holds the file. Keep its URL in memory only: its query is a signature. */
export interface FileAnswer {
  readonly url: URL
  readonly status: number
  readonly headers: ResponseHeaders
  readonly chunks: AsyncIterable<Uint8Array>
}

/** Requests the rest of the file, if it still has this strong ETag. */
export interface RestOfFile {
  readonly startOffset: number
  readonly etag: string
  /** Origin and path that served the beginning. Range is sent only there, and only outside the API. */
  readonly servedBy: string
}

/** An answer up to this size is searched for a link. */
const MAX_LINK_BODY_BYTES = 64 * 1024

/** Opens the file. Throws TemporaryFailure for transient failures; the next attempt gets a new link. */
export async function openFile(
  session: Session,
  operation: Operation,
  fileUrl: URL,
  rest?: RestOfFile,
): Promise<FileAnswer> {
  const trail = new RedirectTrail(fileUrl, session.endpoint, operation.what)
  for (;;) {
    const { url, trusted } = trail
    const headers = fileHeaders(url, trusted, rest)
    const response = await session.exchange(operation, { method: 'GET', url, headers }, trusted)
    const { statusCode } = response
    if (statusCode >= 400 && !(statusCode === 416 && rest !== undefined)) {
      throw await fileFailure(session, operation, url, response, trusted)
    }
    const answer: FileAnswer = {
      url,
      status: statusCode,
      headers: response.headers,
      chunks: session.chunks(operation, url, response),
    }
    if (statusCode >= 300 && statusCode < 400) {
      discard(response)
      trail.follow(redirectTarget(response, trail))
      continue
    }
    // Only the API answers with a link instead of the file; a body from the store is the file.
    const link = trusted ? await linkIn(answer, response) : answer
    if (typeof link !== 'string') return fileOrNothing(link)
    trail.follow(link)
  }
}

/** Returns a URL's origin and path, which stay the same when a new link has another query. */
export function placeOf(url: URL): string {
  return url.origin + url.pathname
}

function fileHeaders(url: URL, trusted: boolean, rest: RestOfFile | undefined): Record<string, string> {
  const headers = { accept: '*/*', 'accept-encoding': 'gzip' }
  if (rest === undefined || (trusted && placeOf(url) !== rest.servedBy)) return headers
  return { ...headers, range: `bytes=${rest.startOffset}-`, 'if-range': rest.etag }
}

/** Returns the link in an answer of the API, or the answer itself; reads no more than needed to decide. */
async function linkIn(answer: FileAnswer, response: HttpResponse): Promise<string | FileAnswer> {
  const location = locationOf(response)
  if (location !== undefined && !leadsTo(location, answer.url)) {
    discard(response)
    return location
  }
  const byteLength = byteCount(header(answer.headers, 'content-length'))
  const contentType = header(answer.headers, 'content-type') ?? 'json'
  const mayBeLink = answer.status !== 206 && answer.status !== 416 && (byteLength ?? 0) <= MAX_LINK_BODY_BYTES
  if (!mayBeLink || !/json|text\/plain|octet-stream/i.test(contentType)) return answer
  const { head, rest } = await peek(answer.chunks, MAX_LINK_BODY_BYTES)
  const link = rest === undefined ? linkInBody(head) : undefined
  return link ?? { ...answer, chunks: joinChunks(head, rest) }
}

function leadsTo(location: string, url: URL): boolean {
  return URL.canParse(location, url) && new URL(location, url).href === url.href
}

/** Returns the link in `{"url": …}`, a form that no export has: its members are `definition` and `records`. */
function linkInBody(bytes: Buffer): string | undefined {
  const object = parsedObject(plainBytes(bytes).toString('utf8'))
  if (object === undefined || 'records' in object || 'definition' in object) return undefined
  return textMember(object, 'url')
}

function plainBytes(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_LINK_BODY_BYTES })
  } catch {
    return bytes
  }
}

/** Reads the first bytes of a body and returns them with the rest; no rest if the body ended. */
async function peek(chunks: AsyncIterable<Uint8Array>, maxBytes: number) {
  const iterator = chunks[Symbol.asyncIterator]()
  const parts: Uint8Array[] = []
  let byteLength = 0
  while (byteLength <= maxBytes) {
    const next = await iterator.next()
    if (next.done) return { head: Buffer.concat(parts), rest: undefined }
    parts.push(next.value)
    byteLength += next.value.length
  }
  return { head: Buffer.concat(parts), rest: { [Symbol.asyncIterator]: () => iterator } }
}

async function* joinChunks(head: Buffer, rest: AsyncIterable<Uint8Array> | undefined): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head
  if (rest !== undefined) yield* rest
}

function fileOrNothing(answer: FileAnswer): FileAnswer {
  if (answer.status === 200 || answer.status === 206 || answer.status === 416) return answer
  const problem = `expected the file or a link to it from ${plainUrl(answer.url)}, found HTTP ${answer.status}`
  throw new ApiError('ERR_API_RESPONSE', problem, { status: answer.status, url: plainUrl(answer.url) })
}

/**
 * Returns the error for a refusal. One by the store means that the link has expired: the next attempt asks the API for
 * a new one.
 */
async function fileFailure(
  session: Session,
  operation: Operation,
  url: URL,
  response: HttpResponse,
  trusted: boolean,
): Promise<Error> {
  const { statusCode } = response
  if (trusted || !(statusCode === 400 || statusCode === 403 || statusCode === 410)) {
    return session.failedAnswer(operation, url, response)
  }
  const report = await failureReport(response, session.redactor)
  operation.check()
  const error = statusError({ what: `${operation.what}: the link has expired or is refused`, url, response, report })
  // S3 answers 400 ExpiredToken when the credentials behind a link expire before the link does.
  const expired = statusCode !== 400 || /expired/i.test(report.storeCode ?? '')
  return expired ? new TemporaryFailure(error, { atOnce: true }) : error
}
