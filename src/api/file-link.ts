/** From the address of an export's file at the API to the file: one attempt, along whatever kind of link it gives. */

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

/** An open answer of the place that holds the file. Its address stays in memory only: its query is a signature. */
export interface FileAnswer {
  readonly url: URL
  readonly status: number
  readonly headers: ResponseHeaders
  readonly chunks: AsyncIterable<Uint8Array>
}

/** Asks for a rest of the file, provided that it is still the one with this strong ETag. */
export interface RestOfFile {
  readonly startOffset: number
  readonly etag: string
  /** Origin and path that served the beginning: only there, and outside the API, the Range is asked for. */
  readonly servedBy: string
}

/** An answer of this size or less is looked through for a link. */
const LARGEST_LINK_BODY = 64 * 1024

/** Opens the file. Throws TemporaryFailure for what may pass, with a new link next time. */
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
    // Only the API answers with a link where the file is expected; what the store says is the file.
    const link = trusted ? await linkIn(answer, response) : answer
    if (typeof link !== 'string') return fileOrNothing(link)
    trail.follow(link)
  }
}

/** How an answer's place is remembered: a new link to it has another query. */
export function placeOf(url: URL): string {
  return url.origin + url.pathname
}

function fileHeaders(url: URL, trusted: boolean, rest: RestOfFile | undefined): Record<string, string> {
  const headers = { accept: '*/*', 'accept-encoding': 'gzip' }
  if (rest === undefined || (trusted && placeOf(url) !== rest.servedBy)) return headers
  return { ...headers, range: `bytes=${rest.startOffset}-`, 'if-range': rest.etag }
}

/** The link an answer of the API gives, or the answer itself, read no further than needed to tell. */
async function linkIn(answer: FileAnswer, response: HttpResponse): Promise<string | FileAnswer> {
  const location = locationOf(response)
  if (location !== undefined && !leadsTo(location, answer.url)) {
    discard(response)
    return location
  }
  const byteLength = byteCount(header(answer.headers, 'content-length'))
  const contentType = header(answer.headers, 'content-type') ?? 'json'
  const mayBeLink = answer.status !== 206 && answer.status !== 416 && (byteLength ?? 0) <= LARGEST_LINK_BODY
  if (!mayBeLink || !/json|text\/plain|octet-stream/i.test(contentType)) return answer
  const { head, rest } = await peek(answer.chunks, LARGEST_LINK_BODY)
  const link = rest === undefined ? linkInBody(head) : undefined
  return link ?? { ...answer, chunks: joined(head, rest) }
}

function leadsTo(location: string, url: URL): boolean {
  return URL.canParse(location, url) && new URL(location, url).href === url.href
}

/** `{"url": …}`, which an export never has: its members are `definition` and `records`. */
function linkInBody(bytes: Buffer): string | undefined {
  const object = parsedObject(plainBytes(bytes).toString('utf8'))
  if (object === undefined || 'records' in object || 'definition' in object) return undefined
  return textMember(object, 'url')
}

function plainBytes(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: LARGEST_LINK_BODY })
  } catch {
    return bytes
  }
}

/** The first bytes of a body, and what follows them; no rest if the body ended. */
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

async function* joined(head: Buffer, rest: AsyncIterable<Uint8Array> | undefined): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head
  if (rest !== undefined) yield* rest
}

function fileOrNothing(answer: FileAnswer): FileAnswer {
  if (answer.status === 200 || answer.status === 206 || answer.status === 416) return answer
  const problem = `expected the file or a link to it from ${plainUrl(answer.url)}, found HTTP ${answer.status}`
  throw new ApiError('ERR_API_RESPONSE', problem, { status: answer.status, url: plainUrl(answer.url) })
}

/** A refusal by the store means that the link is too old: the next attempt asks the API for another. */
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
  // S3 says 400 ExpiredToken when the credentials behind a link are older than the link itself.
  const expired = statusCode !== 400 || /expired/i.test(report.storeCode ?? '')
  return expired ? new TemporaryFailure(error, { atOnce: true }) : error
}
