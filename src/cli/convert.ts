/** `alida-arrow convert`: one export in, one Parquet or Arrow file out. */

import { realpathSync } from 'node:fs'
import { type ConvertOptions, type ConvertResult, convertWith, type OutputFormat } from '../convert/convert.ts'
import { type ConvertInternals, formatOf, formatOfName } from '../convert/options.ts'
import { OptionError, quoted } from '../errors.ts'
import type { ExportSource } from '../input/source.ts'
import type { ColumnPlan } from '../plan/schema.ts'
import type { ReadProgress, ReadSummary } from '../reader.ts'
import type { Compression, Encodings } from '../sinks/parquet.ts'
import { byteRate, byteSize, count, counted, duration } from './figures.ts'
import { aboutInput } from './input-failure.ts'
import { peakMemoryBytes } from './peak-memory.ts'
import { showProgress } from './progress.ts'
import { type ShapeCommandOptions, shapeOf } from './shape-options.ts'
import { requireFiles, STANDARD_STREAM, sourceOf, targetOf } from './standard-stream.ts'

export interface ConvertCommandOptions extends ShapeCommandOptions {
  output: string
  format?: OutputFormat
  compression: Compression
  encodings: Encodings
  batchSize?: number
  rowGroupSize?: number
  threads?: number
  rejects?: string
  verify?: boolean
  quiet?: boolean
  json?: boolean
}

export interface ConvertReport extends Omit<ConvertResult, 'format' | 'threads' | 'columnCount'> {
  /** Undefined for the star layout. */
  readonly columnCount?: number
  readonly format: OutputFormat | 'star'
  readonly input: string
  readonly output: string
  /** Path of the file of values that were left out. */
  readonly rejects?: string
  readonly milliseconds: number
  readonly peakMemoryBytes: number
}

export async function convert(input: string, options: ConvertCommandOptions, signal: AbortSignal): Promise<void> {
  refuseToOverwriteInput(input, options.output)
  if (options.verify === true) requireFiles(input, options.output)
  await aboutInput(input, async () => {
    const report = await convertSource(sourceOf(input), input, options, signal)
    printReport(report, options)
    if (options.verify === true) {
      await (await import('./verify.ts')).verifyWritten(input, options.output, options, signal)
    }
  })
}

export function printReport(report: ConvertReport, options: Pick<ConvertCommandOptions, 'json' | 'quiet'>): void {
  if (options.json === true) printJson(report)
  else if (options.quiet !== true) process.stderr.write(`${summaryText(report)}\n`)
}

/**
 * Converts any source.
 * @param input Name of the source in the report.
 * @param known What the caller knows better about a stream's progress than its reader.
 * @param internals What the caller knows about the source.
 */
export async function convertSource(
  source: ExportSource,
  input: string,
  options: ConvertCommandOptions,
  signal: AbortSignal,
  known: () => Partial<ReadProgress> = () => ({}),
  internals: ConvertInternals = {},
): Promise<ConvertReport> {
  const { output, quiet, json } = options
  const started = performance.now()
  let current: ReadProgress | undefined
  const progress = await showProgress(quiet !== true && json !== true, () => current && { ...current, ...known() })
  try {
    const onProgress = (now: ReadProgress) => {
      current = now
    }
    const result = await write(source, options, signal, onProgress, internals)
    const milliseconds = performance.now() - started
    const { rejects } = options
    const report = { ...result, input, output, milliseconds, peakMemoryBytes: peakMemoryBytes() }
    return rejects === undefined ? report : { ...report, rejects }
  } finally {
    progress.stop()
  }
}

/** Writes one file, or a star folder. */
async function write(
  source: ExportSource,
  options: ConvertCommandOptions,
  signal: AbortSignal,
  onProgress: NonNullable<ConvertOptions['onProgress']>,
  internals: ConvertInternals,
): Promise<Omit<ConvertReport, 'input' | 'output' | 'milliseconds' | 'peakMemoryBytes'>> {
  const { output, format, compression, encodings, batchSize, rowGroupSize, threads, rejects } = options
  const { isStar, ...shape } = shapeOf(options)
  if (isStar) {
    requireFolder(output, format)
    const { writeStar } = await import('../star/star.ts')
    const starOptions = { ...shape, compression, encodings, batchSize, rejects, signal, onProgress }
    return { ...(await writeStar(source, output, starOptions)), format: 'star' }
  }
  const target = targetOf(output)
  const writing = {
    format: format ?? formatOf(target),
    compression,
    encodings,
    batchSize,
    rowGroupSize,
    threads,
    rejects,
  }
  return convertWith(source, target, { ...shape, ...writing, signal, onProgress }, internals)
}

/**
 * Checks that the output can be a star folder.
 * @throws OptionError otherwise.
 */
export function requireFolder(output: string, format: OutputFormat | undefined): void {
  if (format !== undefined && format !== 'parquet') {
    throw new OptionError('ERR_OPTION', `--layout star writes Parquet files, found --format ${format}`)
  }
  if (output !== STANDARD_STREAM && formatOfName(output) === undefined) return
  throw new OptionError(
    'ERR_OPTION',
    `--layout star writes a folder: expected the name of one as --output, found ${output}`,
  )
}

function refuseToOverwriteInput(input: string, output: string): void {
  if (input === STANDARD_STREAM || output === STANDARD_STREAM) return
  if (realPathOrUndefined(input) !== undefined && realPathOrUndefined(input) === realPathOrUndefined(output)) {
    throw new OptionError('ERR_OPTION', `the output would overwrite the export: ${output}`)
  }
}

function realPathOrUndefined(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function printJson(report: ConvertReport): void {
  const { summary, columns, columnCount, ...rest } = report
  const questions = summary.questions.map(({ column, answered, skipped, invalid, notAsked }) => ({
    name: column.name,
    id: column.field?.id,
    dataType: column.field?.dataType,
    answered,
    skipped,
    invalid,
    notAsked,
  }))
  const json = JSON.stringify({
    ...rest,
    columns: columnCount,
    sensitive: openlySensitive(columns).map((column) => column.name),
    records: summary.records,
    invalid: summary.invalid,
    warnings: summary.warnings,
    questions,
  })
  const stream = report.output === STANDARD_STREAM ? process.stderr : process.stdout
  stream.write(`${json}\n`)
}

function summaryText(report: ConvertReport): string {
  const { summary } = report
  const name = report.output === STANDARD_STREAM ? 'standard output' : report.output
  const rate = byteRate(report.documentBytes, report.milliseconds)
  const lines = [
    `${name}: ${counted(summary.records, 'record')}, ${tableText(report)}, ${byteSize(report.outputBytes)}`,
    `  answers   ${answersText(summary)}`,
    `  time      ${duration(report.milliseconds)}, ${rate} of JSON, peak memory ${byteSize(report.peakMemoryBytes)}`,
  ]
  if (report.rejects !== undefined) {
    lines.push(`  rejects   ${report.rejects}: ${counted(summary.invalid.total, 'value')}`)
  }
  const warnings = [...sensitiveWarnings(report.columns), ...summary.warnings.map((warning) => warning.message)]
  for (const [i, message] of warnings.entries()) lines.push(`  ${i === 0 ? 'warnings' : '        '}  ${message}`)
  return lines.join('\n')
}

const NAMES_SHOWN = 3

/** Returns warnings that name the sensitive questions written in plain text. */
export function sensitiveWarnings(columns: readonly ColumnPlan[]): string[] {
  const names = openlySensitive(columns)
  if (names.length === 0) return []
  const shown = names.slice(0, NAMES_SHOWN).map(({ name }) => quoted(name))
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  const what = names.length === 1 ? '1 sensitive question is' : `${names.length} sensitive questions are`
  return [
    `${what} written as ${names.length === 1 ? 'it is' : 'they are'} (${shown.join(', ')}${more}); --sensitive drop or hash would not`,
  ]
}

/** Returns the sensitive questions whose answers are written unchanged. */
function openlySensitive(columns: readonly ColumnPlan[]): readonly ColumnPlan[] {
  return columns.filter(({ field, isHashed }) => field?.isSensitive === true && isHashed !== true)
}

function tableText({ columnCount, summary }: ConvertReport): string {
  if (columnCount !== undefined) return counted(columnCount, 'column')
  return `${counted(summary.questions.length, 'question')} in a folder of tables`
}

function answersText(summary: ReadSummary): string {
  const total = { answered: 0, skipped: 0, notAsked: 0 }
  for (const question of summary.questions) {
    total.answered += question.answered
    total.skipped += question.skipped
    total.notAsked += question.notAsked
  }
  const answers = `${count(total.answered)} answered, ${count(total.skipped)} skipped, ${count(total.notAsked)} not asked`
  return summary.invalid.total === 0
    ? answers
    : `${answers}; ${counted(summary.invalid.total, 'invalid value')} left out`
}
