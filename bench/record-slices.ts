/** Cuts an export into the bytes of its records without parsing it: what a script does that wants `JSON.parse` to be fast. */
import { closeSync, openSync, readSync } from 'node:fs'

const CHUNK_BYTES = 4 << 20
const RECORDS_KEY = /"records"\s*:\s*\[\s*/
const QUOTED_KEY = /^\{\s*"[^"]+"\s*:/

/** One definition, as the rivals need it. */
export interface FieldOfInterest {
  readonly id: string
  readonly name: string
  readonly type: {
    readonly dataType: string
    readonly values?: readonly { readonly id: string; readonly name: string }[]
  }
}

export interface SlicedExport {
  readonly fields: readonly FieldOfInterest[]
  /** The bytes of one record after another; each is valid until the next is asked for. */
  records(): Generator<Buffer>
  close(): void
}

/**
 * Records are told by the bytes that the first one begins with (`{"ownerId":`), which cannot occur inside a JSON string,
 * since its quotes would be escaped there. `definition` must stand before `records`.
 */
export function sliceExport(file: string): SlicedExport {
  const descriptor = openSync(file, 'r')
  let window = readMore(descriptor, Buffer.alloc(0))
  while (!RECORDS_KEY.test(window.toString('latin1'))) window = readMore(descriptor, window)
  const head = window.toString('latin1')
  const recordsAt = head.search(RECORDS_KEY)
  const listAt = recordsAt + (RECORDS_KEY.exec(head)?.[0].length ?? 0)
  const mark = Buffer.from(QUOTED_KEY.exec(head.slice(listAt))?.[0] ?? '{"ownerId":', 'latin1')
  const { definition } = JSON.parse(`${window.toString('utf8', 0, recordsAt)}"records":[]}`) as {
    definition: { fields: FieldOfInterest[] }
  }
  return {
    fields: definition.fields,
    records: () => slices(descriptor, window.subarray(listAt), mark),
    close: () => closeSync(descriptor),
  }
}

function* slices(descriptor: number, firstBytes: Buffer, mark: Buffer): Generator<Buffer> {
  let window = firstBytes
  let start = window.indexOf(mark)
  while (start >= 0) {
    let next = window.indexOf(mark, start + 1)
    while (next < 0) {
      const longer = readMore(descriptor, window.subarray(start))
      start = 0
      if (longer.length === window.length) {
        yield lastRecord(longer)
        return
      }
      window = longer
      next = window.indexOf(mark, 1)
    }
    yield window.subarray(start, window.lastIndexOf('}', next) + 1)
    start = next
  }
}

/** Without the `]` and `}` that close the document. */
function lastRecord(rest: Buffer): Buffer {
  return rest.subarray(0, rest.lastIndexOf('}', rest.lastIndexOf(']')) + 1)
}

/** The same bytes and the next chunk of the file; the same length at its end. */
function readMore(descriptor: number, kept: Buffer): Buffer {
  const longer = Buffer.allocUnsafe(kept.length + CHUNK_BYTES)
  kept.copy(longer)
  const count = readSync(descriptor, longer, kept.length, CHUNK_BYTES, null)
  return longer.subarray(0, kept.length + count)
}
