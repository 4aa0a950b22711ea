/** Values that do not fit their question and were left out; reported once their record is complete. */

import { type ErrorCode, ValueError } from '../errors.ts'
import { SYSTEM_COLUMNS } from '../plan/names.ts'
import type { ColumnPlan } from '../plan/schema.ts'

/** A value that was left out of the table because it does not fit. */
export interface RejectedValue {
  /** 1-based number of the record. */
  readonly record: number
  readonly ownerId: string | null
  /** Null for `lastUpdateDate`, which is not a question. */
  readonly fieldId: string | null
  /** The question's name in the definition, whatever its column is called; `lastUpdateDate` for that member. */
  readonly fieldName: string
  readonly code: ErrorCode
  /** What was expected and what was found. */
  readonly reason: string
  /** 0-based offset in the decompressed document at which `raw` begins; if there is no `raw`, the end of the answer. */
  readonly byteOffset: number
  /** The value's JSON as in the document; null if there is none, or if only a hash of it may be written. */
  readonly raw: string | null
}

type PendingValue = Omit<RejectedValue, 'record' | 'ownerId'>

/**
 * Collects the rejected values of a record and reports them with its number and owner, which may be its last member.
 */
export class RejectLog {
  readonly #report: (value: RejectedValue) => void
  readonly #shownOwner: (ownerId: string) => string
  #pending: PendingValue[] = []

  /**
   * @param report Called with each value, in the order of the document.
   * @param shownOwner Returns an owner id as it may be written. Default: unchanged.
   */
  constructor(report: (value: RejectedValue) => void, shownOwner: (ownerId: string) => string = (ownerId) => ownerId) {
    this.#report = report
    this.#shownOwner = shownOwner
  }

  /** Discards what an earlier attempt at the record has found. */
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
      this.#report({ record, ownerId: owner, fieldId, fieldName, code, reason, byteOffset, raw })
    }
    this.#pending = []
  }
}

/** Whether an error is about a single value, so that the rest of the record can be read. */
export function isInvalidValue(error: unknown): error is ValueError {
  return error instanceof ValueError
}
