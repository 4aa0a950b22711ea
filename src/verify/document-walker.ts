/** Walks the top level of an export: its members, and its records one at a time. */

import { DefinitionError } from '../errors.ts'
import { type InputLimits, limitError, limitOf, requireFewContainers } from '../limits.ts'
import { type JsonNode, Nesting, TreeBuilder } from './json-tree.ts'
import type { Token } from './token-stream.ts'

/** Members whose values are built; all others are only checked. */
const WANTED: ReadonlySet<string> = new Set([
  'id',
  'datasetId',
  'exportDate',
  'lastSyncDate',
  'exportOptions',
  'definition',
])

/** Follows the tokens of one document. */
export class DocumentWalker {
  /** Wanted members by key; the last one if a key is repeated. */
  readonly members = new Map<string, JsonNode>()
  hasRecords = false
  readonly #onRecord: ((record: JsonNode) => void) | undefined
  readonly #limits: InputLimits
  readonly #nesting: Nesting
  #key = ''
  #builder: TreeBuilder | undefined
  #isInRecords = false
  #hasDefinition = false
  #records = 0
  /** Bytes since the last member or record was complete, without the piece that completed it. */
  #openBytes = 0

  /** @param onRecord Called with each record; without it, records are only checked. */
  constructor(limits: InputLimits, onRecord?: (record: JsonNode) => void) {
    this.#limits = limits
    this.#nesting = new Nesting(limits)
    this.#onRecord = onRecord
  }

  /**
   * Must be called after the tokens of each piece of the document.
   * @throws LimitError when a member or record is longer than its limit.
   */
  finishPiece(byteLength: number): void {
    const name = this.#isInRecords ? 'maxRecordBytes' : 'maxDefinitionBytes'
    const maxBytes = limitOf(this.#limits, name)
    if (this.#openBytes > maxBytes) {
      const what = this.#isInRecords ? 'a record' : 'a member of the document'
      const place = this.#isInRecords ? { record: this.#records + 1 } : {}
      throw limitError(name, `${what} of at most ${maxBytes} bytes`, 'a longer one', place)
    }
    this.#openBytes += byteLength
  }

  push(token: Token): void {
    const depthBefore = this.#nesting.depth
    this.#nesting.follow(token)
    if (depthBefore === 0) requireObject(token)
    else if (depthBefore === 1) this.#topLevel(token)
    else if (depthBefore === 2 && this.#isInRecords) this.#record(token)
    else this.#inside(token)
    if (this.#nesting.depth > (this.#isInRecords ? 2 : 1)) return
    this.#openBytes = 0
    if (this.#isInRecords && depthBefore > 1) this.#records++
  }

  /** Must be called after the last token. */
  finish(): void {
    for (const key of ['definition', 'records']) {
      const isThere = key === 'records' ? this.hasRecords : this.#hasDefinition
      if (!isThere) throw notAnExportError(`a member "${key}"`, 'none')
    }
  }

  #topLevel(token: Token): void {
    if (token.name === 'endObject') return
    if (token.name === 'keyValue') this.#enter(String(token.value))
    else this.#member(token)
  }

  #enter(key: string): void {
    this.#key = key
    if (this.#key === 'definition') {
      if (this.#hasDefinition) throw notAnExportError('one member "definition"', 'two')
      this.#hasDefinition = true
    }
    if (this.#key === 'records') {
      if (this.hasRecords) throw notAnExportError('one member "records"', 'two')
      this.hasRecords = true
    }
    this.#nesting.containers = 0
    this.#builder = WANTED.has(this.#key) ? new TreeBuilder() : undefined
  }

  #member(token: Token): void {
    if (this.#key === 'records') {
      if (token.name !== 'startArray') throw notAnExportError('"records" to be an array', token.name)
      this.#isInRecords = true
    }
    this.#inside(token)
  }

  #record(token: Token): void {
    if (token.name === 'endArray') {
      this.#isInRecords = false
      return
    }
    this.#builder = this.#onRecord === undefined ? undefined : new TreeBuilder()
    this.#inside(token)
  }

  #inside(token: Token): void {
    if (this.#builder !== undefined && !this.#isInRecords) {
      requireFewContainers(this.#limits, this.#nesting.containers, {})
    }
    const value = this.#builder?.push(token)
    if (value === undefined) return
    this.#builder = undefined
    if (this.#isInRecords) this.#onRecord?.(value)
    else this.members.set(this.#key, value)
  }
}

function requireObject(token: Token): void {
  if (token.name !== 'startObject') throw notAnExportError('an object at the top', token.name)
}

function notAnExportError(expected: string, found: string): DefinitionError {
  return new DefinitionError('ERR_NOT_AN_EXPORT', `expected ${expected}, found ${found}`)
}
