/** Converts chunks to bytes, and copies bytes quickly in shared memory too. */

/**
 * Copies all of `from` to offset `at` of `into`. If one of them is in shared memory, `set` copies byte by byte, which
 * takes four times as long, unless both offsets are multiples of eight. `fill`, with exactly the bytes that it fills,
 * does not.
 */
export function copyBytes(from: Uint8Array, into: Uint8Array, at: number): void {
  if (from.length > 0) Buffer.prototype.fill.call(into, from, at, at + from.length)
}

/**
 * Returns a chunk of a stream as bytes; strings are encoded as UTF-8.
 * @throws TypeError if the chunk is neither bytes nor a string.
 */
export function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk === 'string') return Buffer.from(chunk)
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk)
  throw new TypeError('expected the stream of an export to give bytes')
}
