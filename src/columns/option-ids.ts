/**
 * Option ids of the dictionaries of labels. A label does not lead back to its id, and a `Vector` has no room for other
 * data, so `columns/labels.ts` records the ids here, and `shape/` and `codebook/` look them up.
 */

import type { Vector } from 'apache-arrow'

const idsOfDictionary = new WeakMap<Vector, readonly string[]>()

/** Records the ids of a dictionary's options, in the order of its labels. */
export function setOptionIds(dictionary: Vector, ids: readonly string[]): void {
  idsOfDictionary.set(dictionary, ids)
}

/** Returns the ids in the order of the labels, including options that are not in the definition. */
export function optionIdsOf(dictionary: Vector): readonly string[] {
  const ids = knownOptionIds(dictionary)
  if (ids === undefined) throw new Error('unreachable: a dictionary without option ids')
  return ids
}

/** Does the same for a dictionary that may come from a file; returns undefined if its ids are not known. */
export function knownOptionIds(dictionary: Vector): readonly string[] | undefined {
  const ids = idsOfDictionary.get(dictionary)
  return ids === undefined || ids.length < dictionary.length ? undefined : ids
}
