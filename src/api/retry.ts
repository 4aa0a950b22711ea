/** Decides which failures are transient, and how long to wait before the next attempt. */

import { ApiError } from '../errors.ts'
import type { OptionNames } from '../option-values.ts'
import type { Clock } from './clock.ts'
import type { Operation } from './operation.ts'

/** How transient failures are retried. */
export interface RetryPolicy {
  /** Maximum consecutive failures that are retried. */
  readonly retries: number
  /** First pause, in milliseconds; each further one is twice as long. Half of each is random. */
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** If a server asks for a longer pause than this, in milliseconds, the call fails. */
  readonly maxRetryAfterMs: number
}

export const DEFAULT_RETRY: RetryPolicy = {
  retries: 5,
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  maxRetryAfterMs: 600_000,
}

export const RETRY_OPTION_NAMES: OptionNames<RetryPolicy> = {
  retries: true,
  baseDelayMs: true,
  maxDelayMs: true,
  maxRetryAfterMs: true,
}

interface TemporaryFailureOptions {
  retryAfterMs?: number | undefined
  /** The first retry needs no pause, because only the link had expired. */
  atOnce?: boolean
  /** The server never saw the request or refused to act on it, so that a retry cannot take effect twice. */
  notActedOn?: boolean
}

/** A transient failure. Internal: callers of the client get `error` once the attempts are used up. */
export class TemporaryFailure extends Error {
  readonly error: ApiError
  readonly retryAfterMs: number | undefined
  readonly atOnce: boolean
  readonly notActedOn: boolean

  constructor(error: ApiError, options: TemporaryFailureOptions = {}) {
    super(error.message)
    this.error = error
    this.retryAfterMs = options.retryAfterMs
    this.atOnce = options.atOnce ?? false
    this.notActedOn = options.notActedOn ?? false
  }
}

/** Returns the failure if it is temporary; throws anything else. */
export function requireTemporary(error: unknown): TemporaryFailure {
  if (error instanceof TemporaryFailure) return error
  throw error
}

/**
 * Returns the pause before the next attempt: half of the doubled delay plus a random part of the other half, so that
 * many clients do not retry at the same time.
 */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, clock: Clock): number {
  const delay = Math.min(baseMs * 2 ** (attempt - 1), maxMs)
  return delay / 2 + (delay / 2) * clock.random()
}

/** Waits before the next attempt, or throws the failure for good. `failures` counts consecutive ones, from 1. */
export async function pauseAfter(
  failure: TemporaryFailure,
  failures: number,
  policy: RetryPolicy,
  operation: Operation,
): Promise<void> {
  operation.check()
  if (failures > policy.retries) throw finalError(failure.error, ` (gave up after ${times(failures)})`)
  const { retryAfterMs } = failure
  if (retryAfterMs !== undefined && retryAfterMs > policy.maxRetryAfterMs) {
    throw finalError(failure.error, ` (it asks to come back in ${Math.ceil(retryAfterMs / 1000)} s)`)
  }
  if (failure.atOnce && failures === 1) return
  const delayMs = backoffMs(failures, policy.baseDelayMs, policy.maxDelayMs, operation.clock)
  await operation.pause(Math.max(delayMs, retryAfterMs ?? 0), `; last failure: ${failure.error.message}`)
}

/** Runs `attempt` until it succeeds, fails for good, or the retries are used up. */
export async function withRetries<T>(
  operation: Operation,
  policy: RetryPolicy,
  attempt: () => Promise<T>,
  mayRepeat: (failure: TemporaryFailure) => boolean = () => true,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    operation.check()
    try {
      return await attempt()
    } catch (error) {
      const failure = requireTemporary(error)
      if (!mayRepeat(failure)) throw finalError(failure.error, '; not repeated, because it may have been acted on')
      await pauseAfter(failure, failures, policy, operation)
    }
  }
}

function times(attempts: number): string {
  return attempts === 1 ? '1 attempt' : `${attempts} attempts`
}

function finalError(error: ApiError, suffix: string): ApiError {
  return new ApiError(error.code, error.message + suffix, {
    status: error.status,
    errorId: error.errorId,
    developerMessage: error.developerMessage,
    url: error.url,
    cause: error.cause,
  })
}
