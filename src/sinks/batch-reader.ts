/** What sinks write. */

import type { RecordBatch, Schema } from 'apache-arrow'

/** What a sink needs of a reader: any batches of one schema will do. */
export interface BatchReader extends AsyncIterable<RecordBatch> {
  readonly schema: Schema
  /** Metadata that is known behind the last batch; a stream, whose schema comes first, cannot have it. */
  readonly finalMetadata?: ReadonlyMap<string, string>
  /** A batch without rows, for a table that has none: its dictionaries say which labels there might have been. */
  emptyBatch?(): RecordBatch | undefined
  /** Says that the batches given so far are not looked at any more, so that their memory serves the next one. */
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
