/** One call of the client: its caller's signal and its deadline in one, and the error each of them stands for. */

import { AbortError, ApiError, type ExportError } from '../errors.ts'
import type { OptionNames } from '../option-values.ts'
import type { Clock } from './clock.ts'

export interface OperationOptions {
  /** Stops the call: its requests are cut, and it throws an AbortError (ERR_ABORTED). */
  signal?: AbortSignal | undefined
  /** Most milliseconds for the whole call, waiting and retries included; then ERR_API_TIMEOUT. */
  deadlineMs?: number | undefined
}

export const OPERATION_OPTION_NAMES: OptionNames<OperationOptions> = { signal: true, deadlineMs: true }

/** Timers hold at most a signed 32-bit number of milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export class Operation {
  /** What is being done, as in "the download timed out". */
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

  /** @param onProblem Told what `noteProblem` is told. */
  constructor(what: string, options: OperationOptions, clock: Clock, onProblem?: (detail: string) => void) {
    this.#onProblem = onProblem
    this.what = what
    this.clock = clock
    this.#startMs = clock.now()
    this.#deadlineMs = options.deadlineMs ?? Number.POSITIVE_INFINITY
    this.#callerSignal = options.signal
    if (options.signal?.aborted) this.#onAbort()
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (this.#deadlineMs <= LONGEST_TIMER_MS) {
      this.#timer = setTimeout(() => this.#fail(this.#timeout()), this.#deadlineMs)
      this.#timer.unref()
    }
  }

  /** Fires on the caller's abort, at the deadline, and when the operation ends. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get elapsedMs(): number {
    return this.clock.now() - this.#startMs
  }

  get remainingMs(): number {
    return this.#deadlineMs - this.elapsedMs
  }

  /** Set once the caller's signal fired or the deadline passed. */
  get failure(): ExportError | undefined {
    return this.#failure
  }

  /** Says what to tell when the deadline passes: the last failure, or the last status. */
  noteProblem(detail: string): void {
    this.#problem = detail
    this.#onProblem?.(detail)
  }

  /** Throws AbortError or ERR_API_TIMEOUT if the operation is over. */
  check(detail?: string): void {
    if (this.#failure === undefined && this.remainingMs <= 0) this.#fail(this.#timeout(detail))
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Waits, then checks. A pause that would pass the deadline is not begun. */
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

  /** Lets go of timer and listener, and cuts what is still running. */
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
