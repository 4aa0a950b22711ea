/**
 * The memory that a decoder shares with its kernel: windows of the document, so that input is read to where the kernel
 * reads it, and behind them what the kernel needs. It never grows: growing would take the windows away.
 */

const PAGE_BYTES = 1 << 16
/** Bytes that no region begins within: address 0 stands for "nothing". Also what regions are aligned to. */
const ALIGNMENT = 16
/** Bytes behind a region that a vector may reach into. */
const PADDING = 64

/**
 * Room for two windows and the kernel of a usual survey; a larger one has a memory of its own. What is not written takes
 * none of the machine, but the engine counts all of it, and collects garbage the sooner.
 */
const SHARED_BYTES = 3 * 2 ** 24

/** Longer windows are copied, this many bytes at a time. */
export const WINDOW_BYTES = 2 ** 21

/** Regions one behind another, before there is a memory. */
export class MemoryPlan {
  #end: number

  constructor(start = ALIGNMENT) {
    this.#end = start
  }

  /** Plans a region; returns its address. */
  add(bytes: number): number {
    const address = this.#end
    this.#end = Math.ceil((address + bytes + PADDING) / ALIGNMENT) * ALIGNMENT
    return address
  }

  get end(): number {
    return this.#end
  }

  /** @throws RangeError when there is no room for it. */
  build(): WebAssembly.Memory {
    return memoryOf(this.#end)
  }
}

export class DecoderMemory {
  #memory: WebAssembly.Memory | undefined
  #end = ALIGNMENT

  /** A window of so many bytes, all of them NUL: in the shared memory if it has room. */
  window(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > WINDOW_BYTES) return new Uint8Array(bytes)
    const plan = this.plan()
    const address = plan.add(bytes)
    const memory = this.take(plan)
    return memory === undefined ? new Uint8Array(bytes) : new Uint8Array(memory.buffer as ArrayBuffer, address, bytes)
  }

  /** A plan that goes on behind what is taken. */
  plan(): MemoryPlan {
    return new MemoryPlan(this.#end)
  }

  /** Takes what was planned; undefined when there is no room for it. */
  take(plan: MemoryPlan): WebAssembly.Memory | undefined {
    if (plan.end > SHARED_BYTES) return undefined
    try {
      this.#memory ??= memoryOf(SHARED_BYTES)
    } catch (error) {
      // Where address space is short, there are no windows to share.
      if (!(error instanceof RangeError)) throw error
      return undefined
    }
    this.#end = plan.end
    return this.#memory
  }
}

function memoryOf(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES)
  return new WebAssembly.Memory({ initial: pages, maximum: pages })
}
