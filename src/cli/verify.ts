/** `alida-arrow verify`: an export and the file made from it, both read a second way and compared cell by cell. */

import { ExportError, OptionError } from '../errors.ts'
import { unlessAborted } from '../source.ts'
import { type VerifyReport, verifyOutput } from '../verify/compare.ts'
import type { Difference } from '../verify/difference-log.ts'
import { verifyStar } from '../verify/star.ts'
import { count, counted, duration } from './figures.ts'
import { type ShapeCommandOptions, shapeOf } from './shape-options.ts'
import { STANDARD_STREAM } from './standard-stream.ts'

export interface VerifyCommandOptions extends ShapeCommandOptions {
  rejects?: string
  differences?: number
  quiet?: boolean
  json?: boolean
}

/** @throws ExportError `ERR_VERIFY` when the two differ. */
export async function verify(
  input: string,
  output: string,
  options: VerifyCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now()
  const report = await reportOn(input, output, options, signal)
  if (options.json === true) process.stdout.write(`${JSON.stringify(report)}\n`)
  else printReport(report, input, output, performance.now() - started, options.quiet === true)
  if (report.differenceCount > 0) throw differs(report, output)
}

/** Checks a file that was just written. */
export async function verifyWritten(
  input: string,
  output: string,
  options: VerifyCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const report = await reportOn(input, output, options, signal)
  if (report.differenceCount > 0) {
    process.stderr.write(`${report.differences.map(differenceText).join('\n')}\n`)
    throw differs(report, output)
  }
  if (options.quiet !== true && options.json !== true) {
    process.stderr.write(`  verified  ${counted(report.cells, 'cell')} by a second reading of the export\n`)
  }
}

async function reportOn(
  input: string,
  output: string,
  options: VerifyCommandOptions,
  signal: AbortSignal,
): Promise<VerifyReport> {
  if (input === STANDARD_STREAM || output === STANDARD_STREAM) {
    throw new OptionError('ERR_OPTION', 'verify reads files: expected two paths, found -')
  }
  const { isStar, ...shape } = shapeOf(options)
  const { rejects, differences } = options
  const compared = { source: input, output, rejects, options: { ...shape, maxDifferences: differences } }
  return unlessAborted(isStar ? verifyStar(compared) : verifyOutput(compared), signal)
}

function differs(report: VerifyReport, output: string): ExportError {
  return new ExportError(
    'ERR_VERIFY',
    `${output} is not what the export says: ${counted(report.differenceCount, 'difference')}`,
  )
}

function printReport(
  report: VerifyReport,
  input: string,
  output: string,
  milliseconds: number,
  isQuiet: boolean,
): void {
  for (const difference of report.differences) process.stdout.write(`${differenceText(difference)}\n`)
  const more = report.differenceCount - report.differences.length
  if (more > 0) process.stdout.write(`… and ${count(more)} more\n`)
  if (isQuiet) return
  const compared = `${counted(report.records, 'record')}, ${counted(report.columns, 'column')}, ${counted(report.cells, 'cell')}`
  const result = report.differenceCount === 0 ? 'no difference' : counted(report.differenceCount, 'difference')
  process.stdout.write(`${input} and ${output}: ${compared} compared in ${duration(milliseconds)}: ${result}\n`)
}

function differenceText({ kind, table, record, ownerId, column, key, expected, found }: Difference): string {
  const place = [
    table === undefined ? '' : `table ${table}`,
    record === undefined ? '' : `record ${record}`,
    ownerId === undefined ? '' : `owner ${ownerId}`,
    column === undefined ? '' : `column ${column}`,
    key === undefined ? '' : `key ${key}`,
  ]
  const where = place.filter(Boolean).join(', ')
  return `${kind}: expected ${expected}, found ${found}${where === '' ? '' : ` (${where})`}`
}
