/** Copies of what lies in the kernel's memory, in buffers that serve one column after another. */

const BUFFER_BYTES = 4 * 1024 * 1024

/** Columns are seldom larger. */
const MOST_BUFFERS_KEPT = 2

export class PageCopies {
  readonly #buffers: Uint8Array[] = []
  #number = 0
  #used = 0

  /** A copy, which holds until `reuse` is called. */
  add(bytes: Uint8Array): Uint8Array {
    if (bytes.length > BUFFER_BYTES) return bytes.slice()
    if (this.#used + bytes.length > BUFFER_BYTES) {
      this.#number++
      this.#used = 0
    }
    this.#buffers[this.#number] ??= new Uint8Array(BUFFER_BYTES)
    const copy = this.#buffers[this.#number]!.subarray(this.#used, this.#used + bytes.length)
    copy.set(bytes)
    this.#used += bytes.length
    return copy
  }

  /** Gives the buffers to the next column. */
  reuse(): void {
    this.#number = this.#used = 0
    this.#buffers.length = Math.min(this.#buffers.length, MOST_BUFFERS_KEPT)
  }
}
