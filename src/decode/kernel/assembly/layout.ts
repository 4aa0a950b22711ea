// The kernel's memory layout. The TypeScript side (`../field-layout.ts`) writes by these numbers; a test compares both.

/** Bytes from one field descriptor to the next. */
export const FIELD_BYTES: usize = 64

/** Describes a question of the definition or one of the record's own members: its values and where they are written. */
@unmanaged
export class Field {
  /** One of the kinds below. */
  kind: i32
  /** Number of its column among those that a record can skip. */
  column: i32
  /** Options: open hash table of `1 << slotBits` i32, each 1 + the number of an option, or 0. */
  slots: usize
  slotBits: u32
  /** Options: quoted GUIDs, `GUID_STRIDE` bytes each. */
  options: usize
  /** Options: u32 each, the number of the last answer that chose it. */
  stamps: usize
  /** One cell per row of the block; see the kinds. */
  cells: usize
  /** One bit per row of the block, least significant first. */
  validity: usize
  /** Number of the last record that answered the field. */
  record: u32
  /** Bytes of an index into the options, 2 or 4. */
  indexBytes: i32
  /** Which cells an earlier block has left non-zero: `CELLS_CLEAN` … (see `block.ts`). */
  dirtyCells: i32
}

/** No column: values are checked and dropped. */
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
