/** Limits against hostile input: names, defaults, and the wording of a refusal. No real export comes near them. */

import { type ExportErrorOptions, LimitError, type Place } from './errors.ts'
import { type OptionNames, wrongValueError } from './option-values.ts'
import { option, worded } from './wording.ts'

export interface InputLimits {
  /** Maximum bytes of a record's JSON. Default: 64 MiB; at most 1280 MiB. */
  maxRecordBytes?: number | undefined
  /**
   * Maximum bytes of JSON of `definition`, or of another member except the records. Default: 64 MiB; at most 480 MiB.
   */
  maxDefinitionBytes?: number | undefined
  /** Maximum levels of nested arrays and objects. Default: 512; at most 2000. */
  maxNesting?: number | undefined
  /** Maximum bytes of a key of a JSON object, as written. Default: 64 KiB. */
  maxKeyBytes?: number | undefined
  /** Maximum columns of the table, including those of sets and states. Default: 20,000. */
  maxColumns?: number | undefined
  /** Maximum options of all questions of the definition together. Default: 250,000. */
  maxOptions?: number | undefined
  /** Maximum decompressed bytes per byte of gzip, once there are more than 64 MiB of them. Default: 500. */
  maxGzipRatio?: number | undefined
}

export type LimitName = keyof InputLimits

export const DEFAULT_LIMITS: Readonly<Record<LimitName, number>> = {
  maxRecordBytes: 64 * 2 ** 20,
  maxDefinitionBytes: 64 * 2 ** 20,
  maxNesting: 512,
  maxKeyBytes: 64 * 2 ** 10,
  maxColumns: 20_000,
  maxOptions: 250_000,
  maxGzipRatio: 500,
}

export const LIMIT_OPTION_NAMES: OptionNames<InputLimits> = {
  maxRecordBytes: true,
  maxDefinitionBytes: true,
  maxNesting: true,
  maxKeyBytes: true,
  maxColumns: true,
  maxOptions: true,
  maxGzipRatio: true,
}

export const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as readonly LimitName[]

/**
 * Upper bounds of some limits. Values are skipped by recursion, whose stack is limited; a window is three times as long
 * as its longest record, and a definition becomes a string, both of which JavaScript limits.
 */
const MAX_LIMITS: Readonly<Partial<Record<LimitName, number>>> = {
  maxNesting: 2000,
  maxRecordBytes: 1280 * 2 ** 20,
  maxDefinitionBytes: 480 * 2 ** 20,
}

/** Returns the value of a limit, or its default. */
export function limitOf(limits: InputLimits, name: LimitName): number {
  return limits[name] ?? DEFAULT_LIMITS[name]
}

/**
 * Validates limits.
 * @throws OptionError `ERR_OPTION` for anything but a whole number in the allowed range.
 */
export function requireLimits(limits: InputLimits): void {
  for (const name of LIMIT_NAMES) {
    const value = limits[name]
    if (value === undefined) continue
    const max = MAX_LIMITS[name]
    if (Number.isSafeInteger(value) && value > 0 && value <= (max ?? value)) continue
    const range = max === undefined ? 'above 0' : `from 1 to ${max}`
    throw wrongValueError(name, `a whole number ${range}`, value)
  }
}

/**
 * Returns the error for input that exceeds a limit.
 * @param what What is allowed, with its number: `at most 512 levels of nesting`.
 */
export function limitError(name: LimitName, what: string, found: string, options?: ExportErrorOptions): LimitError {
  return new LimitError('ERR_LIMIT', worded`expected ${what}, found ${found}; raise ${option(name)}`, options)
}

/** Arrays and objects allowed in a definition in addition to two per option; a question has about four. */
const FREE_CONTAINERS = 200_000

/**
 * Throws LimitError for JSON that would take far more memory as objects than as text, before it is parsed.
 * @param containers Number of arrays and objects in the definition, or in another member that is kept.
 */
export function requireFewContainers(limits: InputLimits, containers: number, place: Place): void {
  const maxCount = 2 * limitOf(limits, 'maxOptions') + FREE_CONTAINERS
  if (containers <= maxCount) return
  throw limitError('maxOptions', `a definition of at most ${maxCount} arrays and objects`, String(containers), place)
}

/** Documents up to this size may have any gzip ratio, because small files of little content compress very well. */
const FREE_GZIP_BYTES = 64 * 2 ** 20

/**
 * Refuses gzip with a ratio above the limit.
 * @param packedBytes Bytes read from the source so far.
 * @param documentBytes Bytes after decompression, however many levels it had.
 * @throws LimitError `ERR_LIMIT`.
 */
export function requireGzipRatio(limits: InputLimits, packedBytes: number, documentBytes: number): void {
  if (documentBytes <= FREE_GZIP_BYTES) return
  const maxRatio = limitOf(limits, 'maxGzipRatio')
  if (documentBytes <= packedBytes * maxRatio) return
  throw limitError('maxGzipRatio', `gzip that becomes at most ${maxRatio} times its bytes`, 'a higher ratio')
}

/**
 * Decompresses a stream and checks its ratio.
 * @param unpack Decompresses the bytes if they are compressed.
 * @throws LimitError `ERR_LIMIT`, and whatever `unpack` throws.
 */
export async function* withinGzipRatio(
  packed: AsyncIterable<Uint8Array>,
  limits: InputLimits,
  unpack: (packed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let packedBytes = 0
  let documentBytes = 0
  async function* counted() {
    for await (const chunk of packed) {
      packedBytes += chunk.length
      yield chunk
    }
  }
  for await (const chunk of unpack(counted())) {
    documentBytes += chunk.length
    requireGzipRatio(limits, packedBytes, documentBytes)
    yield chunk
  }
}
