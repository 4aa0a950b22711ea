/** Copies a JSON value without the white space between its tokens. */

import { isWhitespace, QUOTE } from './bytes.ts'
import type { Cursor } from './cursor.ts'
import type { TextBuffer } from './text.ts'

/** Appends the value at the cursor as compact JSON; every token is copied unchanged from the source. */
export function readCompactJson(cursor: Cursor, buffer: TextBuffer): void {
  const start = cursor.pos
  cursor.skipValue()
  const end = cursor.pos
  const { bytes } = cursor
  let run = start
  for (let p = start; p < end; ) {
    if (bytes[p] === QUOTE) {
      cursor.pos = p
      cursor.skipString()
      p = cursor.pos
    } else if (isWhitespace(bytes[p]!)) {
      buffer.append(bytes, run, p)
      while (isWhitespace(bytes[p]!)) p++
      run = p
    } else {
      p++
    }
  }
  buffer.append(bytes, run, end)
  cursor.pos = end
}
