/** Copies parts of the kernel's memory into buffers that are reused for every column. */

const BUFFER_BYTES = 4 * 1024 * 1024

/** Buffers that are kept for the next column; columns seldom need more. */
const MAX_KEPT_BUFFERS = 2

export class PageCopies {
  readonly #buffers: Uint8Array[] = []
  #number = 0
  #used = 0

  /** Returns a copy, which is valid until `reuse` is called. */
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

  /** Makes the buffers available for the next column. */
  reuse(): void {
    this.#number = this.#used = 0
    this.#buffers.length = Math.min(this.#buffers.length, MAX_KEPT_BUFFERS)
  }
}
