/** The kernel's memory: what is planned first is laid out one behind another, and never grows. */

const PAGE_BYTES = 1 << 16
/** Vectors are loaded from anywhere; this only keeps words whole. */
const ALIGNMENT = 16
/** Bytes behind the last region that a vector may reach into. */
const PADDING = 64

export class MemoryPlan {
  /** Address 0 stands for "nothing". */
  #end = ALIGNMENT

  /** Plans a region; returns its address. */
  add(bytes: number): number {
    const address = this.#end
    this.#end = Math.ceil((address + bytes) / ALIGNMENT) * ALIGNMENT
    return address
  }

  get bytes(): number {
    return this.#end + PADDING
  }

  build(): WebAssembly.Memory {
    const pages = Math.ceil(this.bytes / PAGE_BYTES)
    return new WebAssembly.Memory({ initial: pages, maximum: pages })
  }
}
