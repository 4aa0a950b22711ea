/** Writes rejected values to their own file: JSON lines or Parquet. */

import { Field, Int32, Int64, Schema, Utf8 } from 'apache-arrow'
import type { RejectedValue } from '../decode/rejects.ts'
import { OptionError } from '../errors.ts'
import { option, worded } from '../wording.ts'
import { type Output, openOutput } from './output.ts'
import { ParquetSink } from './parquet.ts'
import { batchOfValues } from './value-batch.ts'

/** Collects rejected values as they are found; `flush` writes them. */
export interface RejectSink {
  add(value: RejectedValue): void
  flush(): Promise<void>
}

/**
 * Rejected values, and characters of their JSON, that are written at a time. Nothing else cuts the values into row
 * groups, so that the same values always give the same file.
 */
const MAX_VALUES = 16_384
const MAX_CHARACTERS = 4 * 2 ** 20

type RejectsFormat = 'jsonl' | 'parquet'

/**
 * Returns the format of a rejects file by its name.
 * @throws OptionError `ERR_OPTION` if the name has no known ending.
 */
export function rejectsFormatOf(path: string | URL): RejectsFormat {
  const name = String(path).toLowerCase()
  if (name.endsWith('.jsonl') || name.endsWith('.ndjson')) return 'jsonl'
  if (name.endsWith('.parquet')) return 'parquet'
  throw new OptionError(
    'ERR_OPTION',
    worded`${option('rejects')}: expected a name ending in .jsonl or .parquet, found ${String(path)}`,
  )
}

/**
 * Lets `write` write an output and its rejected values, whose file appears at its path when `write` is done.
 * @param path Undefined if the values are not wanted; `write` then gets no file for them.
 */
export async function withRejects<T>(
  path: string | URL | undefined,
  write: (rejects: RejectsFile | undefined) => Promise<T>,
): Promise<T> {
  if (path === undefined) return write(undefined)
  const format = rejectsFormatOf(path)
  const output = await openOutput(path)
  try {
    const rejects = new RejectsFile(output, format === 'jsonl' ? new JsonLines(output) : new ParquetRows(output))
    const result = await write(rejects)
    await output.commit()
    return result
  } catch (error) {
    await output.discard()
    throw error
  }
}

interface Encoder {
  write(values: readonly RejectedValue[]): Promise<void>
  finish(): Promise<void>
}

export class RejectsFile implements RejectSink {
  readonly #output: Output
  readonly #encoder: Encoder
  readonly #full: RejectedValue[][] = []
  #values: RejectedValue[] = []
  #characters = 0

  constructor(output: Output, encoder: Encoder) {
    this.#output = output
    this.#encoder = encoder
  }

  add(value: RejectedValue): void {
    this.#values.push(value)
    this.#characters += value.raw?.length ?? 0
    if (this.#values.length < MAX_VALUES && this.#characters < MAX_CHARACTERS) return
    this.#full.push(this.#values)
    this.#values = []
    this.#characters = 0
  }

  async flush(): Promise<void> {
    for (let values = this.#full.shift(); values !== undefined; values = this.#full.shift()) {
      await this.#encoder.write(values)
    }
  }

  /** Writes the remaining values. To be called before the output itself is committed, since it may fail. */
  async finish(): Promise<void> {
    await this.flush()
    if (this.#values.length > 0) await this.#encoder.write(this.#values)
    await this.#encoder.finish()
    await this.#output.settle()
  }
}

class JsonLines implements Encoder {
  readonly #output: Output

  constructor(output: Output) {
    this.#output = output
  }

  async write(values: readonly RejectedValue[]): Promise<void> {
    await this.#output.write([Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''))])
  }

  async finish(): Promise<void> {}
}

const TEXT = new Utf8()

const COLUMNS = {
  record: new Int32(),
  ownerId: TEXT,
  fieldId: TEXT,
  fieldName: TEXT,
  code: TEXT,
  reason: TEXT,
  byteOffset: new Int64(),
  raw: TEXT,
} as const satisfies Record<keyof RejectedValue, unknown>

const NAMES = Object.keys(COLUMNS) as (keyof RejectedValue)[]
const SCHEMA = new Schema(NAMES.map((name) => new Field(name, COLUMNS[name], true)))

class ParquetRows implements Encoder {
  readonly #sink: ParquetSink

  constructor(output: Output) {
    this.#sink = new ParquetSink(SCHEMA, output)
  }

  async write(values: readonly RejectedValue[]): Promise<void> {
    const columns = NAMES.map((name) => values.map((value) => cellOf(value[name], name)))
    await this.#sink.write([batchOfValues(SCHEMA, columns)])
  }

  async finish(): Promise<void> {
    await this.#sink.finish()
  }
}

function cellOf(value: string | number | null, name: keyof RejectedValue): string | number | bigint | null {
  return name === 'byteOffset' ? BigInt(value ?? 0) : value
}
