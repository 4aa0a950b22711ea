/** Options and result of a conversion. */

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
  /** Format of the output. Default: by the target's name (`.parquet`, `.arrow`, `.arrows`); `arrows` for a stream. */
  format?: OutputFormat | undefined
  /** Compression of Parquet. Default: `snappy`. */
  compression?: Compression | undefined
  /**
   * Encodings of Parquet for columns without a dictionary. Default: `delta`; `plain` for readers that know no other.
   */
  encodings?: Encodings | undefined
  /** Maximum rows of a Parquet row group. Default: about 131,072, fewer in wide tables; 65,536 for a stream. */
  rowGroupSize?: number | undefined
  /**
   * Threads for converting a large export to Parquet; 1 = the calling one only. Default: for a file, the number of
   * cores; for a stream, two, one of which reads while the other decodes and encodes.
   */
  threads?: number | undefined
  /**
   * Path of a file, `.jsonl` or `.parquet`, for the values that were left out and where they are in the export. Needs
   * `onInvalid: 'null'`. It appears together with the output, even if there are no such values.
   */
  rejects?: string | URL | undefined
  /**
   * Called with the progress at most ten times per second, and at the end. An error that it throws ends the conversion.
   */
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
 * Lets tests cut small files, and the command describe its source.
 * @internal
 */
export interface ConvertInternals {
  /** Minimum size of a file for several threads. Default: 256 MiB, and 1 MiB more per column. */
  minPoolBytes?: number
  /** Minimum number of records (estimated) for a file to be cut. Default: 32,768. */
  minRecordsToCut?: number
  /** Minimum bytes after a stream's definition for it to be converted on another thread. Default: 4 MiB. */
  minStreamBytes?: number
  /**
   * Whether the source is a stream that is likely to be long, so that its worker is started at once. Default: false.
   */
  expectsLongStream?: boolean
}

export interface ConvertResult {
  readonly format: OutputFormat
  readonly columns: readonly ColumnPlan[]
  /** Columns of the table that was written; options that shape the table make this differ from `columns`. */
  readonly columnCount: number
  readonly documentBytes: number
  readonly outputBytes: number
  /** Threads used, the calling one included. */
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

/**
 * Returns the format for a target: by its name, or `arrows` for a stream.
 * @throws OptionError `ERR_OPTION` if the name has no known ending.
 */
export function formatOf(target: OutputTarget): OutputFormat {
  if (typeof target !== 'string' && !(target instanceof URL)) return 'arrows'
  const format = formatOfName(String(target))
  if (format !== undefined) return format
  // Not a whole address, whose query may be a signature.
  const name = target instanceof URL ? target.pathname : target
  throw new OptionError(
    'ERR_OPTION',
    worded`cannot tell the format of ${name}: expected a name ending in .parquet, .arrow or .arrows, or the option ${option('format')}`,
  )
}

/**
 * Arguments of `convertExport`, with its format resolved.
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
 * Threads started for a conversion; both undefined if it runs on the calling thread only.
 * @internal
 */
export interface ConversionThreads {
  readonly pool?: PiecePool
  readonly pipeline?: StreamPipeline
}
