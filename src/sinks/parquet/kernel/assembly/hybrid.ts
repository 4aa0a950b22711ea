/**
 * Encodes Parquet's hybrid of run lengths and bit packing, used for levels and dictionary indices.
 *
 * A run is `varint(length << 1)`, then the value in whole bytes; a packed stretch is `varint(groups << 1 | 1)`, then
 * its groups of eight values of `width` bits each, least significant bit first.
 */

import { onesBelow } from './bits'
import { writeVarint } from './varint'

/**
 * Returns the length of the shortest run that saves bytes: a run costs its header and value, and a header for what is
 * packed after it.
 */
function minRun(width: u32): u32 {
  const overheadBytes = 4 + ((width + 7) >> 3)
  return 8 * (overheadBytes / width + 1)
}

/** Encodes 32-bit numbers; the seven after them are overwritten. Returns the end of what was written. */
export function encodeIndices(values: usize, count: u32, width: u32, out: usize): usize {
  return encodeHybrid<u32>(values, count, width, out)
}

/** Does the same for numbers of one byte. */
export function encodeLevels(values: usize, count: u32, width: u32, out: usize): usize {
  return encodeHybrid<u8>(values, count, width, out)
}

function at<T>(values: usize, i: u32): u32 {
  return <u32>load<T>(values + <usize>i * sizeof<T>())
}

function encodeHybrid<T>(values: usize, count: u32, width: u32, out: usize): usize {
  const minLength = minRun(width)
  // Pads the last group with zeros.
  memory.fill(values + <usize>count * sizeof<T>(), 0, 7 * sizeof<T>())
  let packedFrom: u32 = 0
  let i: u32 = 0
  while (i + minLength <= count) {
    const value = at<T>(values, i)
    if (value !== at<T>(values, i + 1) || value !== at<T>(values, i + minLength - 1)) {
      i += 8
      continue
    }
    let end = i + 2
    while (end < count && at<T>(values, end) === value) end++
    if (end - i < minLength) {
      i += 8
      continue
    }
    out = writePacked<T>(values, packedFrom, i, width, out)
    out = writeRun(value, end - i, width, out)
    i = end
    packedFrom = end
  }
  return writePacked<T>(values, packedFrom, count, width, out)
}

/** Writes a run; a level stream whose entries are all equal is a single run. */
export function writeRun(value: u32, length: u32, width: u32, out: usize): usize {
  out = writeVarint((<u64>length) << 1, out)
  store<u32>(out, value)
  return out + ((width + 7) >> 3)
}

function writePacked<T>(values: usize, from: u32, to: u32, width: u32, out: usize): usize {
  if (from === to) return out
  const groups = (to - from + 7) >> 3
  out = writeVarint(((<u64>groups) << 1) | 1, out)
  let pos = values + <usize>from * sizeof<T>()
  if (width > 8) return packWide<T>(pos, groups, width, out)
  for (let group: u32 = 0; group < groups; group++) {
    store<u64>(out, sizeof<T>() === 1 ? eightBytes(load<u64>(pos), width) : eightWords(pos, width))
    out += width
    pos += 8 * sizeof<T>()
  }
  return out
}

/** Packs eight values of at most eight bits, one per byte: joins neighbours, then pairs of them, then fours. */
function eightBytes(values: u64, width: u64): u64 {
  const one = 0x0001000100010001 * onesBelow(<u32>width)
  const pairs = (values & one) | ((values >> (8 - width)) & (one << width))
  const two = 0x0000000100000001 * onesBelow(2 * <u32>width)
  const fours = (pairs & two) | ((pairs >> (16 - 2 * width)) & (two << (2 * width)))
  return (fours & 0xffffffff) | ((fours >> 32) << (4 * width))
}

/** Packs eight values of at most eight bits, one per four bytes. */
function eightWords(pos: usize, width: u64): u64 {
  const low = twoWords(load<u64>(pos), width) | (twoWords(load<u64>(pos, 8), width) << (2 * width))
  const high = twoWords(load<u64>(pos, 16), width) | (twoWords(load<u64>(pos, 24), width) << (2 * width))
  return low | (high << (4 * width))
}

function twoWords(values: u64, width: u64): u64 {
  return (values & 0xff) | ((values >> 32) << width)
}

/** Packs values of up to 32 bits; a group of eight ends at a whole byte. */
function packWide<T>(pos: usize, groups: u32, width: u32, out: usize): usize {
  let word: u64 = 0
  let bits: u64 = 0
  const end = pos + <usize>groups * 8 * sizeof<T>()
  for (; pos < end; pos += sizeof<T>()) {
    word |= (<u64>load<T>(pos)) << bits
    bits += width
    if (bits < 32) continue
    store<u32>(out, <u32>word)
    out += 4
    word >>= 32
    bits -= 32
  }
  store<u32>(out, <u32>word)
  return out + <usize>(bits >> 3)
}

/** Returns the number of bits that hold each of the 32-bit numbers. */
export function largestWidth(values: usize, count: u32): u32 {
  let four = i32x4.splat(0)
  let i: u32 = 0
  for (; i + 4 <= count; i += 4) four = v128.or(four, v128.load(values + ((<usize>i) << 2)))
  let bits: u32 = i32x4.extract_lane(four, 0) | i32x4.extract_lane(four, 1)
  bits |= i32x4.extract_lane(four, 2) | i32x4.extract_lane(four, 3)
  for (; i < count; i++) bits |= at<u32>(values, i)
  return 32 - clz(bits)
}

/** Encodes values of one bit that are packed, as in an Arrow bitmap. The bits after them in the last byte become 0. */
export function encodeBits(bits: usize, count: u32, out: usize): usize {
  const minLength = minRun(1) >> 3
  const wholeBytes = count >> 3
  if ((count & 7) !== 0) store<u8>(bits + wholeBytes, load<u8>(bits + wholeBytes) & <u8>onesBelow(count & 7))
  let packedFrom: u32 = 0
  let i: u32 = 0
  while (i + minLength <= wholeBytes) {
    const byte = load<u8>(bits + i)
    if ((byte !== 0 && byte !== 255) || load<u8>(bits + i + minLength - 1) !== byte) {
      i++
      continue
    }
    let end = i + 1
    while (end < wholeBytes && load<u8>(bits + end) === byte) end++
    if (end - i < minLength) {
      i = end
      continue
    }
    out = writePackedBytes(bits, packedFrom, i, out)
    out = writeRun(byte & 1, (end - i) << 3, 1, out)
    i = end
    packedFrom = end
  }
  return writePackedBytes(bits, packedFrom, (count + 7) >> 3, out)
}

function writePackedBytes(bits: usize, from: u32, to: u32, out: usize): usize {
  if (from === to) return out
  out = writeVarint(((<u64>(to - from)) << 1) | 1, out)
  memory.copy(out, bits + from, to - from)
  return out + (to - from)
}
