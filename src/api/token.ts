/** The bearer token: given by the caller, or requested with client id and secret and renewed before it expires. */

import { OptionError } from '../errors.ts'
import type { Clock } from './clock.ts'
import type { Operation } from './operation.ts'

export interface TokenSource {
  /** Returns a token that should be valid now. */
  current(operation: Operation): Promise<string>
  /** Reports that the API refused `token`; returns whether a new one can be requested. */
  refused(token: string): boolean
}

/** A token that the caller obtained elsewhere. */
export class GivenToken implements TokenSource {
  readonly #token: string

  constructor(token: string) {
    this.#token = token
  }

  async current(): Promise<string> {
    return this.#token
  }

  refused(): boolean {
    return false
  }
}

export interface IssuedToken {
  readonly token: string
  /** Lifetime in milliseconds; undefined if the answer has none: the token is then used until it is refused. */
  readonly lifeMs: number | undefined
}

/** Requests a token; `noteProblem` is called with failures that are retried. */
export type IssueToken = (signal: AbortSignal, noteProblem: (detail: string) => void) => Promise<IssuedToken>

/** A token is renewed this long before it expires. */
const RENEWAL_LEAD_MS = 60_000

/** Gets tokens from `issue`, with one request for all calls that need one at the same time. */
export class RenewedToken implements TokenSource {
  readonly #issue: IssueToken
  readonly #clock: Clock
  #current: { token: string; renewAtMs: number } | undefined
  #renewal: SharedRenewal | undefined

  constructor(issue: IssueToken, clock: Clock) {
    this.#issue = issue
    this.#clock = clock
  }

  async current(operation: Operation): Promise<string> {
    if (this.#current !== undefined && this.#clock.now() < this.#current.renewAtMs) return this.#current.token
    if (this.#renewal === undefined || this.#renewal.abandoned) {
      const renewal = new SharedRenewal((signal, noteProblem) => this.#renew(signal, noteProblem))
      const forget = () => {
        if (this.#renewal === renewal) this.#renewal = undefined
      }
      renewal.token.then(forget, forget)
      this.#renewal = renewal
    }
    return this.#renewal.join(operation)
  }

  refused(token: string): boolean {
    // Another call may have renewed it since.
    if (this.#current?.token === token) this.#current = undefined
    return true
  }

  async #renew(...request: Parameters<IssueToken>): Promise<string> {
    const askedAtMs = this.#clock.now()
    const { token, lifeMs } = await this.#issue(...request)
    const useMs = lifeMs === undefined ? Number.POSITIVE_INFINITY : usableMs(lifeMs)
    this.#current = { token, renewAtMs: askedAtMs + useMs }
    return token
  }
}

/** Returns how long to use a token, in milliseconds; half its lifetime if that is shorter than the lead. */
function usableMs(lifeMs: number): number {
  return lifeMs > RENEWAL_LEAD_MS ? lifeMs - RENEWAL_LEAD_MS : lifeMs / 2
}

/** One token request that several calls await; it is cancelled when the last of them gives up. */
class SharedRenewal {
  readonly token: Promise<string>
  readonly #abort = new AbortController()
  readonly #waiting = new Set<Operation>()

  constructor(renew: (...request: Parameters<IssueToken>) => Promise<string>) {
    this.token = renew(this.#abort.signal, (detail) => {
      for (const operation of this.#waiting) operation.noteProblem(detail)
    })
  }

  get abandoned(): boolean {
    return this.#abort.signal.aborted
  }

  async join(operation: Operation): Promise<string> {
    this.#waiting.add(operation)
    const { signal } = operation
    let stop = () => {}
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(operation.failure)
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
    try {
      return await Promise.race([this.token, stopped])
    } finally {
      signal.removeEventListener('abort', stop)
      this.#waiting.delete(operation)
      if (this.#waiting.size === 0) this.#abort.abort()
    }
  }
}

/** Returns a secret trimmed and fit for a header. Throws OptionError, which does not show it. */
export function secretText(what: string, value: string): string {
  return checkedSecret(what, value, /^[\x21-\x7e]+$/)
}

/** Returns a client id or secret, trimmed; OAuth allows spaces inside. Throws OptionError, which does not show it. */
export function credentialText(what: string, value: string): string {
  return checkedSecret(what, value, /^[\x20-\x7e]+$/)
}

function checkedSecret(what: string, value: string, form: RegExp): string {
  const text = typeof value === 'string' ? value.trim() : ''
  if (form.test(text)) return text
  const found =
    text === '' ? 'nothing' : 'a text with characters that it cannot have, such as a line break or an accent'
  throw new OptionError('ERR_OPTION', `expected ${what}, found ${found}`)
}
