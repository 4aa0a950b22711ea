/** How a decoder's records were answered, as a thread reports it. */

import type { DocumentDecoder } from '../decode/document.ts'
import type { WarningLog } from '../warnings.ts'
import type { DecodedCounts } from './messages.ts'

export function decodedCounts(decoder: DocumentDecoder, columnCount: number, warnings: WarningLog): DecodedCounts {
  const counts = Array.from({ length: columnCount }, (_, i) => decoder.countsOf(i))
  return {
    records: decoder.recordsRead,
    answered: Float64Array.from(counts, (count) => count.answered),
    skipped: Float64Array.from(counts, (count) => count.skipped),
    warnings: warnings.entries(),
  }
}
