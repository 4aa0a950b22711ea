/** Clock and randomness as an interface, so that tests are fast and deterministic. */

import { setTimeout as timer } from 'node:timers/promises'

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number
  /** Resolves after `delayMs`, or as soon as `signal` fires. Never rejects. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>
  /** A number in [0, 1). */
  random(): number
}

/** Node's timers take at most a signed 32-bit number of milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: async (delayMs, signal) => {
    try {
      await timer(Math.min(delayMs, MAX_TIMER_MS), undefined, { signal })
    } catch {
      // The caller checks the signal.
    }
  },
}
