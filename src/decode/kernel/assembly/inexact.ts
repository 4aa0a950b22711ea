// Numbers that one float64 operation may round incorrectly. For each, a note of four i32 (field, row, address and
// length of its text) lets the TypeScript side parse the text again.

let notes: usize = 0
let capacity: i32 = 0
let count: i32 = 0
let countBefore: i32 = 0

export function setInexact(notesAt: usize, noteCapacity: i32): void {
  notes = notesAt
  capacity = noteCapacity
}

export function inexact(): i32 {
  return count
}

export function clearInexact(): void {
  count = 0
}

/** Whether there is room for `more` notes. */
export function hasRoomForInexact(more: i32): bool {
  return count <= capacity - more
}

export function beginInexact(): void {
  countBefore = count
}

export function rollBackInexact(): void {
  count = countBefore
}

export function noteInexact(field: i32, row: i32, start: usize, length: usize): void {
  const note = notes + ((<usize>count) << 4)
  store<i32>(note, field)
  store<i32>(note, row, 4)
  store<u32>(note, <u32>start, 8)
  store<u32>(note, <u32>length, 12)
  count++
}
