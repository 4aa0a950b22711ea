/** One way to copy bytes, whatever memory they are in. */

/**
 * Copies all of `from` to `at` of `into`. Where threads share the memory of one of them, `set` copies byte by byte unless
 * both places are multiples of eight, which takes four times as long; `fill` with as many bytes as there is room for does
 * not.
 */
export function copyBytes(from: Uint8Array, into: Uint8Array, at: number): void {
  if (from.length > 0) Buffer.prototype.fill.call(into, from, at, at + from.length)
}
