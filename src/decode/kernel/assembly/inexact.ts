// Numbers that one float64 operation may round wrong. They are noted with their place, and the TypeScript side reads
// their text again: field, row, address, length (i32 each).

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

/** Whether so many more can be noted. */
export function hasRoomForInexact(more: i32): bool {
  return count <= capacity - more
}

export function beginInexact(): void {
  countBefore = count
}

export function takeBackInexact(): void {
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
