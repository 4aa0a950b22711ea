/**
 * A pool of buffers into which bytes are received. Allocating a buffer for each chunk would take as much time as
 * receiving, and leave large amounts of memory to the garbage collector.
 */

import type { OnReadOpts, Socket } from 'node:net'

/** Length of a socket's buffer, as Node's own default. */
export const SOCKET_BUFFER_BYTES = 64 * 1024

/** Free buffers that are kept for reuse. */
const MAX_FREE = 8

/** Outstanding buffers that are tracked, so that a caller that never releases any does not keep them alive. */
const MAX_HELD = 8

/** Buffers of equal length, which are released in the order in which they were handed out. */
export class BufferPool {
  readonly #bufferBytes: number
  readonly #free: Buffer[] = []
  /** The last buffers handed out and not released yet, the oldest first. */
  readonly #held: Buffer[] = []
  readonly #onNew: (memory: ArrayBufferLike) => void

  /** @param onNew Called with the memory of each buffer when it is allocated. */
  constructor(bufferBytes: number, onNew: (memory: ArrayBufferLike) => void = () => undefined) {
    this.#bufferBytes = bufferBytes
    this.#onNew = onNew
  }

  /** Returns a buffer for the next bytes. */
  next(): Buffer {
    const buffer = this.#free.pop() ?? this.#allocate()
    this.#held.push(buffer)
    if (this.#held.length > MAX_HELD) this.#held.shift()
    return buffer
  }

  /** Frees the buffers handed out before the one that holds these bytes; they must not be read any more. */
  releaseBefore(bytes: Uint8Array): void {
    const index = this.#held.findIndex((held) => held.buffer === bytes.buffer)
    if (index <= 0) return
    for (const buffer of this.#held.splice(0, index)) if (this.#free.length < MAX_FREE) this.#free.push(buffer)
  }

  #allocate(): Buffer {
    const buffer = Buffer.allocUnsafeSlow(this.#bufferBytes)
    this.#onNew(buffer.buffer)
    return buffer
  }
}

/** Returns the `onread` option that makes a socket receive into buffers of the pool, and push them as usual. */
export function receiveInto(pool: BufferPool): OnReadOpts {
  return {
    buffer: () => pool.next(),
    callback(this: Socket, byteLength, buffer) {
      return this.push(buffer.subarray(0, byteLength))
    },
  }
}
