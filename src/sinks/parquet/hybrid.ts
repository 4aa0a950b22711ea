/**
 * Parquet's hybrid of run lengths and bit packing, for levels and dictionary indices.
 *
 * A run is `varint(length << 1)` and the value in whole bytes; a packed stretch is `varint(groups << 1 | 1)` and its
 * groups of eight values, each value `width` bits, least significant first.
 */

/** Bits that hold every number up to `largest`. */
export function bitWidth(largest: number): number {
  return 32 - Math.clz32(largest)
}

/** Bytes that `encodeHybrid` and `encodeBits` need at most for `count` values. */
export function hybridCapacity(count: number, width: number): number {
  return ((count + 7) >> 3) * width + 32
}

/** Shortest run that is smaller as a run: it costs its header and value, and a header for what is packed behind it. */
export function shortestRun(width: number): number {
  const overheadBytes = 4 + ((width + 7) >> 3)
  return 8 * (Math.floor(overheadBytes / width) + 1)
}

/**
 * Writes `values[0..count)` at `pos` and returns the position behind it. `values` must have room for seven more numbers
 * than `count`; they are overwritten.
 */
export function encodeHybrid(values: Int32Array, count: number, width: number, out: Uint8Array, pos: number): number {
  const shortest = shortestRun(width)
  // The last group is filled up with zeros.
  values.fill(0, count, count + 7)
  let packedFrom = 0
  let i = 0
  while (i + shortest <= count) {
    const value = values[i]!
    if (value !== values[i + 1] || value !== values[i + shortest - 1]) {
      i += 8
      continue
    }
    let end = i + 2
    while (end < count && values[end] === value) end++
    if (end - i < shortest) {
      i += 8
      continue
    }
    pos = writePacked(values, packedFrom, i, width, out, pos)
    pos = writeRun(value, end - i, width, out, pos)
    packedFrom = i = end
  }
  return writePacked(values, packedFrom, count, width, out, pos)
}

/** Writes one run: the whole of a level stream in which all entries are alike. */
export function writeRun(value: number, length: number, width: number, out: Uint8Array, pos: number): number {
  pos = writeVarint(length * 2, out, pos)
  for (let bits = 0; bits < width; bits += 8) out[pos++] = value >>> bits
  return pos
}

/** Groups of eight alike that are worth a run of their own in a stream of single bits. */
const SHORTEST_RUN_BYTES = shortestRun(1) >> 3

/**
 * The same for values of one bit that are packed already, as an Arrow validity bitmap is. Bits behind `count` in the last
 * byte must be 0.
 */
export function encodeBits(bits: Uint8Array, count: number, out: Uint8Array, pos: number): number {
  const wholeBytes = count >> 3
  const allBytes = (count + 7) >> 3
  let packedFrom = 0
  let i = 0
  while (i + SHORTEST_RUN_BYTES <= wholeBytes) {
    const byte = bits[i]!
    if ((byte !== 0 && byte !== 255) || bits[i + SHORTEST_RUN_BYTES - 1] !== byte) {
      i++
      continue
    }
    let end = i + 1
    while (end < wholeBytes && bits[end] === byte) end++
    if (end - i < SHORTEST_RUN_BYTES) {
      i = end
      continue
    }
    pos = writePackedBits(bits, packedFrom, i, out, pos)
    pos = writeRun(byte & 1, (end - i) * 8, 1, out, pos)
    packedFrom = i = end
  }
  return writePackedBits(bits, packedFrom, allBytes, out, pos)
}

function writePackedBits(bits: Uint8Array, from: number, to: number, out: Uint8Array, pos: number): number {
  if (from === to) return pos
  pos = writeVarint((to - from) * 2 + 1, out, pos)
  out.set(bits.subarray(from, to), pos)
  return pos + to - from
}

function writePacked(
  values: Int32Array,
  from: number,
  to: number,
  width: number,
  out: Uint8Array,
  pos: number,
): number {
  if (from === to) return pos
  const groups = (to - from + 7) >> 3
  pos = writeVarint(groups * 2 + 1, out, pos)
  const end = from + groups * 8
  if (fitsInOneWord(width)) packInOneWord(values, from, end, width, out, pos)
  else if (fitsInTwoWords(width)) packInTwoWords(values, from, end, width, out, pos)
  else packAnyWidth(values, from, end, width, out, pos)
  return pos + groups * width
}

function fourPacked(values: Int32Array, i: number, width: number): number {
  const low = values[i]! | (values[i + 1]! << width)
  return low | ((values[i + 2]! | (values[i + 3]! << width)) << (2 * width))
}

/** Do eight values fit in 32 bits? */
export function fitsInOneWord(width: number): boolean {
  return width <= 4
}

/** Packs `values[from..end)`, a multiple of eight, at `pos`. */
export function packInOneWord(
  values: Int32Array,
  from: number,
  end: number,
  width: number,
  out: Uint8Array,
  pos: number,
): void {
  const four = 4 * width
  for (let i = from; i < end; i += 8) {
    const low = fourPacked(values, i, width)
    const high = fourPacked(values, i + 4, width)
    const word = low | (high << four)
    out[pos++] = word
    if (width === 1) continue
    out[pos++] = word >>> 8
    if (width === 2) continue
    out[pos++] = word >>> 16
    if (width === 4) out[pos++] = word >>> 24
  }
}

/** Do four values fit in 32 bits, eight not? */
export function fitsInTwoWords(width: number): boolean {
  return width > 4 && width <= 8
}

/** Packs `values[from..end)`, a multiple of eight, at `pos`. */
export function packInTwoWords(
  values: Int32Array,
  from: number,
  end: number,
  width: number,
  out: Uint8Array,
  pos: number,
): void {
  const four = 4 * width
  for (let i = from; i < end; i += 8) {
    const low = fourPacked(values, i, width)
    const high = fourPacked(values, i + 4, width)
    // A shift by 32 would be one by 0.
    const first = width === 8 ? low : low | (high << four)
    const second = width === 8 ? high : high >>> (32 - four)
    out[pos++] = first
    out[pos++] = first >>> 8
    out[pos++] = first >>> 16
    out[pos++] = first >>> 24
    out[pos++] = second
    if (width === 5) continue
    out[pos++] = second >>> 8
    if (width === 6) continue
    out[pos++] = second >>> 16
    if (width === 8) out[pos++] = second >>> 24
  }
}

/** Packs `values[from..end)`, a multiple of eight, at `pos`, for every width up to 32. */
export function packAnyWidth(
  values: Int32Array,
  from: number,
  end: number,
  width: number,
  out: Uint8Array,
  pos: number,
): void {
  const lowWidth = Math.min(width, 16)
  const highWidth = width - lowWidth
  const lowMask = 2 ** lowWidth - 1
  let word = 0
  let bits = 0
  for (let i = from; i < end; i++) {
    const value = values[i]!
    // At most 7 bits are left over, so that 16 more always fit.
    word |= (value & lowMask) << bits
    bits += lowWidth
    while (bits >= 8) {
      out[pos++] = word
      word >>>= 8
      bits -= 8
    }
    if (highWidth === 0) continue
    word |= (value >>> lowWidth) << bits
    bits += highWidth
    while (bits >= 8) {
      out[pos++] = word
      word >>>= 8
      bits -= 8
    }
  }
}

function writeVarint(value: number, out: Uint8Array, pos: number): number {
  let rest = value
  while (rest >= 128) {
    out[pos++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  out[pos++] = rest
  return pos
}
