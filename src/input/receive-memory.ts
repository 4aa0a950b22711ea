/**
 * Memory that bytes are received in, used again and again. Made anew for every piece, it would cost as much time as
 * receiving itself, and wait in large amounts for the garbage collector.
 */

import type { OnReadOpts, Socket } from 'node:net'

/** As many as Node asks of a socket at a time. */
export const SOCKET_PIECE_BYTES = 64 * 1024

/** Pieces that are kept for later. */
const MOST_FREE = 8

/** Pieces that are waited for: who never releases any shall not make them stay. */
const MOST_HELD = 8

/** Pieces of memory, of equal length, whose bytes are used in the order in which they come. */
export class ReceiveMemory {
  readonly #pieceBytes: number
  readonly #free: Buffer[] = []
  /** Handed out last and not released yet, the oldest first. */
  readonly #held: Buffer[] = []
  readonly #onNew: (memory: ArrayBufferLike) => void

  /** @param onNew Told of all memory that there will be. */
  constructor(pieceBytes: number, onNew: (memory: ArrayBufferLike) => void = () => undefined) {
    this.#pieceBytes = pieceBytes
    this.#onNew = onNew
  }

  /** What the next bytes are to come into. */
  next(): Buffer {
    const piece = this.#free.pop() ?? this.#newPiece()
    this.#held.push(piece)
    if (this.#held.length > MOST_HELD) this.#held.shift()
    return piece
  }

  /** Frees what was received before the piece that holds these bytes: nobody looks at it any more. */
  releaseBefore(bytes: Uint8Array): void {
    const index = this.#held.findIndex((piece) => piece.buffer === bytes.buffer)
    if (index <= 0) return
    for (const piece of this.#held.splice(0, index)) if (this.#free.length < MOST_FREE) this.#free.push(piece)
  }

  #newPiece(): Buffer {
    const piece = Buffer.allocUnsafeSlow(this.#pieceBytes)
    this.#onNew(piece.buffer)
    return piece
  }
}

/** How a socket receives in it: as ever otherwise. */
export function receivingIn(memory: ReceiveMemory): OnReadOpts {
  return {
    buffer: () => memory.next(),
    callback(this: Socket, byteLength, buffer) {
      return this.push(buffer.subarray(0, byteLength))
    },
  }
}
