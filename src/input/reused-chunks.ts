/** Streams of bytes whose chunks are memory that is used again, once their reader has said that it may be. */

/** The name of the method, which nobody calls by accident. */
export const releaseChunk: unique symbol = Symbol('alida-arrow.releaseChunk')

export interface ReusedChunks extends AsyncIterable<Uint8Array> {
  /** Says that a chunk, and all chunks before it, are not looked at any more. Without it, nothing is used again. */
  [releaseChunk](chunk: Uint8Array): void
}

/** What to call when a chunk was used; undefined for streams of the usual kind. */
export function releaserOf(chunks: AsyncIterable<Uint8Array>): ((chunk: Uint8Array) => void) | undefined {
  const reused = chunks as Partial<ReusedChunks>
  return reused[releaseChunk]?.bind(reused)
}
