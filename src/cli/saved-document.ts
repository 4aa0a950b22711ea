/** Saves a download to a file while it is converted. */

import { type Output, openOutput } from '../sinks/output.ts'

/** Bytes per write. */
const WRITE_BYTES = 1 << 20

/**
 * Passes on a document and writes it to a file, which appears when `commit` is called. The consumer may stop early and
 * call `drain` to download the rest, so that a document that cannot be converted need not be fetched again.
 */
export class SavedDocument implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncGenerator<Uint8Array>
  readonly #output: Output
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  /** Serialises reads: a consumer that stopped may have left one pending. */
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(chunks: AsyncGenerator<Uint8Array>, output: Output) {
    this.#chunks = chunks
    this.#output = output
  }

  /**
   * Opens the file.
   * @throws OutputError `ERR_OUTPUT` when it cannot be written.
   */
  static async open(chunks: AsyncGenerator<Uint8Array>, path: string): Promise<SavedDocument> {
    return new SavedDocument(chunks, await openOutput(path))
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() }
  }

  /** Reads the rest of the document. */
  async drain(): Promise<void> {
    while ((await this.#next()).done !== true);
  }

  async commit(): Promise<void> {
    await this.#flush()
    await this.#output.commit()
  }

  /** Stops the download and removes the file. */
  async discard(): Promise<void> {
    // Not awaited: it waits for a pending read, which ends only when the client's connections are closed.
    void this.#chunks.return(undefined).catch(() => undefined)
    await this.#output.discard()
  }

  #next(): Promise<IteratorResult<Uint8Array>> {
    const next = this.#queue.then(() => this.#take())
    this.#queue = next.catch(() => undefined)
    return next
  }

  async #take(): Promise<IteratorResult<Uint8Array>> {
    const next = await this.#chunks.next()
    if (next.done === true) return next
    this.#pending.push(next.value)
    this.#pendingBytes += next.value.length
    if (this.#pendingBytes >= WRITE_BYTES) await this.#flush()
    return next
  }

  async #flush(): Promise<void> {
    const chunks = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    await this.#output.write(chunks)
  }
}
