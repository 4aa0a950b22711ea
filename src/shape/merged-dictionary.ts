/** One dictionary for the options of all questions, each text once, and longer when a question's own has grown. */

import { Dictionary, type Vector } from 'apache-arrow'
import { type Indices, utf8Vector } from '../columns/labels.ts'
import { bitsForLabels, type ColumnPlan, indexBits, indexTypeOf, UTF8 } from '../schema.ts'

export class MergedDictionary {
  readonly type: Dictionary
  readonly #textsOfQuestions: readonly (readonly string[])[]
  #texts: string[] = []
  #indexOfText = new Map<string, number>()
  /** Per question: own index → index here. */
  #indices: number[][] = []
  #vector: Vector | undefined

  /**
   * @param plans The questions whose dictionaries are merged.
   * @param textsOfQuestions What the definition has for each of them: ids, or labels.
   */
  constructor(plans: readonly ColumnPlan[], textsOfQuestions: readonly (readonly string[])[], id: number) {
    // As wide as all dictionaries together can get: a question's own is full first.
    const most = plans.reduce((labels, plan) => labels + 2 ** (indexBits(plan) - 1), 0)
    this.type = new Dictionary(UTF8, indexTypeOf(bitsForLabels(most)), id, false)
    this.#textsOfQuestions = textsOfQuestions
    this.forgetUnknownOptions()
  }

  forgetUnknownOptions(): void {
    this.#texts = []
    this.#indexOfText = new Map()
    this.#vector = undefined
    this.#indices = this.#textsOfQuestions.map((texts) => texts.map((text) => this.#indexOf(text)))
  }

  /** Index here of each index of a question's own dictionary, whose texts are given. */
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
