/** Caps against hostile input: their names, their defaults, and how a refusal is worded. No real export comes near them. */

import { type ExportErrorOptions, LimitError, type Place } from './errors.ts'
import { type OptionNames, wrongValueError } from './option-values.ts'
import { option, worded } from './wording.ts'

export interface InputLimits {
  /** Longest record, in bytes of JSON. Default: 64 MiB; at most 1280 MiB. */
  maxRecordBytes?: number | undefined
  /** Longest `definition`, or other member beside the records, in bytes of JSON. Default: 64 MiB; at most 480 MiB. */
  maxDefinitionBytes?: number | undefined
  /** Arrays and objects inside one another. Default: 512; at most 2000. */
  maxNesting?: number | undefined
  /** Longest key of any JSON object, in bytes as it is written. Default: 64 KiB. */
  maxKeyBytes?: number | undefined
  /** Columns of the table, those of sets and states included. Default: 20,000. */
  maxColumns?: number | undefined
  /** Options of all questions of the definition together. Default: 250,000. */
  maxOptions?: number | undefined
  /** Bytes that each byte of gzip may become, once there are more than 64 MiB of them. Default: 500. */
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
 * How far some limits can be raised: values are skipped by recursion, whose stack has an end; a window is three times as
 * long as its longest record, and a definition becomes a string, both of which JavaScript limits.
 */
const MAX_LIMITS: Readonly<Partial<Record<LimitName, number>>> = {
  maxNesting: 2000,
  maxRecordBytes: 1280 * 2 ** 20,
  maxDefinitionBytes: 480 * 2 ** 20,
}

/** The value of one limit. */
export function limitOf(limits: InputLimits, name: LimitName): number {
  return limits[name] ?? DEFAULT_LIMITS[name]
}

/**
 * Checks the limits themselves.
 * @throws OptionError `ERR_OPTION` for what is no whole number above 0.
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
 * The refusal of input that passes a limit.
 * @param what What there may be, with its number: `at most 512 levels of nesting`.
 */
export function limitError(name: LimitName, what: string, found: string, options?: ExportErrorOptions): LimitError {
  return new LimitError('ERR_LIMIT', worded`expected ${what}, found ${found}; raise ${option(name)}`, options)
}

/** Arrays and objects in a definition beside two for each option; a question has about four. */
const FREE_CONTAINERS = 200_000

/**
 * Refuses JSON that would take far more memory as objects than as text, before it is parsed.
 * @param containers Arrays and objects in the definition, or in another member that is kept.
 */
export function requireFewContainers(limits: InputLimits, containers: number, place: Place): void {
  const maxCount = 2 * limitOf(limits, 'maxOptions') + FREE_CONTAINERS
  if (containers <= maxCount) return
  throw limitError('maxOptions', `a definition of at most ${maxCount} arrays and objects`, String(containers), place)
}

/** Bytes of the document up to which its gzip may have any ratio: small files of little content compress very well. */
const FREE_GZIP_BYTES = 64 * 2 ** 20

/**
 * Refuses gzip that becomes far more bytes than it has.
 * @param packedBytes Bytes taken from the source so far.
 * @param documentBytes Bytes that they became, however often they were compressed.
 * @throws LimitError `ERR_LIMIT`.
 */
export function requireGzipRatio(limits: InputLimits, packedBytes: number, documentBytes: number): void {
  if (documentBytes <= FREE_GZIP_BYTES) return
  const maxRatio = limitOf(limits, 'maxGzipRatio')
  if (documentBytes <= packedBytes * maxRatio) return
  throw limitError('maxGzipRatio', `gzip that becomes at most ${maxRatio} times its bytes`, 'a higher ratio')
}

/**
 * Unpacks a stream, as long as its ratio is not refused.
 * @param unpack What becomes of the packed bytes, compressed or not.
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
