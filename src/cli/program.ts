/** The command line: what can be said, and which command it starts. Commands are loaded when they are run. */

import { Argument, Command, CommanderError } from 'commander'
import { isExportError } from '../errors.ts'
import { VERSION } from '../version.ts'
import { ExitCode, exitCodeOf, isClosedPipe } from './exit-code.ts'
import { watchInterrupts } from './interrupt.ts'
import { addOutputOptions } from './output-options.ts'

/**
 * Runs the command line.
 * @param argv Words after the program's name.
 * @returns The exit code.
 */
export async function run(argv: readonly string[]): Promise<number> {
  const interrupt = watchInterrupts()
  process.stdout.on('error', () => undefined)
  try {
    await programOf(interrupt.signal).parseAsync([...argv], { from: 'user' })
    return interrupt.exitCode() ?? ExitCode.ok
  } catch (error) {
    const interrupted = interrupt.exitCode()
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage
    if (isClosedPipe(error)) return ExitCode.closedPipe
    printError(error, argv.includes('--json'))
    return interrupted ?? exitCodeOf(error)
  }
}

function programOf(signal: AbortSignal): Command {
  const program = new Command('alida-arrow')
    .description(
      'Turn an Alida batch activity export into Parquet or Arrow: streaming, typed by the survey definition.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .showHelpAfterError('(--help tells what can be said)')
    .addHelpText('after', EXIT_CODES)
  addConvert(program, signal)
  addInspect(program, signal)
  return program
}

function addConvert(program: Command, signal: AbortSignal): void {
  const command = program
    .command('convert')
    .description('convert an export to one Parquet or Arrow file')
    .addArgument(EXPORT_ARGUMENT)
  addOutputOptions(command)
    .addHelpText('after', CONVERT_EXAMPLES)
    .action(async (input: string, options) => (await import('./convert.ts')).convert(input, options, signal))
}

function addInspect(program: Command, signal: AbortSignal): void {
  program
    .command('inspect')
    .description('list the questions of an export: type, options, group, flags, answered / skipped / not asked')
    .addArgument(EXPORT_ARGUMENT)
    .option('-q, --quiet', 'show no progress')
    .option('--json', 'print one line of JSON')
    .addHelpText('after', INSPECT_EXAMPLES)
    .action(async (input: string, options) => (await import('./inspect.ts')).inspect(input, options, signal))
}

const EXPORT_ARGUMENT = new Argument('<export>', 'the export: .json or gzipped .json.gz; - is standard input')

const EXIT_CODES = `
Exit codes: 0 done; 1 the export or the output cannot be used; 2 the command line is wrong; 3 the API failed;
130 and 143 interrupted; 141 standard output was closed.`

const CONVERT_EXAMPLES = `
Examples:
  alida-arrow convert export.json -o export.parquet
  alida-arrow convert export.json.gz -o export.parquet --compression zstd
  alida-arrow convert export.json -o answers.arrow --fields "Q1 Gender,Q2 Age"
  curl … | alida-arrow convert - -o - | python -c "import pyarrow.ipc, sys; print(pyarrow.ipc.open_stream(sys.stdin.buffer).read_all())"`

const INSPECT_EXAMPLES = `
Examples:
  alida-arrow inspect export.json
  alida-arrow inspect export.json --json | jq '.questions[] | select(.skipped > 0) | .name'`

function printError(error: unknown, asJson: boolean): void {
  const message = error instanceof Error ? error.message : String(error)
  if (!asJson) {
    process.stderr.write(`alida-arrow: ${message}\n`)
    return
  }
  const facts = isExportError(error)
    ? {
        code: error.code,
        message,
        record: error.record,
        ownerId: error.ownerId,
        fieldId: error.fieldId,
        fieldName: error.fieldName,
        byteOffset: error.byteOffset,
      }
    : { message }
  process.stderr.write(`${JSON.stringify({ error: facts })}\n`)
}
