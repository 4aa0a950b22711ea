/** What sinks write. */

import type { RecordBatch, Schema } from 'apache-arrow'
import { unlessAborted } from '../input/source.ts'

/** What a sink needs of a reader: any batches of one schema will do. */
export interface BatchReader extends AsyncIterable<RecordBatch> {
  readonly schema: Schema
  /** Metadata that is known behind the last batch; a stream, whose schema comes first, cannot have it. */
  readonly finalMetadata?: ReadonlyMap<string, string>
  /**
   * A batch without rows, for a table that has none: its dictionaries say which labels there might have been.
   * @internal
   */
  emptyBatch?(): RecordBatch | undefined
  /**
   * Says that the batches given so far are not looked at any more, so that their memory serves the next one.
   * @internal
   */
  recycle?(): void
  /** Lets go of what the batches come from; called when they are written, and when they cannot be. */
  close?(): Promise<void>
}

/** Lets go of a reader however `use` ends: an iteration that has not begun closes nothing. */
export async function closing<T>(reader: Pick<BatchReader, 'close'>, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } finally {
    await reader.close?.()
  }
}

/** The same reader, whose iteration throws an AbortError as soon as the signal fires; it is closed by `closing`. */
export function untilAborted(reader: BatchReader, signal: AbortSignal | undefined): BatchReader {
  if (signal === undefined) return reader
  async function* batches(): AsyncGenerator<RecordBatch> {
    const iterator = reader[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await unlessAborted(iterator.next(), signal)
        if (next.done === true) return
        yield next.value
      }
    } finally {
      // Not waited for: after an abort, its last step may still be under way.
      iterator.return?.()?.catch(() => undefined)
    }
  }
  return {
    schema: reader.schema,
    get finalMetadata() {
      return reader.finalMetadata ?? new Map()
    },
    emptyBatch: () => reader.emptyBatch?.(),
    recycle: () => reader.recycle?.(),
    [Symbol.asyncIterator]: batches,
  }
}
