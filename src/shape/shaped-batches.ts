/**
 * Applies the shape to decoded batches, and lets the decoder reuse the memory of a batch once all batches made from it
 * are released (see `columns/column.ts`).
 */

import type { RecordBatch } from 'apache-arrow'
import type { DocumentDecoder } from '../decode/document.ts'
import type { Shape } from './recipe.ts'

export class ShapedBatches {
  readonly #shape: Shape
  readonly #decoder: DocumentDecoder
  #records = 0
  /** Whether nothing reads the last batches any more. */
  #isReleased = false

  constructor(shape: Shape, decoder: DocumentDecoder) {
    this.#shape = shape
    this.#decoder = decoder
  }

  /** Yields the batches made from the batch that was decoded last. */
  *of(decoded: RecordBatch): Generator<RecordBatch, void, undefined> {
    for (const batch of this.#shape.apply(decoded, this.#records)) {
      this.#isReleased = false
      yield batch
    }
    this.#records += decoded.numRows
    if (this.#isReleased) this.#decoder.recycle()
  }

  /** Declares that nothing reads the batches yielded so far any more. The first call turns buffer reuse on. */
  release(): void {
    this.#decoder.keepBuffers()
    this.#isReleased = true
  }
}
