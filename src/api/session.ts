/** State shared by all calls of one client: the endpoint, the credentials, and the retry policy. */

import { CHUNK_BYTES, coalesceChunks } from '../input/long-pieces.ts'
import type { Clock } from './clock.ts'
import type { Connection, HttpRequest, HttpResponse } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import { networkFailure } from './network-failure.ts'
import { Operation, type OperationOptions } from './operation.ts'
import type { Redactor } from './redaction.ts'
import { RedirectTrail, redirectTarget } from './redirect.ts'
import { discard, failureReport, jsonObject, statusError, statusFailure } from './response.ts'
import { type RetryPolicy, withRetries } from './retry.ts'
import { adviceFor } from './status-advice.ts'
import type { TokenSource } from './token.ts'

export interface SessionParts {
  readonly endpoint: Endpoint
  readonly connection: Connection
  readonly tokens: TokenSource
  readonly apiKey: string | undefined
  readonly redactor: Redactor
  readonly retry: RetryPolicy
  readonly clock: Clock
}

interface JsonRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  /** Sent as JSON. */
  readonly body?: unknown
}

export class Session {
  readonly endpoint: Endpoint
  readonly clock: Clock
  readonly redactor: Redactor
  readonly retry: RetryPolicy
  readonly #connection: Connection
  readonly #tokens: TokenSource
  readonly #apiKey: string | undefined

  constructor(parts: SessionParts) {
    this.endpoint = parts.endpoint
    this.clock = parts.clock
    this.redactor = parts.redactor
    this.retry = parts.retry
    this.#connection = parts.connection
    this.#tokens = parts.tokens
    this.#apiKey = parts.apiKey
  }

  /** Runs one call of the client. On failure and abort, its requests are cancelled and no idle socket is kept. */
  async run<T>(what: string, options: OperationOptions, call: (operation: Operation) => Promise<T>): Promise<T> {
    const operation = new Operation(what, options, this.clock)
    const release = this.#connection.lease()
    let failed = true
    try {
      operation.check()
      const result = await call(operation)
      failed = false
      return result
    } catch (error) {
      throw operation.failure ?? error
    } finally {
      operation.end()
      await release(failed)
    }
  }

  /** Like `run`, for a call with many results. Stopping early counts as an abort. */
  async *stream<T>(
    what: string,
    options: OperationOptions,
    call: (operation: Operation) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const operation = new Operation(what, options, this.clock)
    const release = this.#connection.lease()
    let failed = true
    try {
      operation.check()
      yield* call(operation)
      failed = false
    } catch (error) {
      throw operation.failure ?? error
    } finally {
      operation.end()
      await release(failed)
    }
  }

  /**
   * Requests JSON from the API. Follows http(s) redirects for GET. Retries by policy; POST only if the server did not
   * act on it.
   */
  async json(operation: Operation, request: JsonRequest): Promise<Record<string, unknown>> {
    return withRetries(
      operation,
      this.retry,
      () => this.#jsonOnce(operation, request),
      (failure) => request.method === 'GET' || failure.notActedOn,
    )
  }

  async #jsonOnce(operation: Operation, request: JsonRequest): Promise<Record<string, unknown>> {
    const trail = new RedirectTrail(request.url, this.endpoint, operation.what)
    for (;;) {
      const { url } = trail
      const response = await this.exchange(operation, jsonHttpRequest(request, url), trail.trusted)
      const { statusCode } = response
      if (statusCode >= 300 && statusCode < 400) {
        discard(response)
        if (request.method !== 'GET') throw trail.unexpected(statusCode)
        trail.follow(redirectTarget(response, trail))
      } else if (statusCode >= 400) {
        throw await this.failedAnswer(operation, url, response)
      } else {
        return await jsonObject(this.chunks(operation, url, response), url, statusCode)
      }
    }
  }

  /**
   * Sends one request and returns its response, body unread. Credentials are sent only if the request is `trusted` and
   * goes to the API's own origin; a refused token is renewed once.
   */
  async exchange(operation: Operation, request: HttpRequest, trusted: boolean): Promise<HttpResponse> {
    if (!trusted || !this.endpoint.owns(request.url)) return this.#send(operation, request)
    const token = await this.#tokens.current(operation)
    const response = await this.#send(operation, this.#authorized(request, token))
    if (response.statusCode !== 401 || !this.#tokens.refused(token)) return response
    discard(response)
    return this.#send(operation, this.#authorized(request, await this.#tokens.current(operation)))
  }

  /** Yields a body of unknown length. Throws our own errors; an interrupted body is a temporary failure. */
  async *chunks(operation: Operation, url: URL, response: HttpResponse): AsyncGenerator<Uint8Array, void, undefined> {
    const connection = this.#connection
    try {
      const pool = connection.bufferPool(CHUNK_BYTES)
      yield* coalesceChunks(response.body, pool, (chunk) => connection.release(chunk))
    } catch (error) {
      throw this.#networkFailure(operation, url, error)
    }
  }

  /** Returns the error for an answer with status 400 or above; reads its body. */
  async failedAnswer(operation: Operation, url: URL, response: HttpResponse): Promise<Error> {
    const report = await failureReport(response, this.redactor)
    operation.check()
    const { statusCode } = response
    const isOwn = this.endpoint.owns(url)
    const answer = { what: operation.what, url, response, report, advice: isOwn ? adviceFor(statusCode) : undefined }
    if (isOwn && (statusCode === 401 || statusCode === 403)) return statusError(answer, 'ERR_API_AUTH')
    return statusFailure(answer, this.clock.now())
  }

  async #send(operation: Operation, request: HttpRequest): Promise<HttpResponse> {
    operation.check()
    try {
      return await this.#connection.send(request, operation.signal)
    } catch (error) {
      throw this.#networkFailure(operation, request.url, error)
    }
  }

  #networkFailure(operation: Operation, url: URL, error: unknown): Error {
    if (operation.failure !== undefined) return operation.failure
    return networkFailure(error, operation.what, url, this.redactor)
  }

  #authorized(request: HttpRequest, token: string): HttpRequest {
    const key = this.#apiKey === undefined ? {} : { 'x-api-key': this.#apiKey }
    return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}`, ...key } }
  }
}

function jsonHttpRequest(request: JsonRequest, url: URL): HttpRequest {
  const headers = { accept: 'application/json' }
  if (request.body === undefined) return { method: request.method, url, headers }
  return {
    method: request.method,
    url,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(request.body),
  }
}
