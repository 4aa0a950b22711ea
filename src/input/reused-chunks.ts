/** Streams of bytes whose chunks are reused once their reader has released them. */

/** Key of the method; a symbol, so that it is not called by accident. */
export const releaseChunk: unique symbol = Symbol('alida-arrow.releaseChunk')

export interface ReusedChunks extends AsyncIterable<Uint8Array> {
  /** Releases a chunk and all chunks before it for reuse. Chunks that are never released are not reused. */
  [releaseChunk](chunk: Uint8Array): void
}

/** Returns the function that releases a chunk; undefined if the stream does not reuse its chunks. */
export function releaserOf(chunks: AsyncIterable<Uint8Array>): ((chunk: Uint8Array) => void) | undefined {
  const reused = chunks as Partial<ReusedChunks>
  return reused[releaseChunk]?.bind(reused)
}
