/**
 * `alida-arrow verify`: reads an export and the file made from it with a second implementation and compares every cell.
 */

import { ExportError, quoted, shortened } from '../errors.ts'
import { isFolder } from '../read-back/output-format.ts'
import { unlessAborted } from '../system/abort.ts'
import { type VerifyReport, verifyOutput } from '../verify/compare.ts'
import type { Difference } from '../verify/difference-log.ts'
import { verifyStar } from '../verify/star.ts'
import { count, counted, duration } from './figures.ts'
import { aboutInput } from './input-failure.ts'
import { flagWords, isNegative } from './option-flags.ts'
import { hashKeyOf, type ShapeCommandOptions, shapeOf } from './shape-options.ts'
import { requireFiles } from './standard-stream.ts'

export interface VerifyCommandOptions extends ShapeCommandOptions {
  rejects?: string
  differences?: number
  quiet?: boolean
  json?: boolean
}

/**
 * Compares an output with its export and prints the result.
 * @throws ExportError `ERR_VERIFY` when they differ.
 */
export async function verify(
  input: string,
  output: string,
  options: VerifyCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now()
  const report = await aboutInput(input, () => reportOn(input, output, options, signal))
  if (options.json === true) process.stdout.write(`${JSON.stringify(report)}\n`)
  else printReport(report, input, output, performance.now() - started, options.quiet === true)
  if (report.differenceCount > 0) throw differenceError(report, output)
}

/** Verifies a file that was just written. */
export async function verifyWritten(
  input: string,
  output: string,
  options: VerifyCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const report = await reportOn(input, output, options, signal)
  if (report.differenceCount > 0) {
    if (optionsText(report, output) === undefined) {
      process.stderr.write(`${report.differences.map(differenceText).join('\n')}\n`)
    }
    throw differenceError(report, output)
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
  requireFiles(input, output)
  const { isStar: isStarAsked, ...shape } = shapeOf(options)
  const isStar = isFolder(output) ?? isStarAsked
  if (options.layout !== undefined && isStar !== isStarAsked) {
    const [found, asked] = isStar ? ['star', options.layout] : ['wide or long', 'star']
    throw new ExportError(
      'ERR_VERIFY',
      `${output} was written with --layout ${found}; verify was run with --layout ${asked}`,
    )
  }
  const { rejects, differences } = options
  const hashKey = hashKeyOf(process.env)
  const compared = { source: input, output, rejects, options: { ...shape, hashKey, maxDifferences: differences } }
  return unlessAborted(isStar ? verifyStar(compared) : verifyOutput(compared), signal)
}

function differenceError(report: VerifyReport, output: string): ExportError {
  return new ExportError(
    'ERR_VERIFY',
    optionsText(report, output) ??
      `${output} is not what the export says: ${counted(report.differenceCount, 'difference')}`,
  )
}

/**
 * Returns one line about options that differ from the file's, which explain every other difference; undefined if there
 * are none.
 */
function optionsText({ differences }: VerifyReport, output: string): string | undefined {
  const options = differences.filter(({ kind }) => kind === 'option')
  if (options.length === 0) return undefined
  const [written, asked] = (['found', 'expected'] as const).map((side) =>
    options.map(({ key = '', [side]: value }) => flagsText(key, value)).join(', '),
  )
  return `${output} was written ${written}; verify was run ${asked}`
}

/** Maximum characters of a list of questions. */
const MAX_WORDS_CHARS = 200

/** Returns `with --sets list` or `without --strip-html`. The value is JSON, or `nothing` if there is none. */
function flagsText(option: string, value: string): string {
  const typed = String(!isNegative(option))
  if (value === 'nothing') return `without ${flagWords({ option })}`
  if (value === 'true' || value === 'false') {
    return `${value === typed ? 'with' : 'without'} ${flagWords({ option, value: typed })}`
  }
  const words = [JSON.parse(value)].flat().join(',')
  return `with ${flagWords({ option, value: /^[\w*,.-]+$/.test(words) ? shortened(words, MAX_WORDS_CHARS) : quoted(words) })}`
}

function printReport(
  report: VerifyReport,
  input: string,
  output: string,
  milliseconds: number,
  isQuiet: boolean,
): void {
  if (optionsText(report, output) !== undefined) return
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
