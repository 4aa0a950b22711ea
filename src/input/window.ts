/** The part of the document that is being decoded, and the part after it that is read meanwhile. */

import { type Cursor, SENTINEL_BYTES } from '../json/cursor.ts'
import type { ByteSource } from './source.ts'

interface WindowBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  /** Offset at which new input begins; the undecoded rest of the previous window is copied to just before it. */
  readonly head: number
}

type Allocate = (bytes: number) => Uint8Array<ArrayBuffer>

/**
 * Moves a cursor's window over a source. Two buffers alternate: one is decoded while the next part of the document is
 * read into the other, so that input is copied at most once, and at most one part is read ahead.
 */
export class Window {
  readonly #cursor: Cursor
  #source: ByteSource
  #capacity: number
  readonly #allocate: Allocate
  #current: WindowBuffer
  #other: WindowBuffer
  /** The pending read into `#other`, which resolves to its number of bytes; undefined if there is none. */
  #ahead: Promise<number> | undefined

  /**
   * @param capacity Bytes of the document that are read at a time.
   * @param allocate Returns a zeroed buffer of the given length.
   */
  constructor(
    cursor: Cursor,
    source: ByteSource,
    capacity: number,
    allocate: Allocate = (bytes) => new Uint8Array(bytes),
  ) {
    this.#allocate = allocate
    this.#cursor = cursor
    this.#source = source
    this.#capacity = capacity
    this.#current = this.#newBuffer(capacity)
    this.#other = this.#newBuffer(capacity)
  }

  /** Continues with another source, whose first byte is at `byteOffset` of the document. */
  restart(source: ByteSource, byteOffset: number): void {
    this.#source = source
    this.#ahead = undefined
    this.#cursor.isLast = false
    this.#show(this.#current, 0, 0, byteOffset)
  }

  /**
   * Returns a `read` for the document from the cursor on, for another decoder. The window must not be used any more
   * until `restart`.
   */
  rest(): ByteSource['read'] {
    const { bytes, pos, end } = this.#cursor
    const other = this.#other.bytes.subarray(this.#other.head)
    const ahead = this.#ahead
    this.#ahead = undefined
    const source = this.#source
    async function* chunks(): AsyncGenerator<Uint8Array, undefined> {
      if (end > pos) yield bytes.slice(pos, end)
      const got = ahead === undefined ? 0 : await ahead
      if (got > 0) yield other.slice(0, got)
    }
    const first = chunks()
    let chunk: Uint8Array | undefined = new Uint8Array(0)
    return async (target) => {
      while (chunk?.length === 0) chunk = (await first.next()).value
      if (chunk === undefined) return source.read(target)
      const length = Math.min(target.length, chunk.length)
      target.set(chunk.subarray(0, length))
      chunk = chunk.subarray(length)
      return length
    }
  }

  /**
   * Gives the cursor more input after what it has not read yet: at least as many bytes again unless the source ends, so
   * that decoding a long record is not retried for every few bytes that arrive.
   *
   * @param onInput Called with the new bytes before they are decoded.
   */
  async advance(onInput?: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const cursor = this.#cursor
    const offset = cursor.offsetOf(cursor.pos)
    const pending = cursor.bytes.subarray(cursor.pos, cursor.end)
    let got = await (this.#ahead ?? this.#read(this.#other, 0))
    this.#ahead = undefined
    const next = pending.length <= this.#other.head ? this.#other : this.#enlarge(pending.length, got)
    const start = next.head - pending.length
    next.bytes.set(pending, start)
    let total = got
    while (got > 0 && total < pending.length) {
      got = await this.#read(next, total)
      total += got
    }
    cursor.isLast = got === 0
    await onInput?.(next.bytes.subarray(next.head, next.head + total))
    if (next === this.#other) this.#other = this.#current
    this.#current = next
    this.#show(next, start, next.head + total, offset)
    if (!cursor.isLast) this.#readAhead()
  }

  #readAhead(): void {
    this.#ahead = this.#read(this.#other, 0)
    // A failure is thrown by the `advance` that awaits this read.
    this.#ahead.catch(() => undefined)
  }

  /** Reads into a buffer after the `filled` bytes that it already has. */
  #read(buffer: WindowBuffer, filled: number): Promise<number> {
    const from = buffer.head + filled
    return this.#source.read(buffer.bytes.subarray(from, buffer.head + this.#capacity))
  }

  /**
   * Returns a longer buffer that has room before the input for `pending` bytes and holds the `got` bytes read ahead.
   */
  #enlarge(pending: number, got: number): WindowBuffer {
    const input = this.#other.bytes.subarray(this.#other.head, this.#other.head + got)
    this.#capacity = Math.max(this.#capacity, pending * 2)
    const longer = this.#newBuffer(this.#capacity)
    longer.bytes.set(input, longer.head)
    this.#other = this.#newBuffer(this.#capacity)
    return longer
  }

  #show({ bytes, view }: WindowBuffer, start: number, end: number, offset: number): void {
    const cursor = this.#cursor
    bytes.fill(0, end, end + SENTINEL_BYTES)
    cursor.bytes = bytes
    cursor.view = view
    cursor.pos = start
    cursor.end = end
    cursor.baseOffset = offset - start
  }

  #newBuffer(capacity: number): WindowBuffer {
    const head = Math.ceil(capacity / 2)
    const bytes = this.#allocate(head + capacity + SENTINEL_BYTES)
    return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), head }
  }
}
