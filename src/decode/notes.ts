/** What was odd in the record being read: counted once the record is complete, forgotten when it is read again. */

import type { Notes } from '../columns/column.ts'
import type { WarningKind, WarningLog } from '../warnings.ts'

interface Note {
  kind: WarningKind
  field: { id: string; name?: string } | undefined
  detail: string | undefined
}

export class RecordNotes {
  readonly #log: WarningLog
  #pending: Note[] = []

  constructor(log: WarningLog) {
    this.#log = log
  }

  add(kind: WarningKind, field?: { id: string; name?: string }, detail?: string): void {
    this.#pending.push({ kind, field, detail })
  }

  /** Notes of one question. */
  of(field: { id: string; name: string } | undefined): Notes {
    return { add: (kind, detail) => this.add(kind, kind === 'lone-surrogate' ? undefined : field, detail) }
  }

  commit(): void {
    if (this.#pending.length === 0) return
    for (const note of this.#pending) this.#log.add(note.kind, note.field, note.detail)
    this.#pending = []
  }

  discard(): void {
    if (this.#pending.length > 0) this.#pending = []
  }
}
