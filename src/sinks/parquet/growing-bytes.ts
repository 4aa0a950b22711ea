/** Bytes that are written one behind another, without knowing how many there will be. */

/**
 * Bytes with room for `needed`, the first `length` of which are those given: the same ones where they have it, else
 * twice as many or more.
 */
export function withRoom(bytes: Uint8Array<ArrayBuffer>, length: number, needed: number): Uint8Array<ArrayBuffer> {
  if (needed <= bytes.length) return bytes
  const longer = new Uint8Array(Math.max(needed, bytes.length * 2))
  longer.set(bytes.subarray(0, length))
  return longer
}
