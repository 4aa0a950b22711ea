// Quoted GUIDs → their number, by an open hash table. The 38 bytes of a quoted GUID are compared as 16, 16 and 8 bytes,
// from 0, 16 and 30 on.

import { GUID_STRIDE } from './layout'

export const QUOTED_GUID_BYTES: usize = 38

/** Returns the first slot of a GUID. Mixes both ends, because sequential ids may differ at either end only. */
function slotOf(p: usize, bits: u32): usize {
  const mixed = (load<u64>(p, 1) ^ rotl<u64>(load<u64>(p, 29), 23)) * 0x9e3779b97f4a7c15
  return <usize>(mixed >> (64 - bits))
}

/** Returns the number of the quoted GUID at `p`; -1 if it is not in the table in exactly this spelling. */
export function findGuid(p: usize, guids: usize, slots: usize, bits: u32): i32 {
  const mask: usize = (1 << bits) - 1
  const head = v128.load(p)
  const middle = v128.load(p, 16)
  const tail = load<u64>(p, 30)
  let slot = slotOf(p, bits)
  while (true) {
    const index = load<i32>(slots + (slot << 2)) - 1
    if (index < 0) return -1
    const guid = guids + <usize>index * GUID_STRIDE
    const difference = v128.or(v128.xor(head, v128.load(guid)), v128.xor(middle, v128.load(guid, 16)))
    if (tail === load<u64>(guid, 30) && !v128.any_true(difference)) return index
    slot = (slot + 1) & mask
  }
}

/** Enters a GUID of the table into the first free slot; NUL bytes in its place mean an id of another form. */
export function addGuid(index: i32, guids: usize, slots: usize, bits: u32): void {
  const mask: usize = (1 << bits) - 1
  const guid = guids + <usize>index * GUID_STRIDE
  if (load<u8>(guid) === 0) return
  let slot = slotOf(guid, bits)
  while (load<i32>(slots + (slot << 2)) !== 0) slot = (slot + 1) & mask
  store<i32>(slots + (slot << 2), index + 1)
}
