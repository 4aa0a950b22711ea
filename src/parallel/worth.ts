/** Whether several threads are worth their start. */

/** Below this size one thread is as fast: each worker has its code to load and to warm up. */
const SMALLEST_POOL_BYTES = 256 * 2 ** 20

/** Each thread has every column to plan and to describe, which takes about as long as so much JSON. */
const BYTES_PER_COLUMN = 2 ** 20

/**
 * @param columns Of the table; 0 while nobody knows.
 * @param smallestBytes Instead of what the columns say; for tests.
 */
export function isWorthAPool(
  documentBytes: number,
  columns: number,
  smallestBytes: number = SMALLEST_POOL_BYTES + columns * BYTES_PER_COLUMN,
): boolean {
  return documentBytes >= smallestBytes
}
