/** Decoded batches → what the user asked for, in memory that can serve the next batches. */

import type { RecordBatch } from 'apache-arrow'
import type { DocumentDecoder } from '../decode/document.ts'
import type { Shape } from './recipe.ts'

export class ShapedBatches {
  readonly #shape: Shape
  readonly #decoder: DocumentDecoder
  #records = 0
  #areUsed = false

  constructor(shape: Shape, decoder: DocumentDecoder) {
    this.#shape = shape
    this.#decoder = decoder
  }

  /** What becomes of the batch that was decoded last. */
  *of(decoded: RecordBatch): Generator<RecordBatch, void, undefined> {
    for (const batch of this.#shape.apply(decoded, this.#records)) {
      this.#areUsed = false
      yield batch
    }
    this.#records += decoded.numRows
    if (this.#areUsed) this.#decoder.recycle()
  }

  /** Says that the batches given so far are not looked at any more. */
  recycle(): void {
    this.#decoder.keepBuffers()
    this.#areUsed = true
  }
}
