/** Computes the levels of lists. */

/**
 * Appends the levels of lists without null items; null lists must be empty. The definition levels, one byte each, and
 * the repetition bits from `entry` on must already be those of further elements; each row only sets its first one.
 * @param validity 0 if no list is null.
 * @returns the number of entries afterwards; -1 if a null list has elements.
 */
export function appendLists(
  offsets: usize,
  validity: usize,
  bit: u32,
  rows: u32,
  definitions: usize,
  repetitions: usize,
  entry: u32,
  nullList: u32,
  emptyList: u32,
  present: u32,
): i32 {
  let from = load<i32>(offsets)
  for (let row: u32 = 0; row < rows; row++) {
    const to = load<i32>(offsets + ((<usize>row) << 2), 4)
    const count = to - from
    from = to
    const at = bit + row
    const isValid: u32 = validity === 0 ? 1 : (load<u8>(validity + (at >> 3)) >> (at & 7)) & 1
    const isFilled: u32 = count > 0 ? 1 : 0
    if (isValid < isFilled) return -1
    const level = select<u32>(select<u32>(present, emptyList, isFilled === 1), nullList, isValid === 1)
    store<u8>(definitions + entry, <u8>level)
    const byte = repetitions + (entry >> 3)
    store<u8>(byte, <u8>(<u32>load<u8>(byte) & ~((<u32>1) << (entry & 7))))
    entry += <u32>count + 1 - isFilled
  }
  return <i32>entry
}
