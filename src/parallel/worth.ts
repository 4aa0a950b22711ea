/** Decides whether several threads are worth starting. */

/** Below this size one thread is as fast, since each worker has to load and warm up its code. */
const MIN_POOL_BYTES = 256 * 2 ** 20

/** Each thread plans and describes every column, which takes about as long per column as converting this much JSON. */
const BYTES_PER_COLUMN = 2 ** 20

/**
 * Returns whether a document is large enough for several threads.
 * @param columns Columns of the table; 0 if their number is not known yet.
 * @param minBytes Replaces the threshold computed from the columns; for tests.
 */
export function isWorthAPool(
  documentBytes: number,
  columns: number,
  minBytes: number = MIN_POOL_BYTES + columns * BYTES_PER_COLUMN,
): boolean {
  return documentBytes >= minBytes
}
