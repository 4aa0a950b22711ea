/** Rows of one column that the kernel has decoded; a column appends them all at once. */

export interface ColumnBlock {
  /** First row of the block: the column's own row modulo 8, so that validity bytes can be copied as they are. */
  readonly first: number
  readonly rows: number
  /** One bit per row, least significant first; 0 before `first` and after the last row. */
  readonly validity: Uint8Array
  /** One fixed-width value per row: indices, float64, or timestamps as pairs of words. 0 for rows without a value. */
  readonly values: Int16Array | Int32Array | Float64Array
  /**
   * Lays out the texts or lists of the rows in sequence.
   * @param base Added to each end.
   */
  gather(base: number): Gathered
}

/** Texts or lists, valid until the next `gather`. */
export interface Gathered {
  /** Position at which the text or list of each row ends. */
  readonly ends: Int32Array
  /** UTF-8 bytes, or indices. */
  readonly elements: Uint8Array | Int16Array | Int32Array
}

/** Up to this many elements, a loop copies faster than a call of `set`. */
const SHORT_COPY = 24

/** Copies `from[start…end-1]` to `into`, from index `at` on. */
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
