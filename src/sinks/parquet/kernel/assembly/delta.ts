/**
 * Encodes as DELTA_BINARY_PACKED: blocks of differences from the previous value, less the smallest difference of the
 * block, packed in as many bits as each of the block's four parts needs.
 */

import { writeVarint, writeZigzag } from './varint'

const BLOCK_VALUES: u32 = 256
const PART_VALUES: u32 = 64
const PARTS: u32 = BLOCK_VALUES / PART_VALUES

/**
 * Encodes 64-bit numbers. `work` must have room for the differences of a block. Returns the end of what was written.
 */
export function encodeDeltas(values: usize, count: u32, work: usize, out: usize): usize {
  out = writeVarint(BLOCK_VALUES, out)
  out = writeVarint(PARTS, out)
  out = writeVarint(count, out)
  out = writeZigzag(count === 0 ? 0 : load<i64>(values), out)
  for (let i: u32 = 1; i < count; i += BLOCK_VALUES) {
    out = encodeBlock(values + ((<usize>i) << 3), min<u32>(BLOCK_VALUES, count - i), work, out)
  }
  return out
}

function encodeBlock(values: usize, count: u32, work: usize, out: usize): usize {
  let smallest: i64 = i64.MAX_VALUE
  for (let i: usize = 0; i < <usize>count; i++) {
    const at = values + (i << 3)
    const difference = load<i64>(at) - load<i64>(at - 8)
    smallest = min<i64>(smallest, difference)
    store<i64>(work + (i << 3), difference)
  }
  out = writeZigzag(smallest, out)
  let widths = out
  out += PARTS
  for (let part: u32 = 0; part < BLOCK_VALUES; part += PART_VALUES) {
    const differences = work + ((<usize>part) << 3)
    const filled = count > part ? min<u32>(PART_VALUES, count - part) : 0
    const width = subtract(differences, filled, smallest)
    store<u8>(widths++, <u8>width)
    if (width > 0) out = packPart(differences, width, out)
  }
  return out
}

/**
 * Subtracts the smallest difference from each, zeros the rest of the part, and returns the bits that each number needs.
 */
function subtract(differences: usize, count: u32, smallest: i64): u64 {
  let bits: u64 = 0
  const end = differences + ((<usize>count) << 3)
  for (let at = differences; at < end; at += 8) {
    const rest = <u64>(load<i64>(at) - smallest)
    bits |= rest
    store<u64>(at, rest)
  }
  memory.fill(end, 0, (<usize>(PART_VALUES - count)) << 3)
  return 64 - clz(bits)
}

/** Packs 64 values of `width` bits, which are `width` words. */
function packPart(values: usize, width: u64, out: usize): usize {
  let word: u64 = 0
  let bits: u64 = 0
  const end = values + ((<usize>PART_VALUES) << 3)
  for (let at = values; at < end; at += 8) {
    const value = load<u64>(at)
    word |= value << bits
    bits += width
    if (bits < 64) continue
    store<u64>(out, word)
    out += 8
    bits -= 64
    // A shift by 64 would be a shift by 0.
    word = bits === 0 ? 0 : value >> (width - bits)
  }
  return out
}
