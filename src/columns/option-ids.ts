/** The option ids behind a dictionary of labels, for those who want to write them: labels do not lead back to ids. */

import type { Vector } from 'apache-arrow'

const idsOfDictionary = new WeakMap<Vector, readonly string[]>()

/** Notes the ids of a dictionary's options, in the order of its labels. */
export function setOptionIds(dictionary: Vector, ids: readonly string[]): void {
  idsOfDictionary.set(dictionary, ids)
}

/** Ids in the order of the labels, those of options that are not in the definition included. */
export function optionIdsOf(dictionary: Vector): readonly string[] {
  const ids = knownOptionIds(dictionary)
  if (ids === undefined) throw new Error('unreachable: a dictionary without option ids')
  return ids
}

/** The same for a dictionary that may come from a file; undefined where nobody noted its ids. */
export function knownOptionIds(dictionary: Vector): readonly string[] | undefined {
  const ids = idsOfDictionary.get(dictionary)
  return ids === undefined || ids.length < dictionary.length ? undefined : ids
}
