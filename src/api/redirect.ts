/** Follows redirects without undici: a secret must not be sent to another place. */

import { ApiError } from '../errors.ts'
import type { HttpResponse } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import { plainUrl } from './redaction.ts'
import { header } from './response.ts'

const MAX_REDIRECTS = 10

/** The chain of redirects from the first address to the last, and whether credentials may still be sent. */
export class RedirectTrail {
  readonly #endpoint: Endpoint
  readonly #what: string
  readonly #visited: URL[]
  #trusted: boolean

  constructor(start: URL, endpoint: Endpoint, what: string) {
    this.#endpoint = endpoint
    this.#what = what
    this.#visited = [start]
    this.#trusted = endpoint.owns(start)
  }

  get url(): URL {
    return this.#visited[this.#visited.length - 1] as URL
  }

  /** False once the chain has left the API's own origin, even if it returns. */
  get trusted(): boolean {
    return this.#trusted
  }

  /**
   * Follows the redirect to `target`. Throws ERR_API_REDIRECT for a loop, an eleventh redirect, and any change from
   * https to http.
   */
  follow(target: string): void {
    const from = this.url
    const next = this.#endpoint.link(target, from, 'the target of a redirect')
    if (from.protocol === 'https:' && next.protocol !== 'https:') {
      throw this.#error(`a redirect from https to ${plainUrl(next)}, which is not encrypted, is not followed`)
    }
    const loopStart = this.#visited.findIndex((url) => url.href === next.href)
    if (loopStart >= 0) {
      const loop = [...this.#visited.slice(loopStart), next].map(plainUrl).join(' → ')
      throw this.#error(`the redirects go round in a circle: ${loop}`)
    }
    if (this.#visited.length > MAX_REDIRECTS) {
      throw this.#error(`expected at most ${MAX_REDIRECTS} redirects, found more; the last leads to ${plainUrl(next)}`)
    }
    this.#visited.push(next)
    this.#trusted = this.#trusted && this.#endpoint.owns(next)
  }

  /** Returns the error for a redirect of a request that must not be redirected. */
  unexpected(status: number): ApiError {
    return this.#error(`expected an answer from ${plainUrl(this.url)}, found a redirect`, status)
  }

  #error(problem: string, status?: number): ApiError {
    return new ApiError('ERR_API_REDIRECT', `${this.#what}: ${problem}`, { status, url: plainUrl(this.url) })
  }
}

/** Returns `Location`, or `Locations`, as the vendor's documentation spells it. */
export function locationOf(response: HttpResponse): string | undefined {
  const text = header(response.headers, 'location') ?? header(response.headers, 'locations')
  return text === undefined ? undefined : asUtf8(text)
}

/** Decodes a header's text, which has one character per byte; most servers send non-ASCII addresses as UTF-8. */
function asUtf8(text: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'))
  } catch {
    return text
  }
}

/** Returns the target of a 3xx answer. Throws ERR_API_REDIRECT if there is none. */
export function redirectTarget(response: HttpResponse, trail: RedirectTrail): string {
  const target = locationOf(response)
  if (target === undefined) throw trail.unexpected(response.statusCode)
  return target
}
