/**
 * One dictionary for the options of all questions, with each text once. Grows when a question's own dictionary does.
 */

import { Dictionary, type Vector } from 'apache-arrow'
import { type Indices, utf8Vector } from '../columns/labels.ts'
import { bitsForLabels, type ColumnPlan, indexBits, indexTypeOf, UTF8 } from '../plan/schema.ts'

export class MergedDictionary {
  readonly type: Dictionary
  readonly #textsOfQuestions: readonly (readonly string[])[]
  #texts: string[] = []
  #indexOfText = new Map<string, number>()
  /** Per question: index in its own dictionary → index in this one. */
  #indices: number[][] = []
  #vector: Vector | undefined

  /**
   * @param plans The questions whose dictionaries are merged.
   * @param textsOfQuestions Per question, the definition's option ids or labels.
   */
  constructor(plans: readonly ColumnPlan[], textsOfQuestions: readonly (readonly string[])[], id: number) {
    // Wide enough for all dictionaries together, so that a question's own dictionary is full first.
    const maxTexts = plans.reduce((labels, plan) => labels + 2 ** (indexBits(plan) - 1), 0)
    this.type = new Dictionary(UTF8, indexTypeOf(bitsForLabels(maxTexts)), id, false)
    this.#textsOfQuestions = textsOfQuestions
    this.forgetUnknownOptions()
  }

  forgetUnknownOptions(): void {
    this.#texts = []
    this.#indexOfText = new Map()
    this.#vector = undefined
    this.#indices = this.#textsOfQuestions.map((texts) => texts.map((text) => this.#indexOf(text)))
  }

  /**
   * Maps the indices of a question's own dictionary to indices of this one, adding new texts.
   * @param textOf Returns the text at an index of the question's dictionary.
   */
  indicesOf(question: number, length: number, textOf: (index: number) => string): readonly number[] {
    const indices = this.#indices[question]!
    for (let i = indices.length; i < length; i++) indices.push(this.#indexOf(textOf(i)))
    return indices
  }

  newIndices(length: number): Indices {
    return new this.type.indices.ArrayType(length) as Indices
  }

  get vector(): Vector {
    this.#vector ??= utf8Vector(this.#texts)
    return this.#vector
  }

  #indexOf(text: string): number {
    const known = this.#indexOfText.get(text)
    if (known !== undefined) return known
    this.#indexOfText.set(text, this.#texts.length)
    this.#texts.push(text)
    this.#vector = undefined
    return this.#texts.length - 1
  }
}
