/** What a sink writes to. */

export interface Output {
  readonly bytesWritten: number
  /** Writes the chunks in order; they may be changed once the promise is settled. */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** Makes what was written durable, so that `commit` has nothing left to do that is likely to fail. */
  settle(): Promise<void>
  /** Makes the output complete. */
  commit(): Promise<void>
  /** Removes whatever was written. */
  discard(): Promise<void>
}
