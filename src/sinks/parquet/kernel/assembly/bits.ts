/** Bit sequences, least significant bit first, as in Arrow's validity bitmaps and Parquet's levels of one bit. */

/** Returns the 64 bits from a bit on; those after the end of the bitmap are arbitrary. */
export function bitsAt(bitmap: usize, bit: u32): u64 {
  const at = bitmap + (bit >> 3)
  const shift = <u64>(bit & 7)
  const low = load<u64>(at) >> shift
  return shift === 0 ? low : low | ((<u64>load<u8>(at, 8)) << (64 - shift))
}

/** Returns a number whose lowest `count` bits are set; all 64 if `count` is larger. */
export function onesBelow(count: u32): u64 {
  return count >= 64 ? ~(<u64>0) : ((<u64>1) << count) - 1
}

/**
 * Copies `count` bits from any bit to bit `at`; the bits after them in the last byte become 0.
 * @returns the number of set bits among them.
 */
export function appendBits(from: usize, fromBit: u32, into: usize, at: u32, count: u32): u32 {
  let ones: u32 = 0
  let done: u32 = 0
  while (done < count) {
    const taken = min<u32>(64 - ((at + done) & 7), count - done)
    const word = bitsAt(from, fromBit + done) & onesBelow(taken)
    ones += <u32>popcnt(word)
    storeBits(into, at + done, word)
    done += taken
  }
  return ones
}

/** Appends `count` set bits at bit `at`. */
export function appendOnes(into: usize, at: u32, count: u32): void {
  let done: u32 = 0
  while (done < count) {
    const taken = min<u32>(64 - ((at + done) & 7), count - done)
    storeBits(into, at + done, onesBelow(taken))
    done += taken
  }
}

/** Stores bits from bit `at` on. The bits before it in its byte are kept; up to 64 bits from it on are overwritten. */
function storeBits(into: usize, at: u32, word: u64): void {
  const target = into + (at >> 3)
  const shift = <u64>(at & 7)
  const kept = <u64>load<u8>(target) & (((<u64>1) << shift) - 1)
  store<u64>(target, kept | (word << shift))
}
