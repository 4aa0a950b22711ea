// How the document writes an answer, white space included, as bytes to compare with (see `../../layout.ts`).

import { matchesLiteral } from './json'

/**
 * What an answer begins with, up to its values, or from its values up to the quote that ends its id; one per field, all
 * of the same length.
 */
let heads: usize = 0
let headStride: usize = 0
let headBytes: usize = 0
/** Distance from the start of a head to the opening quote of the id. */
let idDistance: usize = 0

/** Literals, each with the number of its 16-byte blocks (see `matchesLiteral`) and its length. */
let opening: usize = 0
let openingBlocks: usize = 0
let openingBytes: usize = 0
let afterOpen: usize = 0
let afterOpenBlocks: usize = 0
let afterOpenBytes: usize = 0
let close: usize = 0
let closeBlocks: usize = 0
let closeBytes: usize = 0
let closeAnswer: usize = 0
let closeAnswerBlocks: usize = 0
let closeAnswerBytes: usize = 0

export function setTemplate(
  headsAt: usize,
  headLength: usize,
  idOffset: usize,
  openingAt: usize,
  openingLength: usize,
  afterOpenAt: usize,
  afterOpenLength: usize,
  closeAt: usize,
  closeLength: usize,
  closeAnswerAt: usize,
  closeAnswerLength: usize,
): void {
  heads = headsAt
  headBytes = headLength
  headStride = (headLength + 15) & ~15
  idDistance = idOffset - 1
  opening = openingAt
  openingBytes = openingLength
  openingBlocks = (openingLength + 15) >> 4
  afterOpen = afterOpenAt
  afterOpenBytes = afterOpenLength
  afterOpenBlocks = (afterOpenLength + 15) >> 4
  close = closeAt
  closeBytes = closeLength
  closeBlocks = (closeLength + 15) >> 4
  closeAnswer = closeAnswerAt
  closeAnswerBytes = closeAnswerLength
  closeAnswerBlocks = (closeAnswerLength + 15) >> 4
}

/** Whether there is a template; without one, answers are read member by member. */
export function hasTemplate(): bool {
  return headBytes !== 0
}

/** Whether `values` is the first member of an answer. */
export function areValuesFirst(): bool {
  return openingBytes !== 0
}

/** Returns the position of the quoted id in the head at `p`. */
export function idInHead(p: usize): usize {
  return p + idDistance
}

/** Whether the field's head is at `p`. Compares 16 bytes at a time, the last ones overlapping those before. */
export function matchesHead(p: usize, field: i32): bool {
  const head = heads + <usize>field * headStride
  const last = headBytes - 16
  let difference = v128.xor(v128.load(p + last), v128.load(head + last))
  for (let i: usize = 0; i < last; i += 16) {
    difference = v128.or(difference, v128.xor(v128.load(p + i), v128.load(head + i)))
  }
  return !v128.any_true(difference)
}

export function endOfHead(p: usize): usize {
  return p + headBytes
}

/** The following functions return the position after what they match at `p`, 0 if something else is there. */
export function matchOpening(p: usize): usize {
  return matchesLiteral(p, opening, openingBlocks) ? p + openingBytes : 0
}

/** White space between `[` and the first value. */
export function matchAfterOpen(p: usize): usize {
  return matchesLiteral(p, afterOpen, afterOpenBlocks) ? p + afterOpenBytes : 0
}

/** From the last value to the next answer, where `values` is the last member. */
export function matchClose(p: usize): usize {
  return matchesLiteral(p, close, closeBlocks) ? p + closeBytes : 0
}

/** From the last member to the next answer. */
export function matchCloseAnswer(p: usize): usize {
  return matchesLiteral(p, closeAnswer, closeAnswerBlocks) ? p + closeAnswerBytes : 0
}
