/** Compares a file of rejected values with the export: each value, and that the file's offset points to its JSON. */

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { OutputError, shortened } from '../errors.ts'
import { outputFormatOf } from '../read-back/output-format.ts'
import type { DifferenceLog } from './difference-log.ts'
import { expectedHash } from './expected-hash.ts'
import { decompress } from './gunzip.ts'
import { openOutput } from './output-reader.ts'
import type { ReferenceReject } from './record-reader.ts'
import type { ReferenceOptions, ReopenableSource } from './reference-reader.ts'

/** A row of the file, by column name; byte offsets as numbers. */
type Row = Readonly<Record<string, string | number | null>>

const COMPARED = ['record', 'ownerId', 'fieldId', 'fieldName', 'code'] as const

export class RejectsComparison {
  readonly #path: string
  readonly #log: DifferenceLog
  readonly #options: ReferenceOptions
  readonly #rows: AsyncGenerator<Row>
  #expectedCount = 0
  #foundCount = 0

  constructor(path: string, log: DifferenceLog, options: ReferenceOptions) {
    this.#path = path
    this.#log = log
    this.#options = options
    this.#rows = rowsOf(path)
  }

  /** Compares the values of the next record. */
  async compare(expected: readonly ReferenceReject[]): Promise<void> {
    for (const reject of expected) {
      this.#expectedCount++
      const next = await this.#rows.next()
      if (next.done === true) continue
      this.#foundCount++
      this.#compareRow(this.#shown(reject), next.value)
    }
  }

  /** Must be called after the last record. */
  async finish(): Promise<void> {
    for await (const _ of this.#rows) this.#foundCount++
    this.#log.compare({ kind: 'reject', key: 'rows' }, String(this.#expectedCount), String(this.#foundCount))
  }

  /** Reads the document again and checks that each value is at the offset in the file. */
  async comparePlaces(open: ReopenableSource): Promise<void> {
    const document = new ForwardBytes(decompress(open(), this.#options))
    try {
      for await (const { record, byteOffset, raw } of rowsOf(this.#path)) {
        if (typeof raw !== 'string') continue
        const expected = await document.textAt(Number(byteOffset), Buffer.byteLength(raw))
        this.#log.compare({ kind: 'reject', record: Number(record), key: `byte ${byteOffset}` }, expected, raw)
      }
    } finally {
      await document.close()
    }
  }

  /** Returns a value as it may be written. */
  #shown({ ownerId, raw, isHashed, ...rest }: ReferenceReject): Row {
    const { hashOwner, hashKey = '' } = this.#options
    return {
      ...rest,
      ownerId: hashOwner === true ? (expectedHash(ownerId, undefined, hashKey) as string | null) : ownerId,
      raw: isHashed ? null : (raw ?? null),
    }
  }

  #compareRow(expected: Row, found: Row): void {
    const place = { kind: 'reject', record: Number(expected.record), column: String(expected.fieldName) } as const
    for (const key of COMPARED) this.#log.compare({ ...place, key }, text(expected[key]), text(found[key]))
    const raw = typeof found.raw === 'string' ? withoutSpace(found.raw) : found.raw
    this.#log.compare({ ...place, key: 'raw' }, text(expected.raw), text(raw))
  }
}

function text(value: string | number | null | undefined): string {
  return JSON.stringify(value ?? null)
}

/** Removes white space between the tokens of JSON. */
function withoutSpace(json: string): string {
  let isInString = false
  return json.replace(/"|\\.|[ \t\r\n]+/gs, (token) => {
    if (token === '"') isInString = !isInString
    return isInString || token === '"' || token.startsWith('\\') ? token : ''
  })
}

/** Reads the rows of a Parquet or JSON Lines file, recognised by its first bytes. */
async function* rowsOf(path: string): AsyncGenerator<Row> {
  if ((await outputFormatOf(path)) !== 'parquet') {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      yield parseRow(line, path)
    }
    return
  }
  const file = await openOutput(path)
  try {
    const names = file.schema.fields.map(({ name }) => name)
    for await (const batch of file.batches()) {
      for (let row = 0; row < batch.rows; row++) {
        yield Object.fromEntries(names.map((name, column) => [name, plainCell(batch.cell(column, row))]))
      }
    }
  } finally {
    await file.close()
  }
}

function plainCell(cell: unknown): string | number | null {
  return typeof cell === 'bigint' ? Number(cell) : (cell as string | number | null)
}

function parseRow(line: string, path: string): Row {
  try {
    return JSON.parse(line) as Row
  } catch (cause) {
    throw new OutputError('ERR_OUTPUT', `${path}: expected a line of JSON, found ${shortened(line)}`, { cause })
  }
}

/** Reads parts of a document in ascending order. */
class ForwardBytes {
  readonly #chunks: AsyncIterator<Uint8Array>
  #bytes: Uint8Array = new Uint8Array(0)
  /** Offset of the first byte in `#bytes`. */
  #start = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Returns the text at an offset; undefined after the end, and before what was already read. */
  async textAt(offset: number, length: number): Promise<string | undefined> {
    while (this.#start + this.#bytes.length < offset + length) {
      const next = await this.#chunks.next()
      if (next.done === true) return undefined
      const keptFrom = Math.min(Math.max(0, offset - this.#start), this.#bytes.length)
      const kept = this.#bytes.subarray(keptFrom)
      this.#start += keptFrom
      this.#bytes = kept.length === 0 ? next.value.slice() : Buffer.concat([kept, next.value])
    }
    const at = offset - this.#start
    return at < 0 ? undefined : Buffer.from(this.#bytes.subarray(at, at + length)).toString('utf8')
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }
}
