/** Suggests known words for an unknown one. */

import { distance } from 'fastest-levenshtein'
import { quoted } from './errors.ts'

const MAX_SHOWN = 3

/** Maximum characters that are compared; the cost grows with the product of the lengths. */
const MAX_COMPARED_CHARS = 100

/** Returns the known words most similar to an unknown one: `; the nearest are "a", "b"`. Empty if none is similar. */
export function nearestHint(word: string, words: readonly string[]): string {
  const nearest = nearestWords(word, words).map((name) => quoted(name))
  if (nearest.length === 0) return ''
  return `; the nearest ${nearest.length === 1 ? 'is' : 'are'} ${nearest.join(', ')}`
}

/** Returns the words with the fewest letters to change. Additional letters around the same word count little. */
function nearestWords(word: string, words: readonly string[]): string[] {
  const wanted = compared(word)
  const maxChanges = Math.max(2, Math.ceil(wanted.length / 2))
  return words
    .filter((candidate) => candidate !== '')
    .map((candidate) => ({ candidate, changes: changesTo(wanted, compared(candidate)) }))
    .filter(({ changes }) => changes <= maxChanges)
    .sort((a, b) => a.changes - b.changes)
    .slice(0, MAX_SHOWN)
    .map(({ candidate }) => candidate)
}

const LONGER_WORD = 0.5

function changesTo(wanted: string, text: string): number {
  if (wanted.length > 2 && text.includes(wanted)) return LONGER_WORD
  return Math.min(distance(wanted, text), distance(wanted, text.slice(0, wanted.length)) + LONGER_WORD)
}

function compared(text: string): string {
  return text.replaceAll('*', '').toLowerCase().slice(0, MAX_COMPARED_CHARS)
}
