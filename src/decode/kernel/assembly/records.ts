export function probe(p: usize): i32 {
  const a = v128.load(p)
  return i8x16.bitmask(i8x16.eq(a, i8x16.splat(0x22)))
}
