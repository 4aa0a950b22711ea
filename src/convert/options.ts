/** What a conversion can be asked for, and what it tells. */

import { OptionError } from '../errors.ts'
import type { ExportSource } from '../input/source.ts'
import type { OptionNames } from '../option-values.ts'
import type { PiecePool } from '../parallel/piece-pool.ts'
import type { StreamPipeline } from '../parallel/stream-pipeline.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import type { ReadProgress, ReadSummary } from '../reader.ts'
import { READ_OPTION_NAMES, type ReadOptions } from '../shape/read-options.ts'
import type { OutputTarget } from '../sinks/output.ts'
import type { Compression, Encodings } from '../sinks/parquet/index.ts'
import { option, worded } from '../wording.ts'

export const OUTPUT_FORMATS = ['parquet', 'arrow', 'arrows'] as const

export type OutputFormat = (typeof OUTPUT_FORMATS)[number]

export interface ConvertOptions extends ReadOptions {
  /** Default: by the target's name (`.parquet`, `.arrow`, `.arrows`); `arrows` for a stream. */
  format?: OutputFormat | undefined
  /** Of Parquet. Default: `snappy`. */
  compression?: Compression | undefined
  /** Of Parquet, for what gets no dictionary. Default: `delta`; `plain` for readers that know no other. */
  encodings?: Encodings | undefined
  /** Most rows of a Parquet row group. Default: about 131,072, fewer in wide tables; 65,536 of a stream. */
  rowGroupSize?: number | undefined
  /**
   * Threads for a large export that becomes Parquet; 1 = this one alone. Default: as many as there are cores for a file;
   * two for a stream, of which one reads, and one decodes and encodes.
   */
  threads?: number | undefined
  /**
   * With `onInvalid: 'null'`: a file, `.jsonl` or `.parquet`, for the values that were left out, with their places. It
   * appears together with the output, also when there are none.
   */
  rejects?: string | URL | undefined
  /** Called with how far the conversion is: ten times a second at most, and at the end. An error it throws ends the conversion. */
  onProgress?: ((progress: ReadProgress) => void) | undefined
}

/** @internal */
export const CONVERT_OPTION_NAMES: OptionNames<ConvertOptions> = {
  ...READ_OPTION_NAMES,
  format: true,
  compression: true,
  encodings: true,
  rowGroupSize: true,
  threads: true,
  rejects: true,
  onProgress: true,
}

/**
 * Lets tests cut small files.
 * @internal
 */
export interface ConvertInternals {
  /** Size of a file from which on threads are started. Default: 256 MiB. */
  smallestPoolBytes?: number
  /** Records (estimated) below which a file is not cut. Default: 32,768. */
  fewestRecordsToCut?: number
  /** Bytes that a stream must have behind its definition for workers to be started. Default: 4 MiB. */
  smallestStreamBytes?: number
  /** Whether the source is a stream whose worker is to be started before its length is known. */
  expectsLongStream?: boolean
}

export interface ConvertResult {
  readonly format: OutputFormat
  readonly columns: readonly ColumnPlan[]
  /** Columns of the table that was written; more or fewer than were decoded when options shape it. */
  readonly columnCount: number
  readonly documentBytes: number
  readonly outputBytes: number
  /** Threads that took part, the calling one included. */
  readonly threads: number
  readonly summary: ReadSummary
}

/** Returns the format that the ending of a file's name stands for, whatever its case; undefined for any other name. */
export function formatOfName(name: string): OutputFormat | undefined {
  const ending = /\.(\w+)$/.exec(name.toLowerCase())?.[1] ?? ''
  return FORMAT_OF_ENDING[ending]
}

const FORMAT_OF_ENDING: Readonly<Record<string, OutputFormat | undefined>> = {
  parquet: 'parquet',
  pq: 'parquet',
  arrow: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
  arrows: 'arrows',
}

export function formatOf(target: OutputTarget): OutputFormat {
  if (typeof target !== 'string' && !(target instanceof URL)) return 'arrows'
  const format = formatOfName(String(target))
  if (format !== undefined) return format
  throw new OptionError(
    'ERR_OPTION',
    worded`cannot tell the format of ${String(target)}: expected a name ending in .parquet, .arrow or .arrows, or the option ${option('format')}`,
  )
}

/**
 * What `convertExport` was asked for.
 * @internal
 */
export interface Conversion {
  readonly source: ExportSource
  readonly target: OutputTarget
  readonly format: OutputFormat
  readonly options: ConvertOptions
  readonly internals: ConvertInternals
}

/**
 * Started for a conversion; both undefined where the calling thread is alone.
 * @internal
 */
export interface ConversionThreads {
  readonly pool?: PiecePool
  readonly pipeline?: StreamPipeline
}
