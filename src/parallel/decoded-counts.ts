/** Counts of a decoder's records and answers, as a thread reports them. */

import type { DocumentDecoder } from '../decode/document.ts'
import type { WarningLog } from '../warnings.ts'
import type { DecodedCounts } from './messages.ts'

/** @param decoder Undefined if there was nothing to decode; all counts are 0 then. */
export function decodedCounts(
  decoder: DocumentDecoder | undefined,
  columnCount: number,
  warnings: WarningLog,
): DecodedCounts {
  const nothing = { answered: 0, skipped: 0, invalid: 0 }
  const counts = Array.from({ length: columnCount }, (_, i) => decoder?.countsOf(i) ?? nothing)
  return {
    records: decoder?.recordsRead ?? 0,
    answered: Float64Array.from(counts, (count) => count.answered),
    skipped: Float64Array.from(counts, (count) => count.skipped),
    invalid: Float64Array.from(counts, (count) => count.invalid),
    warnings: warnings.entries(),
  }
}
