// Where everything stands in the kernel's memory. The TypeScript side (`../memory.ts`) writes by these numbers too; a
// test compares the two.

/** A field of the definition, or one of the record's own members: its kind, its options, and its part of a block. */
export const FIELD_BYTES: usize = 64

/** One of the kinds below. */
export const FIELD_KIND: usize = 0
/** i32: what the list of skipped questions calls it. */
export const FIELD_COLUMN: usize = 4
/** Options: open hash table of `1 << FIELD_SLOT_BITS` i32, each 1 + the number of an option or 0. */
export const FIELD_SLOTS: usize = 8
export const FIELD_SLOT_BITS: usize = 12
/** Options: quoted GUIDs, `GUID_STRIDE` bytes each. */
export const FIELD_OPTIONS: usize = 16
/** Options: u32 each, the last answer that chose it. */
export const FIELD_STAMPS: usize = 20
/** A cell per row of the block; see the kinds. */
export const FIELD_CELLS: usize = 24
/** A bit per row of the block, least significant first. */
export const FIELD_VALIDITY: usize = 28
/** u32: the last attempt at a record that answered the field. */
export const FIELD_ATTEMPT: usize = 32
/** i32: bytes of an index into the options, 2 or 4. */
export const FIELD_INDEX_BYTES: usize = 36
/** i32: what the cells hold, where all are of one width (see `records.ts`); 0 at first. */
export const FIELD_CELLS_ARE: usize = 40

/** No column is for it: read for its grammar only. */
export const KIND_NONE: i32 = 0
/** One option; cell: its index, i16 or i32. */
export const KIND_DICTIONARY: i32 = 1
/** Any number of options; cell: u32 address of the i32 indices, u32 count. */
export const KIND_LIST: i32 = 2
/** Cell: f64. */
export const KIND_DOUBLE: i32 = 3
/** Cell: i64, microseconds since 1970. */
export const KIND_TIMESTAMP: i32 = 4
/** Cell: u32 address of the bytes, u32 length. */
export const KIND_TEXT: i32 = 5

/** Bytes from one quoted GUID of a table to the next. */
export const GUID_STRIDE: usize = 48
