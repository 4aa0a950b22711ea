/** Bodies of data pages in the kernel's memory, from what `FlatLevels` and the kernel have collected. */

import type { PageKernel } from './kernel/page-kernel.ts'

/** Where a body lies in the kernel's memory. */
export interface PageBody {
  address: number
  byteCount: number
}

/** Levels and indices: `pos` is behind the levels, which begin at `at.body`. */
export function indexBody({ at, bytes, call }: PageKernel, pos: number, indexCount: number): PageBody {
  const width = Math.max(1, call.largestWidth(at.indices, indexCount))
  bytes[pos] = width
  return bodyUpTo(at.body, call.encodeIndices(at.indices, indexCount, width, pos + 1))
}

/** Levels and what else is before the values, moved there from `at.body`, where `pos` is behind it. */
export function bodyBeforeValues({ at, bytes }: PageKernel, pos: number, values: PageBody): PageBody {
  const prefixBytes = pos - at.body
  const address = values.address - prefixBytes
  bytes.copyWithin(address, at.body, pos)
  return { address, byteCount: prefixBytes + values.byteCount }
}

export function bodyUpTo(address: number, end: number): PageBody {
  return { address, byteCount: end - address }
}
