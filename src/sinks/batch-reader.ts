/** The interface of the readers that sinks write from. */

import type { RecordBatch, Schema } from 'apache-arrow'
import { unlessAborted } from '../system/abort.ts'

/** What a sink needs of a reader: batches of one schema. */
export interface BatchReader extends AsyncIterable<RecordBatch> {
  readonly schema: Schema
  /** Metadata that is known only after the last batch. An Arrow stream cannot hold it, since its schema comes first. */
  readonly finalMetadata?: ReadonlyMap<string, string>
  /**
   * Returns a batch without rows, to be written if there are no rows: its dictionaries hold the possible labels.
   * @internal
   */
  emptyBatch?(): RecordBatch | undefined
  /**
   * Releases the batches yielded so far, which must not be read any more; their buffers are reused.
   * @internal
   */
  recycle?(): void
  /** Closes the source of the batches; called after writing, whether it succeeded or not. */
  close?(): Promise<void>
}

/**
 * Closes the reader after `use`, also if it throws: the end of an iteration closes it only if the iteration has begun.
 */
export async function closeAfter<T>(reader: Pick<BatchReader, 'close'>, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } finally {
    await reader.close?.()
  }
}

/**
 * Returns the reader with an iteration that throws an AbortError as soon as the signal fires. Closing it is left to
 * `closeAfter`.
 */
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
      // Not awaited: after an abort, its last step may still be pending.
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
