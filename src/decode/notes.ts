/** Warnings about the record being read: logged once the record is complete, discarded when it is read again. */

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

  /** Adds a note unless the record already has one of this kind for this field. */
  addOnce(kind: WarningKind, field: { id: string; name?: string } | undefined): void {
    if (!this.#pending.some((note) => note.kind === kind && note.field?.id === field?.id)) this.add(kind, field)
  }

  /** Returns a collector of notes about one question. */
  of(field: { id: string; name: string } | undefined): Notes {
    return { add: (kind, detail) => this.add(kind, kind === 'lone-surrogate' ? undefined : field, detail) }
  }

  get size(): number {
    return this.#pending.length
  }

  /** Discards all but the first `size` notes of the record. */
  truncate(size: number): void {
    this.#pending.length = size
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
