/** `alida-arrow convert`: one export in, one Parquet or Arrow file out. */

import { realpathSync } from 'node:fs'
import { type ConvertResult, convertExport, formatOf, type OutputFormat } from '../convert.ts'
import { OptionError } from '../errors.ts'
import type { ReadProgress, ReadSummary } from '../reader.ts'
import type { Compression } from '../sinks/parquet.ts'
import type { ExportSource } from '../source.ts'
import { byteRate, byteSize, count, counted, duration } from './figures.ts'
import { showProgress } from './progress.ts'

export interface ConvertCommandOptions {
  output: string
  format?: OutputFormat
  compression: Compression
  batchSize?: number
  rowGroupSize?: number
  threads?: number
  fields?: string[]
  quiet?: boolean
  json?: boolean
}

/** Standard input or output, where a path is expected. */
export const STANDARD_STREAM = '-'

export interface ConvertReport extends ConvertResult {
  readonly input: string
  readonly output: string
  readonly milliseconds: number
  readonly peakMemoryBytes: number
}

export async function convert(input: string, options: ConvertCommandOptions, signal: AbortSignal): Promise<void> {
  refuseToOverwriteInput(input, options.output)
  const report = await convertSource(sourceOf(input), input, options, signal)
  printReport(report, options)
}

export function printReport(report: ConvertReport, options: Pick<ConvertCommandOptions, 'json' | 'quiet'>): void {
  if (options.json === true) printJson(report)
  else if (options.quiet !== true) process.stderr.write(`${summaryText(report)}\n`)
}

/**
 * Converts any source.
 * @param input What the report calls the source.
 * @param known What the caller knows of a stream's progress better than its reader does.
 */
export async function convertSource(
  source: ExportSource,
  input: string,
  options: ConvertCommandOptions,
  signal: AbortSignal,
  known: () => Partial<ReadProgress> = () => ({}),
): Promise<ConvertReport> {
  const { output, quiet, json, fields, ...convertOptions } = options
  const started = performance.now()
  const target = output === STANDARD_STREAM ? process.stdout : output
  const format = options.format ?? formatOf(target)
  let current: (() => ReadProgress) | undefined
  const progress = await showProgress(quiet !== true && json !== true, () => {
    const progress = current?.()
    return progress && { ...progress, ...known() }
  })
  try {
    const result = await convertExport(source, target, {
      ...convertOptions,
      format,
      fields: fields && splitFields(fields),
      signal,
      watch: (ask) => {
        current = ask
      },
    })
    const milliseconds = performance.now() - started
    return { ...result, input, output, milliseconds, peakMemoryBytes: process.resourceUsage().maxRSS * 1024 }
  } finally {
    progress.stop()
  }
}

export function sourceOf(input: string): ExportSource {
  if (input !== STANDARD_STREAM) return input
  if (process.stdin.isTTY) throw new OptionError('ERR_OPTION', 'expected an export on standard input, found a terminal')
  return process.stdin
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

/** Several names may stand in one option, with commas between them. */
function splitFields(words: readonly string[]): string[] {
  return words
    .flatMap((word) => word.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

function printJson(report: ConvertReport): void {
  const { summary, columns, ...rest } = report
  const questions = summary.questions.map(({ column, answered, skipped, notAsked }) => ({
    name: column.name,
    id: column.field?.id,
    dataType: column.field?.dataType,
    answered,
    skipped,
    notAsked,
  }))
  const json = JSON.stringify({
    ...rest,
    columns: columns.length,
    records: summary.records,
    warnings: summary.warnings,
    questions,
  })
  const stream = report.output === STANDARD_STREAM ? process.stderr : process.stdout
  stream.write(`${json}\n`)
}

export function summaryText(report: ConvertReport): string {
  const { summary } = report
  const name = report.output === STANDARD_STREAM ? 'standard output' : report.output
  const rate = byteRate(report.documentBytes, report.milliseconds)
  const lines = [
    `${name}: ${counted(summary.records, 'record')}, ${counted(report.columns.length, 'column')}, ${byteSize(report.outputBytes)}`,
    `  answers   ${answersText(summary)}`,
    `  time      ${duration(report.milliseconds)}, ${rate} of JSON, peak memory ${byteSize(report.peakMemoryBytes)}`,
  ]
  for (const [i, warning] of summary.warnings.entries()) {
    lines.push(`  ${i === 0 ? 'warnings' : '        '}  ${warning.message}`)
  }
  return lines.join('\n')
}

function answersText(summary: ReadSummary): string {
  const total = { answered: 0, skipped: 0, notAsked: 0 }
  for (const question of summary.questions) {
    total.answered += question.answered
    total.skipped += question.skipped
    total.notAsked += question.notAsked
  }
  return `${count(total.answered)} answered, ${count(total.skipped)} skipped, ${count(total.notAsked)} not asked`
}
