/** The fake file store: links with a signature in their query, ranges, ETags, and no tolerance for credentials. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Fault, writeBody } from './fault.ts'

export interface StoredFile {
  /** As it is stored: packed or not. */
  bytes: Buffer
  contentEncoding: string | undefined
  etag: string | undefined
  /** How the end of the body is told: Content-Length, chunks, or by closing. */
  framing: 'length' | 'chunked' | 'close'
  ranges: boolean
}

const SECRET_HEADERS = ['authorization', 'x-api-key', 'cookie', 'proxy-authorization']

/** The credentials a request should not have carried. */
export function secretHeaders(request: IncomingMessage): string[] {
  return SECRET_HEADERS.filter((name) => request.headers[name] !== undefined)
}

/** Refuses as S3 does, with an XML body. */
export function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>Request refused</Message></Error>`)
}

export async function sendFile(
  file: StoredFile,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault,
): Promise<void> {
  const start = rangeStart(file, request)
  if (start !== undefined && start >= file.bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.bytes.length}` })
    response.end()
    return
  }
  const body = file.bytes.subarray(start ?? 0)
  if (file.framing === 'close') {
    response.useChunkedEncodingByDefault = false
    response.shouldKeepAlive = false
  }
  response.writeHead(start === undefined ? 200 : 206, {
    'content-type': 'application/json',
    ...(file.framing === 'length' ? { 'content-length': body.length } : {}),
    ...(file.framing === 'close' ? { connection: 'close' } : {}),
    ...(file.etag === undefined ? {} : { etag: file.etag }),
    ...(file.contentEncoding === undefined ? {} : { 'content-encoding': file.contentEncoding }),
    ...(start === undefined ? {} : { 'content-range': `bytes ${start}-${file.bytes.length - 1}/${file.bytes.length}` }),
  })
  await writeBody(response, body, fault)
}

/** First byte of an open range whose If-Range still holds (RFC 9110: strong comparison), else undefined. */
function rangeStart(file: StoredFile, request: IncomingMessage): number | undefined {
  const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
  if (!file.ranges || match === null) return undefined
  const condition = request.headers['if-range']
  if (condition !== undefined && (condition !== file.etag || String(condition).startsWith('W/'))) return undefined
  return Number(match[1])
}
