/** Values that do not fit their question and were left out: told once the record they stand in is complete. */

import { type ErrorCode, ValueError } from '../errors.ts'
import { SYSTEM_COLUMNS } from '../names.ts'
import type { ColumnPlan } from '../schema.ts'

/** A value that was left out of the table because it does not fit. */
export interface RejectedValue {
  /** 1-based number of the record. */
  readonly record: number
  readonly ownerId: string | null
  /** Null for `lastUpdateDate`, which is no question. */
  readonly fieldId: string | null
  /** The question's own name, whatever its column is called; `lastUpdateDate` for that. */
  readonly fieldName: string
  readonly code: ErrorCode
  /** What was expected and what was found. */
  readonly reason: string
  /** 0-based offset in the decompressed document at which `raw` begins; where nothing stands, of what is behind it. */
  readonly byteOffset: number
  /** The JSON as it stands in the document; null where there is none, and where only a hash of it may be written. */
  readonly raw: string | null
}

type PendingValue = Omit<RejectedValue, 'record' | 'ownerId'>

/** Gathers the rejected values of a record, and tells them with its number and owner, which may come last. */
export class RejectLog {
  readonly #tell: (value: RejectedValue) => void
  readonly #shownOwner: (ownerId: string) => string
  #pending: PendingValue[] = []

  /**
   * @param tell Takes each value, in the order of the document.
   * @param shownOwner The owner id as it may be written.
   */
  constructor(tell: (value: RejectedValue) => void, shownOwner: (ownerId: string) => string = (ownerId) => ownerId) {
    this.#tell = tell
    this.#shownOwner = shownOwner
  }

  /** Forgets what an earlier attempt at the record has found. */
  begin(): void {
    if (this.#pending.length > 0) this.#pending = []
  }

  add({ field, isHashed }: ColumnPlan, error: ValueError, byteOffset: number, raw: string | undefined): void {
    this.#pending.push({
      fieldId: field?.id ?? null,
      fieldName: field?.name ?? SYSTEM_COLUMNS.lastUpdateDate,
      code: error.code,
      reason: isHashed === true ? error.problem.replace(/, found .*/s, '') : error.problem,
      byteOffset,
      raw: isHashed === true ? null : (raw ?? null),
    })
  }

  commit(record: number, ownerId: string | undefined): void {
    if (this.#pending.length === 0) return
    const owner = ownerId === undefined ? null : this.#shownOwner(ownerId)
    const { length } = this.#pending
    if (length > 1) this.#pending.sort((a, b) => a.byteOffset - b.byteOffset)
    for (const value of this.#pending) {
      const { fieldId, fieldName, code, reason, byteOffset, raw } = value
      this.#tell({ record, ownerId: owner, fieldId, fieldName, code, reason, byteOffset, raw })
    }
    this.#pending = []
  }
}

/** Whether an error is about one value alone, so that the rest of the record can be read. */
export function isInvalidValue(error: unknown): error is ValueError {
  return error instanceof ValueError
}
