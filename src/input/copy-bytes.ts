/** Bytes, in whatever form and memory they come. */

/**
 * Copies all of `from` to `at` of `into`. Where threads share the memory of one of them, `set` copies byte by byte unless
 * both places are multiples of eight, which takes four times as long; `fill` with as many bytes as there is room for does
 * not.
 */
export function copyBytes(from: Uint8Array, into: Uint8Array, at: number): void {
  if (from.length > 0) Buffer.prototype.fill.call(into, from, at, at + from.length)
}

/** @throws TypeError for what is no bytes, and no text. */
export function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk === 'string') return Buffer.from(chunk)
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk)
  throw new TypeError('expected the stream of an export to give bytes')
}
