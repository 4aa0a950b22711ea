/** Redirects, followed by hand: a secret must not follow one to another place. */

import { ApiError } from '../errors.ts'
import type { HttpResponse } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import { plainUrl } from './redaction.ts'
import { header } from './response.ts'

const MOST_REDIRECTS = 10

/** The way from the first address to the last, and whether the credentials may still go along. */
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

  /** False from the first address outside the API's own origin on, even if a later one is inside again. */
  get trusted(): boolean {
    return this.#trusted
  }

  /** Goes on to `target`. Throws ERR_API_REDIRECT for a loop, an eleventh redirect, and any way out of https. */
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
    if (this.#visited.length > MOST_REDIRECTS) {
      throw this.#error(`expected at most ${MOST_REDIRECTS} redirects, found more; the last leads to ${plainUrl(next)}`)
    }
    this.#visited.push(next)
    this.#trusted = this.#trusted && this.#endpoint.owns(next)
  }

  /** The error for a redirect where none can be followed. */
  unexpected(status: number): ApiError {
    return this.#error(`expected an answer from ${plainUrl(this.url)}, found a redirect`, status)
  }

  #error(problem: string, status?: number): ApiError {
    return new ApiError('ERR_API_REDIRECT', `${this.#what}: ${problem}`, { status, url: plainUrl(this.url) })
  }
}

/** `Location`, or `Locations`, as the vendor's documentation spells it. */
export function locationOf(response: HttpResponse): string | undefined {
  const text = header(response.headers, 'location') ?? header(response.headers, 'locations')
  return text === undefined ? undefined : asUtf8(text)
}

/** A header's text has a character a byte; what is not ASCII is UTF-8 in the addresses of most servers. */
function asUtf8(text: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'))
  } catch {
    return text
  }
}

/** The target of a 3xx answer. Throws ERR_API_REDIRECT if there is none. */
export function redirectTarget(response: HttpResponse, trail: RedirectTrail): string {
  const target = locationOf(response)
  if (target === undefined) throw trail.unexpected(response.statusCode)
  return target
}
