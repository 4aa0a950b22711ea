/**
 * The dictionary of one column: values in order of first occurrence, looked up in a hash table of their indices + 1. It
 * has the layout of the dictionary page: numbers of eight bytes, or texts, each after its length in four bytes.
 */

const HASH_FACTOR: u64 = 0x9e3779b97f4a7c15

let slots: usize = 0
let slotBits: u64 = 0
/** Address of the array of addresses at which the dictionary's texts begin. */
let starts: usize = 0
let body: usize = 0
let bodyEnd: usize = 0
let bodyLimit: usize = 0
let entries: u32 = 0
let maxEntries: u32 = 0

/** Empties the dictionary. Its table has `2 ** bits` slots, half of which can be used. */
export function beginDictionary(slotsAt: usize, bits: u32, startsAt: usize, bodyAt: usize, bodyBytes: usize): void {
  slots = slotsAt
  slotBits = bits
  starts = startsAt
  body = bodyAt
  bodyEnd = bodyAt
  bodyLimit = bodyAt + bodyBytes
  entries = 0
  maxEntries = 1 << (bits - 1)
  memory.fill(slotsAt, 0, (<usize>4) << bits)
}

export function dictionaryEntries(): u32 {
  return entries
}

export function dictionaryBytes(): usize {
  return bodyEnd - body
}

/** Writes the index of each 64-bit number, adding new ones. Returns false if the dictionary is full. */
export function indexNumbers(values: usize, count: u32, indices: usize): bool {
  const mask = (1 << (<u32>slotBits)) - 1
  const end = values + ((<usize>count) << 3)
  for (; values < end; values += 8) {
    const value = load<u64>(values)
    let slot = <u32>((value * HASH_FACTOR) >> (64 - slotBits))
    let entry: u32
    for (;;) {
      entry = load<u32>(slots + ((<usize>slot) << 2))
      if (entry === 0) {
        if (entries === maxEntries || bodyEnd + 8 > bodyLimit) return false
        entry = ++entries
        store<u32>(slots + ((<usize>slot) << 2), entry)
        store<u64>(bodyEnd, value)
        bodyEnd += 8
        break
      }
      if (load<u64>(body + ((<usize>(entry - 1)) << 3)) === value) break
      slot = (slot + 1) & mask
    }
    store<u32>(indices, entry - 1)
    indices += 4
  }
  return true
}

/** Does the same for consecutive texts, whose lengths are 64-bit numbers. */
export function indexTexts(lengths: usize, count: u32, bytes: usize, indices: usize): bool {
  let before: usize = 0
  let lengthBefore: u32 = u32.MAX_VALUE
  let entry: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const length = <u32>load<u64>(lengths + ((<usize>i) << 3))
    if (length !== lengthBefore || !isEqual(before, bytes, length)) {
      entry = entryOf(bytes, length)
      if (entry === 0) return false
    }
    store<u32>(indices + ((<usize>i) << 2), entry - 1)
    before = bytes
    lengthBefore = length
    bytes += length
  }
  return true
}

/** Returns the index + 1 of a text, adding it if it is new; 0 if there is no room for it. */
function entryOf(text: usize, length: u32): u32 {
  const mask = (1 << (<u32>slotBits)) - 1
  let slot = <u32>(hashOf(text, length) >> (64 - slotBits))
  let entry = load<u32>(slots + ((<usize>slot) << 2))
  while (entry !== 0) {
    const known = <usize>load<u32>(starts + ((<usize>(entry - 1)) << 2))
    if (load<u32>(known) === length && isEqual(known + 4, text, length)) return entry
    slot = (slot + 1) & mask
    entry = load<u32>(slots + ((<usize>slot) << 2))
  }
  if (entries === maxEntries || bodyEnd + 4 + length > bodyLimit) return 0
  store<u32>(starts + ((<usize>entries) << 2), <u32>bodyEnd)
  store<u32>(slots + ((<usize>slot) << 2), ++entries)
  store<u32>(bodyEnd, length)
  memory.copy(bodyEnd + 4, text, length)
  bodyEnd += 4 + length
  return entries
}

function hashOf(text: usize, length: u32): u64 {
  let hash: u64 = <u64>length * HASH_FACTOR
  let rest = length
  while (rest >= 8) {
    hash = mix(hash, load<u64>(text))
    text += 8
    rest -= 8
  }
  if (rest > 0) hash = mix(hash, load<u64>(text) & (((<u64>1) << (rest << 3)) - 1))
  return hash
}

function mix(hash: u64, word: u64): u64 {
  const product = (hash ^ word) * HASH_FACTOR
  return product ^ (product >> 32)
}

function isEqual(a: usize, b: usize, length: u32): bool {
  let rest = length
  while (rest >= 8) {
    if (load<u64>(a) !== load<u64>(b)) return false
    a += 8
    b += 8
    rest -= 8
  }
  if (rest === 0) return true
  return ((load<u64>(a) ^ load<u64>(b)) & (((<u64>1) << (rest << 3)) - 1)) === 0
}
