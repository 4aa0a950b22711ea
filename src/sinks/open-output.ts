/** The interface that sinks write to. */

export interface Output {
  readonly bytesWritten: number
  /** Writes the chunks in order; their memory may be reused once the promise is settled. */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** Makes what was written durable, so that `commit` is unlikely to fail. */
  settle(): Promise<void>
  /** Settles the output and makes it appear at its path, if it is a file. */
  commit(): Promise<void>
  /** Removes what was written, if it is a file. */
  discard(): Promise<void>
}
