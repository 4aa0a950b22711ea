/** Reports progress to callers at a limited rate. */

/** Milliseconds between two reports. */
const REPORT_MS = 100

/** Returns `onProgress`, passing to `onRejected` what an asynchronous one rejects with: its promises are not awaited. */
function withoutRejections<Progress>(
  onProgress: ((progress: Progress) => void) | undefined,
  onRejected: (error: unknown) => void,
): ((progress: Progress) => void) | undefined {
  if (onProgress === undefined) return undefined
  return (progress) => {
    const result: unknown = onProgress(progress)
    if (result instanceof Promise) result.catch(onRejected)
  }
}

/** Passes the progress to `onProgress` ten times per second, when a phase begins, and at the end. */
export class ProgressReports<Progress> {
  readonly #onProgress: ((progress: Progress) => void) | undefined
  #ask: (() => Progress) | undefined
  #timer: NodeJS.Timeout | undefined
  /** What `onProgress` threw in the timer, which must not end the process. */
  #failure: { readonly error: unknown } | undefined

  constructor(onProgress: ((progress: Progress) => void) | undefined) {
    this.#onProgress = withoutRejections(onProgress, (error) => {
      this.#failure = { error }
    })
  }

  /** Begins a phase, in which `ask` returns the progress. */
  watch(ask: () => Progress): void {
    if (this.#onProgress === undefined) return
    this.#onProgress(ask())
    this.#ask = ask
    this.#timer ??= setInterval(() => this.#tick(), REPORT_MS).unref()
  }

  /**
   * Stops and makes the last report.
   * @throws whatever `onProgress` has thrown so far or throws now; to be called before the output is committed.
   */
  finish(): void {
    this.stop()
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#ask !== undefined) this.#onProgress?.(this.#ask())
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    try {
      if (this.#ask !== undefined) this.#onProgress?.(this.#ask())
    } catch (error) {
      this.#failure = { error }
      this.stop()
    }
  }
}

/** Passes on the latest progress: at once, or as soon as 100 ms have passed since the last report. */
export class ThrottledReports<Progress> {
  readonly #onProgress: ((progress: Progress) => void) | undefined
  #waiting: { readonly progress: Progress } | undefined
  /** Runs for 100 ms after each report. */
  #timer: NodeJS.Timeout | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(onProgress: ((progress: Progress) => void) | undefined) {
    this.#onProgress = withoutRejections(onProgress, (error) => {
      this.#failure = { error }
    })
  }

  /** @throws whatever `onProgress` throws now, or has thrown since the last call. */
  add(progress: Progress): void {
    if (this.#onProgress === undefined) return
    if (this.#failure !== undefined) throw this.#failure.error
    this.#waiting = { progress }
    if (this.#timer === undefined) this.flush()
  }

  /**
   * Reports at once what is waiting, if anything.
   * @throws as `add` does.
   */
  flush(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#tick(), REPORT_MS).unref()
    this.#onProgress?.(waiting.progress)
  }

  /** Drops what is waiting. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting = undefined
  }

  #tick(): void {
    this.#timer = undefined
    try {
      this.flush()
    } catch (error) {
      this.#failure = { error }
    }
  }
}
