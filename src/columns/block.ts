/** Rows of one column that were decoded elsewhere, to be taken over as a whole. */

export interface ColumnBlock {
  /** Row of the block that is the first one to take: the column's own row, modulo 8, so that bits are in their places. */
  readonly first: number
  readonly rows: number
  /** A bit a row, least significant first; 0 in front of `first` and behind the last row. */
  readonly validity: Uint8Array
  /**
   * A value a row where all are of one width: indices, float64, or timestamps as pairs of words. 0 for rows without one.
   */
  readonly values: Int16Array | Int32Array | Float64Array
  /**
   * Lays out the texts or lists of the rows one behind another.
   * @param base Added to each end.
   */
  gather(base: number): Gathered
}

/** Texts or lists, until the next `gather`. */
export interface Gathered {
  /** Where the text or list of each row ends. */
  readonly ends: Int32Array
  /** UTF-8 bytes, or indices. */
  readonly elements: Uint8Array | Int16Array | Int32Array
}

/** Below this many elements a loop copies faster than the call to the engine's own copy. */
const SHORT_COPY = 24

/** Copies `from[start…end-1]` to `into`, at `at` and behind. */
export function copyElements<A extends Uint8Array | Int8Array | Int16Array | Int32Array | Float64Array>(
  from: A | ColumnBlock['values'] | Gathered['elements'],
  start: number,
  end: number,
  into: A,
  at: number,
): void {
  if (end - start > SHORT_COPY) into.set(from.subarray(start, end), at)
  else for (let i = start; i < end; i++) into[at++] = from[i]!
}
