/** A growable byte buffer. */

/**
 * Returns `bytes` if it has at least `needed` bytes; otherwise a copy of its first `length` bytes in an array of at
 * least twice its size.
 */
export function withRoom(bytes: Uint8Array<ArrayBuffer>, length: number, needed: number): Uint8Array<ArrayBuffer> {
  if (needed <= bytes.length) return bytes
  const longer = new Uint8Array(Math.max(needed, bytes.length * 2))
  longer.set(bytes.subarray(0, length))
  return longer
}
