/** Builds bodies of data pages in the kernel's memory from what `FlatLevels` and the kernel have collected. */

import type { PageKernel } from './kernel/page-kernel.ts'

/** A body in the kernel's memory. */
export interface PageBody {
  address: number
  byteCount: number
}

/** Writes the indices after the levels, which lie from `at.body` to `pos`, and returns both as the body. */
export function indexBody({ at, bytes, call }: PageKernel, pos: number, indexCount: number): PageBody {
  const width = Math.max(1, call.largestWidth(at.indices, indexCount))
  bytes[pos] = width
  return bodyUpTo(at.body, call.encodeIndices(at.indices, indexCount, width, pos + 1))
}

/**
 * Moves the levels and lengths, which lie from `at.body` to `pos`, to just before the values; returns all as the body.
 */
export function bodyBeforeValues({ at, bytes }: PageKernel, pos: number, values: PageBody): PageBody {
  const prefixBytes = pos - at.body
  const address = values.address - prefixBytes
  bytes.copyWithin(address, at.body, pos)
  return { address, byteCount: prefixBytes + values.byteCount }
}

export function bodyUpTo(address: number, end: number): PageBody {
  return { address, byteCount: end - address }
}
