/** One call of the client. Combines its caller's signal and its deadline, with the error that each of them causes. */

import { AbortError, ApiError, type ExportError } from '../errors.ts'
import { type OptionNames, wrongValueError } from '../option-values.ts'
import type { Clock } from './clock.ts'

export interface OperationOptions {
  /** Aborts the call: its requests are cancelled, and it throws an AbortError (ERR_ABORTED). */
  signal?: AbortSignal | undefined
  /** Maximum time for the whole call in milliseconds, including waiting and retries; then ERR_API_TIMEOUT. */
  deadlineMs?: number | undefined
}

export const OPERATION_OPTION_NAMES: OptionNames<OperationOptions> = { signal: true, deadlineMs: true }

/** Node's timers take at most a signed 32-bit number of milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1

export class Operation {
  /** What the call does, as in "the download timed out". */
  readonly what: string
  readonly clock: Clock
  readonly #abort = new AbortController()
  readonly #callerSignal: AbortSignal | undefined
  readonly #deadlineMs: number
  readonly #startMs: number
  #timer: NodeJS.Timeout | undefined
  #failure: ExportError | undefined
  readonly #onProblem: ((detail: string) => void) | undefined
  #problem = ''

  /**
   * @param onProblem Called with every detail passed to `noteProblem`.
   * @throws OptionError `ERR_OPTION` for a deadline that is no number of milliseconds.
   */
  constructor(what: string, options: OperationOptions, clock: Clock, onProblem?: (detail: string) => void) {
    const { deadlineMs = Number.POSITIVE_INFINITY } = options
    if (typeof deadlineMs !== 'number' || !(deadlineMs >= 0)) {
      throw wrongValueError('deadlineMs', 'a number of milliseconds from 0 on', deadlineMs)
    }
    this.#onProblem = onProblem
    this.what = what
    this.clock = clock
    this.#startMs = clock.now()
    this.#deadlineMs = deadlineMs
    this.#callerSignal = options.signal
    if (options.signal?.aborted) this.#onAbort()
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (this.#deadlineMs <= MAX_TIMER_MS) {
      this.#timer = setTimeout(() => this.#fail(this.#timeout()), this.#deadlineMs)
      this.#timer.unref()
    }
  }

  /** Fires when the caller aborts, at the deadline, and when the operation ends. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get elapsedMs(): number {
    return this.clock.now() - this.#startMs
  }

  get remainingMs(): number {
    return this.#deadlineMs - this.elapsedMs
  }

  /** Set once the caller's signal has fired or the deadline has passed. */
  get failure(): ExportError | undefined {
    return this.#failure
  }

  /** Records a detail (the last failure, or the last status) for the message of a timeout. */
  noteProblem(detail: string): void {
    this.#problem = detail
    this.#onProblem?.(detail)
  }

  /** Throws AbortError or ERR_API_TIMEOUT if the operation is over. */
  check(detail?: string): void {
    if (this.#failure === undefined && this.remainingMs <= 0) this.#fail(this.#timeout(detail))
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Waits, then checks. Throws at once if the pause would exceed the deadline. */
  async pause(delayMs: number, detail: string): Promise<void> {
    this.noteProblem(detail)
    this.check(detail)
    if (delayMs > this.remainingMs) {
      this.#fail(this.#timeout(detail))
    } else if (delayMs > 0) {
      await this.clock.sleep(delayMs, this.signal)
    }
    this.check(detail)
  }

  /** Releases the timer and the listener, and cancels what is still running. */
  end(): void {
    clearTimeout(this.#timer)
    this.#callerSignal?.removeEventListener('abort', this.#onAbort)
    this.#abort.abort()
  }

  readonly #onAbort = (): void => {
    this.#fail(new AbortError('ERR_ABORTED', `${this.what} was aborted`))
  }

  #timeout(detail = this.#problem): ApiError {
    const seconds = Math.round(this.#deadlineMs) / 1000
    return new ApiError('ERR_API_TIMEOUT', `${this.what} took longer than ${seconds} s${detail}`)
  }

  #fail(error: ExportError): void {
    this.#failure ??= error
    this.#abort.abort()
  }
}
