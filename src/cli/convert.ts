/** `alida-arrow convert`: one export in, one Parquet or Arrow file out. */

import { realpathSync } from 'node:fs'
import { OptionError } from '../errors.ts'
import { type ExportReader, type ReadSummary, readExport } from '../reader.ts'
import { type Output, writeOutput } from '../sinks/output.ts'
import type { Compression } from '../sinks/parquet.ts'
import type { ExportSource } from '../source.ts'
import { byteRate, byteSize, count, counted, duration } from './figures.ts'
import { showProgress } from './progress.ts'

export type OutputFormat = 'parquet' | 'arrow' | 'arrows'

export interface ConvertOptions {
  output: string
  format?: OutputFormat
  compression: Compression
  batchSize?: number
  rowGroupSize?: number
  fields?: string[]
  quiet?: boolean
  json?: boolean
}

/** Standard input or output, where a path is expected. */
export const STANDARD_STREAM = '-'

export interface ConvertReport {
  readonly input: string
  readonly output: string
  readonly format: OutputFormat
  readonly columns: number
  readonly documentBytes: number
  readonly outputBytes: number
  readonly milliseconds: number
  readonly peakMemoryBytes: number
  readonly summary: ReadSummary
}

export async function convert(input: string, options: ConvertOptions, signal: AbortSignal): Promise<void> {
  const report = await convertSource(sourceOf(input), input, options, signal)
  if (options.json === true) printJson(report)
  else if (options.quiet !== true) process.stderr.write(`${summaryText(report)}\n`)
}

/** Converts any source; `input` is what the report calls it. */
export async function convertSource(
  source: ExportSource,
  input: string,
  options: ConvertOptions,
  signal: AbortSignal,
): Promise<ConvertReport> {
  const started = performance.now()
  const format = options.format ?? formatOf(options.output)
  const isToStream = options.output === STANDARD_STREAM
  refuseToOverwriteInput(input, options.output)
  const { batchSize, fields } = options
  let reader: ExportReader | undefined
  const isShown = options.quiet !== true && options.json !== true
  const progress = await showProgress(isShown, () => reader?.progress)
  try {
    const target = isToStream ? process.stdout : options.output
    const outputBytes = await writeOutput(target, async (output) => {
      reader = await readExport(source, { batchSize, fields: fields && splitFields(fields), signal })
      await encode(reader, output, format, options)
    })
    if (reader === undefined) throw new Error('unreachable: written without a reader')
    return {
      input,
      output: options.output,
      format,
      columns: reader.columns.length,
      documentBytes: reader.progress.documentBytes,
      outputBytes,
      milliseconds: performance.now() - started,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      summary: reader.summary,
    }
  } finally {
    progress.stop()
  }
}

async function encode(
  reader: ExportReader,
  output: Output,
  format: OutputFormat,
  options: ConvertOptions,
): Promise<void> {
  if (format === 'parquet') {
    const { encodeParquet } = await import('../sinks/parquet.ts')
    await encodeParquet(reader, output, { compression: options.compression, rowGroupSize: options.rowGroupSize })
  } else {
    const { encodeIpc } = await import('../sinks/ipc.ts')
    await encodeIpc(reader, output, format === 'arrow' ? 'file' : 'stream')
  }
}

export function sourceOf(input: string): ExportSource {
  if (input !== STANDARD_STREAM) return input
  if (process.stdin.isTTY) throw new OptionError('ERR_OPTION', 'expected an export on standard input, found a terminal')
  return process.stdin
}

function formatOf(output: string): OutputFormat {
  if (output === STANDARD_STREAM || output.endsWith('.arrows')) return 'arrows'
  if (output.endsWith('.parquet') || output.endsWith('.pq')) return 'parquet'
  if (output.endsWith('.arrow') || output.endsWith('.feather') || output.endsWith('.ipc')) return 'arrow'
  throw new OptionError(
    'ERR_OPTION',
    `cannot tell the format of ${output}: expected a name ending in .parquet, .arrow or .arrows, or --format`,
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

/** Several names may stand in one option, with commas between them. */
function splitFields(words: readonly string[]): string[] {
  return words
    .flatMap((word) => word.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

function printJson(report: ConvertReport): void {
  const { summary, ...rest } = report
  const questions = summary.questions.map(({ column, answered, skipped, notAsked }) => ({
    name: column.name,
    id: column.field?.id,
    dataType: column.field?.dataType,
    answered,
    skipped,
    notAsked,
  }))
  const json = JSON.stringify({ ...rest, records: summary.records, warnings: summary.warnings, questions })
  const stream = report.output === STANDARD_STREAM ? process.stderr : process.stdout
  stream.write(`${json}\n`)
}

export function summaryText(report: ConvertReport): string {
  const { summary } = report
  const name = report.output === STANDARD_STREAM ? 'standard output' : report.output
  const rate = byteRate(report.documentBytes, report.milliseconds)
  const lines = [
    `${name}: ${counted(summary.records, 'record')}, ${counted(report.columns, 'column')}, ${byteSize(report.outputBytes)}`,
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
