/** AbortSignals → errors. */

import { AbortError } from '../errors.ts'

/** Returns the error for a signal that has fired; its cause is the signal's reason. */
export function abortError(signal: AbortSignal): AbortError {
  return new AbortError('ERR_ABORTED', 'interrupted before it was done', { cause: signal.reason })
}

/**
 * Settles as the promise does, or rejects at once on an abort, since a silent stream must not delay it.
 * @throws AbortError when the signal fires first.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  if (signal.aborted) {
    promise.catch(() => undefined)
    return Promise.reject(abortError(signal))
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortError(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(
      (result) => {
        signal.removeEventListener('abort', onAbort)
        resolve(result)
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort)
        reject(signal.aborted ? abortError(signal) : error)
      },
    )
  })
}
