/** Writes varints: seven bits per byte, the lowest first; the highest bit of a byte means that more bytes follow. */

export function writeVarint(value: u64, out: usize): usize {
  let rest = value
  while (rest >= 128) {
    store<u8>(out++, <u8>(rest | 128))
    rest >>= 7
  }
  store<u8>(out++, <u8>rest)
  return out
}

/** Writes a signed number with the sign in the lowest bit, so that small ones stay short. */
export function writeZigzag(value: i64, out: usize): usize {
  return writeVarint(<u64>((value << 1) ^ (value >> 63)), out)
}
