// The fields of the definition, found by their ids, and the two members of a record that become columns as well.

import { addGuid, findGuid } from './guids'
import { FIELD_BYTES, Field } from './layout'

/** All descriptors: the definition's fields, then `ownerId` and `lastUpdateDate`. */
let descriptors: usize = 0
/** Fields of the definition. */
export let fieldCount: i32 = 0
/** Their ids: quoted GUIDs, and the hash table that finds them. */
let ids: usize = 0
let slots: usize = 0
let slotBits: u32 = 0

export function setFields(descriptorsAt: usize, count: i32, idsAt: usize, slotsAt: usize, bits: u32): void {
  descriptors = descriptorsAt
  fieldCount = count
  ids = idsAt
  slots = slotsAt
  slotBits = bits
  for (let i = 0; i < count; i++) addGuid(i, idsAt, slotsAt, bits)
}

/** Enters the options of a field, whose ids are in memory, into its hash table. */
export function addOptions(index: i32, count: i32): void {
  const field = fieldAt(index)
  for (let i = 0; i < count; i++) addGuid(i, field.options, field.slots, field.slotBits)
}

export function fieldAt(index: i32): Field {
  return changetype<Field>(descriptors + <usize>index * FIELD_BYTES)
}

/** Returns the index of the field whose quoted id is at `p`; -1 if there is none. */
export function findField(p: usize): i32 {
  return findGuid(p, ids, slots, slotBits)
}

/** All columns that a block may have: the fields, `ownerId` and `lastUpdateDate`. */
export function columnCount(): i32 {
  return fieldCount + 2
}

export function ownerId(): Field {
  return fieldAt(fieldCount)
}

export function lastUpdateDate(): Field {
  return fieldAt(fieldCount + 1)
}
