/** A cursor over a text or bytes, as a window shows them. */

import { Cursor, SENTINEL_BYTES } from '../src/json/cursor.ts'

export function cursorOver(input: string | Uint8Array, isLast = true): Cursor {
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input
  const cursor = new Cursor()
  cursor.bytes = new Uint8Array(bytes.length + SENTINEL_BYTES)
  cursor.bytes.set(bytes)
  cursor.view = new DataView(cursor.bytes.buffer)
  cursor.end = bytes.length
  cursor.isLast = isLast
  return cursor
}
