/// <reference path="./undici-parts.d.ts" />
/** The only module that loads and calls undici. */

import type { Agent, Dispatcher } from 'undici'
import { BufferPool, receiveInto, SOCKET_BUFFER_BYTES } from '../input/receive-memory.ts'
import type { OptionNames } from '../option-values.ts'
import { VERSION } from '../version.ts'
import { holdEnd } from './held-end.ts'

export interface ConnectionOptions {
  /** An undici dispatcher (proxy, mock) to use instead of the client's own Agent; the client never closes it. */
  dispatcher?: Dispatcher | undefined
  /** Maximum time to connect, in milliseconds. Default 10 s. Ignored with `dispatcher`. */
  connectTimeoutMs?: number | undefined
  /** Maximum time from the request to the end of the response headers, in milliseconds. Default 60 s. */
  headersTimeoutMs?: number | undefined
  /** Maximum time between two chunks of a body, in milliseconds. Default 60 s. */
  bodyTimeoutMs?: number | undefined
}

export const CONNECTION_OPTION_NAMES: OptionNames<ConnectionOptions> = {
  dispatcher: true,
  connectTimeoutMs: true,
  headersTimeoutMs: true,
  bodyTimeoutMs: true,
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export type HttpResponse = Dispatcher.ResponseData

export class Connection {
  readonly #injected: Dispatcher | undefined
  readonly #connectTimeoutMs: number
  readonly #headersTimeoutMs: number
  readonly #bodyTimeoutMs: number
  readonly #poolOf = new WeakMap<ArrayBufferLike, BufferPool>()
  #agent: Agent | undefined
  #leases = 0

  constructor(options: ConnectionOptions) {
    this.#injected = options.dispatcher
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 10_000
    this.#headersTimeoutMs = options.headersTimeoutMs ?? 60_000
    this.#bodyTimeoutMs = options.bodyTimeoutMs ?? 60_000
  }

  /** Sends one request without following redirects. Rejects with undici's own errors. */
  async send({ method, url, headers, body }: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    // Loaded on first use, because programs that only convert files never need it.
    const { default: request } = await import('undici/lib/api/api-request.js')
    const response = await request.call(this.#injected ?? (await this.#ownAgent()), {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { 'user-agent': `alida-arrow/${VERSION}`, ...headers },
      body: body ?? null,
      signal,
      headersTimeout: this.#headersTimeoutMs,
      bodyTimeout: this.#bodyTimeoutMs,
    })
    // An error of a body that is dropped before it has a listener must not end the process.
    response.body.on('error', () => {})
    return response
  }

  async #ownAgent(): Promise<Agent> {
    const { default: Agent } = await import('undici/lib/dispatcher/agent.js')
    const { default: connector } = await import('undici/lib/core/connect.js')
    const timeout = this.#connectTimeoutMs
    this.#agent ??= new Agent({
      connect: (options, done) => {
        const connect = connector({ timeout, onread: receiveInto(this.bufferPool(SOCKET_BUFFER_BYTES)) })
        connect(options, (...[error, socket]) => (error === null ? done(null, holdEnd(socket)) : done(error, null)))
      },
    })
    return this.#agent
  }

  /** Returns a pool for bytes that are consumed in order and then passed to `release`. */
  bufferPool(bufferBytes: number): BufferPool {
    const pool = new BufferPool(bufferBytes, (memory) => this.#poolOf.set(memory, pool))
    return pool
  }

  /** Allows memory received before these bytes to be overwritten. Does nothing for bytes from elsewhere. */
  release(bytes: Uint8Array): void {
    this.#poolOf.get(bytes.buffer)?.releaseBefore(bytes)
  }

  /**
   * Marks a call as running and returns a function that ends it. After a failure, idle sockets are closed too, unless
   * another call is still running.
   */
  lease(): (failed: boolean) => Promise<void> {
    this.#leases++
    return async (failed) => {
      this.#leases--
      if (failed && this.#leases === 0) await this.close()
    }
  }

  /** Closes all sockets of the client's own Agent; the next request opens new ones. */
  async close(): Promise<void> {
    const agent = this.#agent
    this.#agent = undefined
    await agent?.destroy()
  }
}
