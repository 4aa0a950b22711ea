/** Copies the values of a batch without its nulls. */

import { bitsAt, onesBelow } from './bits'

export function keepInt8(from: usize, validity: usize, bit: u32, count: u32, into: usize): usize {
  return keep<i8, i32>(from, validity, bit, count, into)
}

export function keepInt16(from: usize, validity: usize, bit: u32, count: u32, into: usize): usize {
  return keep<i16, i32>(from, validity, bit, count, into)
}

export function keepInt32(from: usize, validity: usize, bit: u32, count: u32, into: usize): usize {
  return keep<i32, i32>(from, validity, bit, count, into)
}

export function keepInt64(from: usize, validity: usize, bit: u32, count: u32, into: usize): usize {
  return keep<i64, i64>(from, validity, bit, count, into)
}

/**
 * Copies those of `count` values of type `F`, as type `I`, whose bit of `validity`, from `bit` on, is set; all of them
 * if `validity` is 0.
 * @returns the end of what was written.
 */
function keep<F, I>(from: usize, validity: usize, bit: u32, count: u32, into: usize): usize {
  for (let row: u32 = 0; row < count; row += 64) {
    const rows = min<u32>(64, count - row)
    let word = onesBelow(rows)
    if (validity !== 0) word &= bitsAt(validity, bit + row)
    if (word === ~(<u64>0)) {
      for (let i: usize = 0; i < 64; i++) store<I>(into + i * sizeof<I>(), <I>load<F>(from + i * sizeof<F>()))
      into += 64 * sizeof<I>()
    } else {
      while (word !== 0) {
        store<I>(into, <I>load<F>(from + <usize>ctz(word) * sizeof<F>()))
        into += sizeof<I>()
        word &= word - 1
      }
    }
    from += 64 * sizeof<F>()
  }
  return into
}

/**
 * Writes the lengths of the texts between `count + 1` offsets as 64-bit numbers, without nulls, as `keep` does.
 * @returns their sum; -1 if one of them is negative.
 */
export function keepLengths(offsets: usize, validity: usize, bit: u32, count: u32, into: usize): i32 {
  let sum: i32 = 0
  let signs: i32 = 0
  for (let row: u32 = 0; row < count; row += 64) {
    let word = onesBelow(min<u32>(64, count - row))
    if (validity !== 0) word &= bitsAt(validity, bit + row)
    while (word !== 0) {
      const at = offsets + ((<usize>ctz(word)) << 2)
      const length = load<i32>(at, 4) - load<i32>(at)
      store<i64>(into, <i64>length)
      signs |= length
      sum += length
      into += 8
      word &= word - 1
    }
    offsets += 64 << 2
  }
  return signs < 0 ? -1 : sum
}

/** Removes the bytes of null texts by moving the other texts together in place. Returns their end. */
export function keepTexts(offsets: usize, validity: usize, bit: u32, count: u32, bytes: usize): usize {
  const first = load<i32>(offsets)
  let end = bytes
  for (let row: u32 = 0; row < count; row++) {
    if ((bitsAt(validity, bit + row) & 1) === 0) continue
    const at = offsets + ((<usize>row) << 2)
    const length = load<i32>(at, 4) - load<i32>(at)
    memory.copy(end, bytes + (load<i32>(at) - first), length)
    end += length
  }
  return end
}

/**
 * Sets `inUse[index]` to 1 for each 32-bit index.
 * @returns the position of the first index that is not below `limit`, or `count`.
 */
export function markInUse(indices: usize, count: u32, limit: u32, inUse: usize): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(indices + ((<usize>i) << 2))
    if (index >= limit) return i
    store<u8>(inUse + index, 1)
  }
  return count
}

/** Inserts the length of each text before it, in four bytes, using the room before the texts. Returns the new start. */
export function prefixLengths(lengths: usize, count: u32, texts: usize): usize {
  const start = texts - ((<usize>count) << 2)
  let out = start
  for (let i: u32 = 0; i < count; i++) {
    const length = <usize>load<u64>(lengths + ((<usize>i) << 3))
    store<u32>(out, <u32>length)
    memory.copy(out + 4, texts, length)
    out += 4 + length
    texts += length
  }
  return start
}
