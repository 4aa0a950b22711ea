/** Other dictionaries for the same indices: option ids instead of labels, or other names of skipped questions. */

import { Data, DataType, type Dictionary, type List, type Vector } from 'apache-arrow'
import { utf8Vector } from '../columns/labels.ts'
import { optionIdsOf } from '../columns/option-ids.ts'

/** Returns a `dictionary` or `list` column with another dictionary. The buffers are shared. */
export function withDictionary(data: Data, type: Dictionary | List, dictionary: Vector): Data {
  const { offset, length, nullCount, buffers, children } = data
  if (DataType.isDictionary(type)) return new Data(type, offset, length, nullCount, buffers, [], dictionary)
  const items = withDictionary(children[0]!, type.children[0]!.type as Dictionary, dictionary)
  return new Data(type as List, offset, length, nullCount, buffers as never, [items])
}

/** Returns the dictionary of a `dictionary` or `list` column. */
export function dictionaryOf(data: Data): Vector {
  const dictionary = data.dictionary ?? data.children[0]?.dictionary
  if (dictionary === undefined) throw new Error('unreachable: expected a column of labels')
  return dictionary
}

/** Derives dictionaries from those of the batches; returns the same object as long as the labels stay the same. */
class DerivedDictionary {
  readonly #textsOf: (labels: Vector) => readonly string[]
  #from: Vector | undefined
  #derived: Vector | undefined

  constructor(textsOf: (labels: Vector) => readonly string[]) {
    this.#textsOf = textsOf
  }

  of(labels: Vector): Vector {
    if (this.#derived === undefined || this.#from !== labels) {
      this.#from = labels
      this.#derived = utf8Vector(this.#textsOf(labels).slice(0, labels.length))
    }
    return this.#derived
  }
}

/** Derives dictionaries of option ids from dictionaries of labels. */
export function idDictionary(): DerivedDictionary {
  return new DerivedDictionary(optionIdsOf)
}
