/** Damages bytes as disks, networks and careless programs do. */

import type { Random } from '../fixtures/random.ts'

/** Texts that mean something in an export, at the wrong place. */
const SPLINTERS = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'null',
  '0',
  '-',
  'e',
  '.',
  ' ',
  '\u0000',
  '"id":',
  '"values":[',
  '{"ownerId":',
  '\\ud83d',
]

/** A copy with one to three damages: a bit flipped, bytes deleted, inserted, cut off, or moved from elsewhere. */
export function damagedBytes(bytes: Uint8Array, random: Random): Buffer {
  let damaged: Buffer = Buffer.from(bytes)
  for (let i = random.below(3); i >= 0; i--) damaged = damagedOnce(damaged, random)
  return damaged
}

function damagedOnce(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1)
  const length = random.chance(0.7) ? 1 : random.below(60)
  switch (random.below(6)) {
    case 0:
      return flipped(bytes, at, random)
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(SPLINTERS)), bytes.subarray(at)])
    case 3:
      return random.chance(0.2) ? bytes.subarray(0, at) : overwritten(bytes, at, random)
    case 4: {
      const from = random.below(bytes.length + 1)
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + length * 3), bytes.subarray(at)])
    }
    default:
      return digitChanged(bytes, at)
  }
}

function flipped(bytes: Buffer, at: number, random: Random): Buffer {
  const copy = Buffer.from(bytes)
  if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8))
  return copy
}

function overwritten(bytes: Buffer, at: number, random: Random): Buffer {
  const copy = Buffer.from(bytes)
  Buffer.from(random.pick(SPLINTERS)).copy(copy, at)
  return copy
}

/** Another digit or letter: most likely to leave the document valid. */
function digitChanged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  const found = copy.subarray(at).findIndex((byte) => byte >= 0x30 && byte <= 0x7a)
  if (found !== -1) copy[at + found] = (copy[at + found] ?? 0) ^ 1
  return copy
}
