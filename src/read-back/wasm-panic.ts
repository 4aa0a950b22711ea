/** parquet-wasm answers some damage by a panic that its promise knows nothing of: it never settles. */

/**
 * Waits for a promise of parquet-wasm.
 * @throws whatever the promise rejects with, or the `WebAssembly.RuntimeError` of a panic meanwhile.
 */
export async function settledOrPanicked<T>(promise: Promise<T>): Promise<T> {
  const panic = new PanicWatch()
  try {
    return await Promise.race([promise, panic.promise])
  } finally {
    panic.stop()
  }
}

class PanicWatch {
  readonly promise: Promise<never>
  #reject: (reason: unknown) => void = () => {}
  readonly #listener = (error: unknown) => {
    if (error instanceof WebAssembly.RuntimeError) return this.#reject(error)
    // Thrown by a listener, it ends the process as if there were none.
    throw error
  }

  constructor() {
    this.promise = new Promise((_, reject) => {
      this.#reject = reject
    })
    process.on('uncaughtException', this.#listener)
  }

  stop(): void {
    process.off('uncaughtException', this.#listener)
  }
}
