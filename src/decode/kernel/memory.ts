/**
 * The memory that a decoder shares with its kernel: first the windows of the document, so that input is read to where
 * the kernel reads it, then the kernel's own data. It never grows, because growing would detach the windows.
 */

const PAGE_BYTES = 1 << 16
/** Alignment of regions in bytes. The first region begins here, too, because address 0 means "nothing". */
const ALIGNMENT = 16
/** Bytes after a region that a vector load or store may reach into. */
const PADDING = 64

/**
 * Room for two windows and the kernel of a usual survey; a larger one gets a memory of its own. Pages that are not
 * written take no physical memory, but the engine counts all of them and collects garbage earlier.
 */
const SHARED_BYTES = 3 * 2 ** 24

/** Most bytes of a window in the shared memory. Longer windows are copied to the kernel in parts of this size. */
export const WINDOW_BYTES = 2 ** 21

/** Plans regions of a memory in sequence, before the memory is allocated. */
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

  /**
   * Allocates a memory for the regions.
   * @throws RangeError if there is not enough address space.
   */
  build(): WebAssembly.Memory {
    return memoryOf(this.#end)
  }
}

export class DecoderMemory {
  #memory: WebAssembly.Memory | undefined
  #end = ALIGNMENT

  /** Returns a window of this many NUL bytes, in the shared memory if it has room. */
  window(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > WINDOW_BYTES) return new Uint8Array(bytes)
    const plan = this.plan()
    const address = plan.add(bytes)
    const memory = this.take(plan)
    return memory === undefined ? new Uint8Array(bytes) : new Uint8Array(memory.buffer as ArrayBuffer, address, bytes)
  }

  /** Begins a plan for the rest of the shared memory. */
  plan(): MemoryPlan {
    return new MemoryPlan(this.#end)
  }

  /** Reserves the planned regions and returns the shared memory; undefined if it has no room for them. */
  take(plan: MemoryPlan): WebAssembly.Memory | undefined {
    if (plan.end > SHARED_BYTES) return undefined
    try {
      this.#memory ??= memoryOf(SHARED_BYTES)
    } catch (error) {
      // Not enough address space: windows are ordinary arrays.
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
