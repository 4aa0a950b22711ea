/**
 * A stream's bytes in long pieces. Sockets and pipes give short ones, some thousands for an export, and passing each of
 * them on from generator to generator would take longer than receiving it.
 */

import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { asBytes, copyBytes } from './copy-bytes.ts'
import type { ReceiveMemory } from './receive-memory.ts'

/** As much as is read of a file at a time. */
export const LONG_PIECE_BYTES = 1 << 20

/** A piece is handed on after this time, however short it is: somebody may be watching a slow one. */
const LONGEST_WAIT_MS = 100

/**
 * Reads a stream to its end, no further than one piece ahead, and destroys it. What came before a failure is yielded
 * before it is thrown.
 *
 * @param memory What the pieces are made of.
 * @param onCopied Called with each chunk of the stream once it is not needed any more.
 * @throws TypeError for a stream of something else; whatever the stream fails with.
 */
export async function* longPieces(
  stream: Readable,
  memory: ReceiveMemory,
  onCopied: (chunk: Uint8Array) => void = () => undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = new Pieces(memory)
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
      pieces.append(bytes)
      onCopied(bytes)
    } catch (failure) {
      stream.destroy(failure as Error)
    }
    if (!pieces.isReady) return
    stream.pause()
    wake()
  })
  // A stream does not flow while somebody else listens to `readable`, too.
  const readOn = () => {
    while (!pieces.isReady && stream.read() !== null);
  }
  if (stream.listenerCount('readable') > 0) stream.on('readable', readOn)
  try {
    for (;;) {
      if (end !== undefined) pieces.finishPiece()
      const piece = pieces.take()
      if (piece !== undefined) {
        yield piece
      } else if (end !== undefined) {
        if ('failure' in end) throw end.failure
        return
      } else {
        const change = new Promise<void>((resolve) => {
          wake = resolve
        })
        const timer = setTimeout(() => {
          pieces.finishPiece()
          wake()
        }, LONGEST_WAIT_MS)
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

class Pieces {
  readonly #memory: ReceiveMemory
  readonly #ready: Uint8Array[] = []
  #piece: Buffer
  #length = 0

  constructor(memory: ReceiveMemory) {
    this.#memory = memory
    this.#piece = memory.next()
  }

  get isReady(): boolean {
    return this.#ready.length > 0
  }

  append(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + this.#piece.length - this.#length)
      copyBytes(part, this.#piece, this.#length)
      this.#length += part.length
      at += part.length
      if (this.#length === this.#piece.length) this.finishPiece()
    }
  }

  take(): Uint8Array | undefined {
    return this.#ready.shift()
  }

  /** What there is becomes a piece, however short. */
  finishPiece(): void {
    if (this.#length === 0) return
    this.#ready.push(this.#piece.subarray(0, this.#length))
    this.#piece = this.#memory.next()
    this.#length = 0
  }
}
