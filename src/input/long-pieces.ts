/**
 * Combines the short chunks of a stream into chunks of 1 MiB. Sockets and pipes give thousands of short ones for an
 * export, and passing each from generator to generator would take longer than receiving it.
 */

import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { asBytes, copyBytes } from './copy-bytes.ts'
import type { BufferPool } from './receive-memory.ts'

/** Length of a chunk; files are read in chunks of the same length. */
export const CHUNK_BYTES = 1 << 20

/** A chunk is passed on after this time, however short it is, so that a slow stream still shows progress. */
const MAX_WAIT_MS = 100

/**
 * Reads a stream to its end, at most one chunk ahead of the consumer, and destroys it. Bytes received before a failure
 * are yielded before it is thrown.
 *
 * @param pool Provides the buffers of the chunks.
 * @param onCopied Called with each chunk of the stream once its bytes are copied.
 * @throws TypeError if the stream yields anything but bytes or strings; whatever the stream fails with.
 */
export async function* coalesceChunks(
  stream: Readable,
  pool: BufferPool,
  onCopied: (chunk: Uint8Array) => void = () => undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = new Chunks(pool)
  let end: { failure?: unknown } | undefined
  let wake: () => void = () => undefined
  const onEnd = (how: { failure?: unknown }) => {
    end = how
    wake()
  }
  finished(stream, { writable: false }).then(
    () => onEnd({}),
    (failure: unknown) => onEnd({ failure }),
  )
  stream.on('data', (chunk: unknown) => {
    try {
      const bytes = asBytes(chunk)
      chunks.append(bytes)
      onCopied(bytes)
    } catch (failure) {
      stream.destroy(failure as Error)
    }
    if (!chunks.isReady) return
    stream.pause()
    wake()
  })
  // A stream does not flow while it has another listener to `readable`.
  const readOn = () => {
    while (!chunks.isReady && stream.read() !== null);
  }
  if (stream.listenerCount('readable') > 0) stream.on('readable', readOn)
  try {
    for (;;) {
      if (end !== undefined) chunks.finishChunk()
      const chunk = chunks.take()
      if (chunk !== undefined) {
        yield chunk
      } else if (end !== undefined) {
        if ('failure' in end) throw end.failure
        return
      } else {
        const change = new Promise<void>((resolve) => {
          wake = resolve
        })
        const timer = setTimeout(() => {
          chunks.finishChunk()
          wake()
        }, MAX_WAIT_MS)
        stream.resume()
        if (stream.readableFlowing === false) readOn()
        await change
        clearTimeout(timer)
      }
    }
  } finally {
    stream.destroy()
  }
}

class Chunks {
  readonly #pool: BufferPool
  readonly #ready: Uint8Array[] = []
  #chunk: Buffer
  #length = 0

  constructor(pool: BufferPool) {
    this.#pool = pool
    this.#chunk = pool.next()
  }

  get isReady(): boolean {
    return this.#ready.length > 0
  }

  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.#chunk.length - this.#length)
      copyBytes(part, this.#chunk, this.#length)
      this.#length += part.length
      at += part.length
      if (this.#length === this.#chunk.length) this.finishChunk()
    }
  }

  take(): Uint8Array | undefined {
    return this.#ready.shift()
  }

  /** Makes a chunk of the bytes appended so far, however few; does nothing if there are none. */
  finishChunk(): void {
    if (this.#length === 0) return
    this.#ready.push(this.#chunk.subarray(0, this.#length))
    this.#chunk = this.#pool.next()
    this.#length = 0
  }
}
