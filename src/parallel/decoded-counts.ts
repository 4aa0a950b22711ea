/** How a decoder's records were answered, as a thread reports it. */

import type { DocumentDecoder } from '../decode/document.ts'
import type { WarningLog } from '../warnings.ts'
import type { DecodedCounts } from './messages.ts'

/** `decoder` is undefined where there was nothing to decode. */
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
