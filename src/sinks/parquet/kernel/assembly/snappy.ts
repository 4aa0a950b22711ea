/**
 * Compresses to Snappy's block format, without its preamble (the length). Elements are literals (tag `length - 1 << 2`,
 * or 60 or 61 instead of `length - 1` if one or two bytes of length follow) and copies of 4 to 64 bytes from at most 64
 * KiB before (tag ends in 1: three bits of length, eleven of offset; in 2: six bits of length, two bytes of offset).
 */

/** Matches are searched for within blocks of this size, so that positions and offsets fit in 16 bits. */
const BLOCK_BYTES: usize = 65536

const MAX_TABLE_BITS: u32 = 14

/** No matches are searched for in the last bytes of a block, so that no load reads beyond its end. */
const TAIL_BYTES: usize = 15

/** Maximum bytes skipped at a time. Limited, since bytes that look random may be followed by text. */
const MAX_SKIP_BYTES: u32 = 32

/** Compresses `length` bytes. `table` must have room for 2^14 16-bit numbers. Returns the end of what was written. */
export function compressSnappy(source: usize, length: usize, table: usize, out: usize): usize {
  const end = source + length
  while (source < end) {
    const blockEnd = min<usize>(end, source + BLOCK_BYTES)
    out = compressBlock(source, blockEnd, table, out)
    source = blockEnd
  }
  return out
}

function slotOf(word: u32, shift: u32): usize {
  return (<usize>((word * 0x9e3779b1) >> shift)) << 1
}

function compressBlock(start: usize, end: usize, table: usize, out: usize): usize {
  const length = <u32>(end - start)
  if (length < <u32>TAIL_BYTES + 1) return writeLiteral(start, length, out)
  let tableBits: u32 = 8
  while (tableBits < MAX_TABLE_BITS && (<u32>1) << tableBits < length) tableBits++
  memory.fill(table, 0, (<usize>2) << tableBits)
  const shift = 32 - tableBits
  const last = end - TAIL_BYTES
  let literal = start
  let pos = start + 1
  while (pos <= last) {
    // The longer no match is found, the more bytes are skipped. In units of 1/32 byte.
    let skip: u32 = 32
    let match: usize
    for (;;) {
      const word = load<u32>(pos)
      const slot = table + slotOf(word, shift)
      match = start + <usize>load<u16>(slot)
      store<u16>(slot, <u16>(pos - start))
      if (load<u32>(match) === word) break
      pos += <usize>(skip >> 5)
      skip = min<u32>(skip + (skip >> 5), MAX_SKIP_BYTES << 5)
      if (pos > last) return writeLiteral(literal, <u32>(end - literal), out)
    }
    if (pos > literal) out = writeLiteral(literal, <u32>(pos - literal), out)
    for (;;) {
      const matched = matchEnd(match + 4, pos + 4, end) - pos
      out = writeCopy(<u32>(pos - match), <u32>matched, out)
      pos += matched
      literal = pos
      if (pos > last) break
      store<u16>(table + slotOf(load<u32>(pos - 1), shift), <u16>(pos - 1 - start))
      const word = load<u32>(pos)
      const slot = table + slotOf(word, shift)
      match = start + <usize>load<u16>(slot)
      store<u16>(slot, <u16>(pos - start))
      if (load<u32>(match) !== word) break
    }
    pos++
  }
  return literal < end ? writeLiteral(literal, <u32>(end - literal), out) : out
}

/** Returns the end of the bytes from `pos` on that are equal to those from `match` on. */
function matchEnd(match: usize, pos: usize, end: usize): usize {
  while (pos + 8 <= end) {
    const difference = load<u64>(pos) ^ load<u64>(match)
    if (difference !== 0) return pos + <usize>(ctz(difference) >> 3)
    pos += 8
    match += 8
  }
  while (pos < end && load<u8>(pos) === load<u8>(match)) {
    pos++
    match++
  }
  return pos
}

function writeLiteral(from: usize, length: u32, out: usize): usize {
  const n = length - 1
  if (n < 60) {
    store<u8>(out++, <u8>(n << 2))
  } else if (n < 256) {
    store<u8>(out, 60 << 2)
    store<u8>(out, <u8>n, 1)
    out += 2
  } else {
    store<u8>(out, 61 << 2)
    store<u16>(out, <u16>n, 1)
    out += 3
  }
  if (length > 64) {
    memory.copy(out, from, length)
    return out + length
  }
  // Copies whole words; excess bytes are overwritten by the next element.
  for (let i: usize = 0; i < <usize>length; i += 16) v128.store(out + i, v128.load(from + i))
  return out + length
}

function writeCopy(offset: u32, length: u32, out: usize): usize {
  // The rest must have at least four bytes.
  while (length >= 68) {
    out = writeLongCopy(offset, 64, out)
    length -= 64
  }
  if (length > 64) {
    out = writeLongCopy(offset, 60, out)
    length -= 60
  }
  if (length >= 12 || offset >= 2048) return writeLongCopy(offset, length, out)
  store<u16>(out, <u16>(1 | ((length - 4) << 2) | ((offset >> 8) << 5) | ((offset & 255) << 8)))
  return out + 2
}

function writeLongCopy(offset: u32, length: u32, out: usize): usize {
  store<u8>(out, <u8>(2 | ((length - 1) << 2)))
  store<u16>(out, <u16>offset, 1)
  return out + 3
}
