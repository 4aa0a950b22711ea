/** Memory layout of the kernel's field descriptors, the same as in `assembly/layout.ts`; a test compares both. */

export const FIELD_BYTES = 64

/** Byte offsets in a field's descriptor; all values are i32. */
export const FieldAt = {
  kind: 0,
  column: 4,
  slots: 8,
  slotBits: 12,
  options: 16,
  stamps: 20,
  cells: 24,
  validity: 28,
  record: 32,
  indexBytes: 36,
  dirtyCells: 40,
} as const

export const FieldKind = {
  /** Not read by the kernel: a record that answers the field is left to the general path. */
  other: -1,
  /** The field has no column. */
  none: 0,
  dictionary: 1,
  list: 2,
  double: 3,
  timestamp: 4,
  text: 5,
} as const

export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind]

/** Bytes from one quoted GUID of a table to the next. */
export const GUID_STRIDE = 48
