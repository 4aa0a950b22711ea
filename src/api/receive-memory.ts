/**
 * Memory that a connection receives in, used again and again. Made anew for every piece, it would cost as much time as
 * receiving itself, and wait in large amounts for the garbage collector.
 */

/** As many as Node asks of a socket at a time. */
const PIECE_BYTES = 64 * 1024

/** Pieces that are kept for later. */
const MOST_FREE = 32

/** The memory of one connection, whose bytes are used in the order in which they come. */
export class ReceiveMemory {
  readonly #free: Buffer[] = []
  /** Received in and not released yet, the oldest first; the last one is what the next bytes come into. */
  readonly #held: Buffer[] = []
  readonly #onNew: (memory: ArrayBufferLike) => void

  /** @param onNew Told of all memory that there will be. */
  constructor(onNew: (memory: ArrayBufferLike) => void) {
    this.#onNew = onNew
  }

  /** What the next bytes are to come into. */
  next(): Buffer {
    const piece = this.#free.pop() ?? this.#newPiece()
    this.#held.push(piece)
    return piece
  }

  /** Frees what was received before the piece that holds these bytes: nobody looks at it any more. */
  releaseBefore(bytes: Uint8Array): void {
    const index = this.#held.findIndex((piece) => piece.buffer === bytes.buffer)
    if (index <= 0) return
    for (const piece of this.#held.splice(0, index)) if (this.#free.length < MOST_FREE) this.#free.push(piece)
  }

  #newPiece(): Buffer {
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
    this.#onNew(piece.buffer)
    return piece
  }
}
