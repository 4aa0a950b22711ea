/** Finds the smallest and largest of a column's values. */

/** Widens `[smallest, largest]` at `bounds` to include 64-bit floating point numbers; NaN is ignored. */
export function extremeDoubles(values: usize, count: u32, bounds: usize): void {
  let smallest = load<f64>(bounds)
  let largest = load<f64>(bounds, 8)
  for (let i: u32 = 0; i < count; i++) {
    const value = load<f64>(values + ((<usize>i) << 3))
    if (value < smallest) smallest = value
    if (value > largest) largest = value
  }
  store<f64>(bounds, smallest)
  store<f64>(bounds, largest, 8)
}

/** Does the same for signed 64-bit integers. */
export function extremeIntegers(values: usize, count: u32, bounds: usize): void {
  let smallest = load<i64>(bounds)
  let largest = load<i64>(bounds, 8)
  for (let i: u32 = 0; i < count; i++) {
    const value = load<i64>(values + ((<usize>i) << 3))
    if (value < smallest) smallest = value
    if (value > largest) largest = value
  }
  store<i64>(bounds, smallest)
  store<i64>(bounds, largest, 8)
}

/**
 * Finds the smallest and largest of one or more consecutive texts by their bytes. Their lengths are 64-bit numbers at
 * `lengths`; if that is 0, each text follows its length in four bytes, as in a dictionary.
 * @param bounds Gets the address and length of the smallest text, then of the largest one, four bytes each.
 */
export function extremeTexts(lengths: usize, count: u32, texts: usize, bounds: usize): void {
  let smallest: usize = 0
  let smallestLength: u32 = 0
  let smallestStart: u64 = u64.MAX_VALUE
  let largest: usize = 0
  let largestLength: u32 = 0
  let largestStart: u64 = 0
  let text = texts
  for (let i: u32 = 0; i < count; i++) {
    let length: u32
    if (lengths === 0) {
      length = load<u32>(text)
      text += 4
    } else length = <u32>load<u64>(lengths + ((<usize>i) << 3))
    const start = firstBytes(text, length)
    if (start <= smallestStart && (i === 0 || isBelow(text, length, smallest, smallestLength))) {
      smallest = text
      smallestLength = length
      smallestStart = start
    }
    if (start >= largestStart && (i === 0 || isBelow(largest, largestLength, text, length))) {
      largest = text
      largestLength = length
      largestStart = start
    }
    text += length
  }
  store<u32>(bounds, <u32>smallest)
  store<u32>(bounds, smallestLength, 4)
  store<u32>(bounds, <u32>largest, 8)
  store<u32>(bounds, largestLength, 12)
}

/** Returns the first eight bytes as a number with the same order; shorter texts are padded with zeros. */
function firstBytes(text: usize, length: u32): u64 {
  const start = bswap<u64>(load<u64>(text))
  return length >= 8 ? start : length === 0 ? 0 : start & ~(~(<u64>0) >> (length << 3))
}

function isBelow(a: usize, aLength: u32, b: usize, bLength: u32): bool {
  const shared = min<u32>(aLength, bLength)
  let i: u32 = 0
  for (; i + 8 <= shared; i += 8) {
    const aBytes = load<u64>(a + i)
    const bBytes = load<u64>(b + i)
    if (aBytes !== bBytes) return bswap<u64>(aBytes) < bswap<u64>(bBytes)
  }
  for (; i < shared; i++) {
    const aByte = load<u8>(a + i)
    const bByte = load<u8>(b + i)
    if (aByte !== bByte) return aByte < bByte
  }
  return aLength < bLength
}
