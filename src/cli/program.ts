/** Defines the command line: commands, options and help. Each command's code is loaded when it runs. */

import { Argument, Command, CommanderError, Option } from 'commander'
import { VERSION } from '../version.ts'
import type { ActivitiesCommandOptions } from './activities.ts'
import { byteCount, milliseconds, wholeNumber } from './amounts.ts'
import { addApiOptions, splitApiOptions } from './api-options.ts'
import type { ApiOptions } from './api-settings.ts'
import type { CodebookCommandOptions } from './codebook.ts'
import { collect } from './collect.ts'
import type { ConvertCommandOptions } from './convert.ts'
import { ExitCode, exitCodeOf, isClosedPipe } from './exit-code.ts'
import type { FetchOptions } from './fetch.ts'
import { watchInterrupts } from './interrupt.ts'
import { addLimitOptions } from './limit-options.ts'
import { addOutputOptions } from './output-options.ts'
import { printError } from './print-error.ts'
import { hideSecretArguments } from './secret-arguments.ts'
import { addShapeOptions } from './shape-options.ts'
import { requirePrinted, watchStandardStreams } from './standard-stream.ts'
import { usageError } from './usage-error.ts'
import type { VerifyCommandOptions } from './verify.ts'
import { printWarning } from './warning.ts'

/**
 * Runs the command line.
 * @param argv Arguments after the program's name.
 * @returns The exit code.
 */
export async function run(argv: readonly string[]): Promise<number> {
  const interrupt = watchInterrupts()
  hideSecretArguments(argv, printWarning)
  watchStandardStreams()
  const code = await exitCodeOfCommand(argv, interrupt.signal)
  const interrupted = interrupt.exitCode()
  if (interrupted === undefined) return code
  // Unread data in a full pipe would keep the process alive.
  process.exit(interrupted)
}

async function exitCodeOfCommand(argv: readonly string[], signal: AbortSignal): Promise<number> {
  try {
    await runCommand(argv, signal)
    await requirePrinted(signal)
    return ExitCode.ok
  } catch (error) {
    if (isClosedPipe(error)) return ExitCode.closedPipe
    const failure = error instanceof CommanderError ? usageError(error) : error
    if (failure !== undefined) printError(failure, argv.includes('--json'))
    return error instanceof CommanderError ? ExitCode.usage : exitCodeOf(failure)
  }
}

async function runCommand(argv: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    await programOf(signal).parseAsync([...argv], { from: 'user' })
  } catch (error) {
    // Help or version was printed.
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error
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
    // `printError` prints usage errors like any other.
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ optionDescription: optionText })
    .addHelpText('after', EXIT_CODES)
  addConvert(program, signal)
  addFetch(program, signal)
  addActivities(program, signal)
  addInspect(program, signal)
  addCodebook(program, signal)
  addVerify(program, signal)
  addLimits(program)
  return program
}

function addConvert(program: Command, signal: AbortSignal): void {
  const command = addCommand(program, 'convert', 'convert an export to one Parquet or Arrow file', CONVERT_EXAMPLES)
  addOutputOptions(command.addArgument(EXPORT_ARGUMENT))
    .option('--verify', 'afterwards, read the export and the file a second way and compare every cell')
    .addHelpText('after', LIMITS_HINT)
    .action(async (input: string, options) => (await import('./convert.ts')).convert(input, options, signal))
}

function addFetch(program: Command, signal: AbortSignal): void {
  const summary = 'get an export from the API and convert it while it comes in'
  const command = addCommand(program, 'fetch', summary, FETCH_EXAMPLES)
    .optionsGroup('Which export (exactly one of --activity and --batch):')
    .option('--activity <id>', 'a new export of this activity (see: alida-arrow activities)')
    .option('--batch <id>', 'the export with this id, which was asked for before')
    .option('--since <time>', 'with --activity: only records updated at this time (UTC) or later')
    .option('--until <time>', 'with --activity: only records updated before this time (UTC)')
  addOutputOptions(addApiOptions(command.optionsGroup(API_GROUP)))
    .option('--save-json <file>', 'keep the downloaded document, too')
    .option('--max-bytes <size>', 'give up on a larger document, such as 2GB', byteCount)
    .option('--timeout <time>', 'give up after this time, such as 30min (default: 2h of waiting)', milliseconds)
    .addHelpText('after', LIMITS_HINT)
    .action(async (options: ApiOptions & FetchOptions & ConvertCommandOptions) => {
      const { api, rest } = splitApiOptions(options)
      const { batch, activity, since, until, saveJson, maxBytes, timeout, ...output } = rest
      const { fetchExport } = await import('./fetch.ts')
      await fetchExport(api, { batch, activity, since, until, saveJson, maxBytes, timeout }, output, signal)
    })
}

function addActivities(program: Command, signal: AbortSignal): void {
  const summary = 'list the activities of a community: what can be exported'
  addApiOptions(addCommand(program, 'activities', summary, ACTIVITIES_EXAMPLES).optionsGroup(API_GROUP))
    .optionsGroup('Options:')
    .option('--limit <number>', 'maximum activities to list (default: all)', wholeNumber)
    .option('--filter <key=value>', 'only these, such as status=open; may be repeated', collect)
    .option('--sort <order>', 'order as the API writes it, such as accessedOn:d')
    .option('-q, --quiet', 'show no progress')
    .option('--json', 'print each activity as a line of JSON, all its members included')
    .action(async (options: ApiOptions & ActivitiesCommandOptions) => {
      const { api, rest } = splitApiOptions(options)
      await (await import('./activities.ts')).listActivities(api, rest, signal)
    })
}

function addCodebook(program: Command, signal: AbortSignal): void {
  const summary = 'write what each question is and how it was answered: one row per question'
  const command = addCommand(program, 'codebook', summary, CODEBOOK_EXAMPLES)
    .addArgument(CODEBOOK_ARGUMENT)
    .requiredOption('-o, --output <file>', 'file to write: .csv, .json, .parquet, .md; - is standard output')
    .addOption(
      new Option('--format <format>', 'csv, json, parquet, md or frictionless, when the name does not tell').choices([
        'csv',
        'json',
        'parquet',
        'md',
        'frictionless',
      ]),
    )
    .option('-q, --quiet', 'print nothing but errors')
  addShapeOptions(command)
    .addHelpText('after', CODEBOOK_NOTES)
    .action(async (input: string, options: CodebookCommandOptions) => {
      await (await import('./codebook.ts')).codebook(input, options, signal)
    })
}

function addVerify(program: Command, signal: AbortSignal): void {
  const summary =
    'read an export and the file made from it a second way and compare every cell; exit code 1 when they differ'
  const command = addCommand(program, 'verify', summary, VERIFY_EXAMPLES)
    .addArgument(new Argument('<export>', 'the export: .json or gzipped'))
    .argument('<output>', 'the .parquet, .arrow or .arrows file (or star folder) that convert made of it')
    .option('--rejects <file>', 'the file that --rejects of convert wrote beside it')
    .option('--differences <number>', 'maximum differences to list (default: 20)', wholeNumber)
    .option('-q, --quiet', 'print the differences only')
    .option('--json', 'print one line of JSON')
  addShapeOptions(command, 'of the file')
    .addHelpText('after', VERIFY_NOTES)
    .action(async (input: string, output: string, options: VerifyCommandOptions, command: Command) => {
      await (await import('./verify.ts')).verify(input, output, typedOptions(options, command), signal)
    })
}

/** Removes options that have their default value, because a file records how it was written. */
function typedOptions<T extends object>(options: T, command: Command): T {
  const typed = Object.entries(options).filter(([name]) => command.getOptionValueSource(name) !== 'default')
  return Object.fromEntries(typed) as T
}

function addInspect(program: Command, signal: AbortSignal): void {
  const summary = 'list the questions of an export: type, options, group, flags, answered / skipped / not asked'
  const command = addCommand(program, 'inspect', summary, INSPECT_EXAMPLES)
    .addArgument(EXPORT_ARGUMENT)
    .option('-q, --quiet', 'show no progress')
    .option('--json', 'print one line of JSON')
  addLimitOptions(command)
    .addHelpText('after', LIMITS_HINT)
    .action(async (input: string, options) => (await import('./inspect.ts')).inspect(input, options, signal))
}

const EXPORT_ARGUMENT = new Argument('<export>', 'the export: .json or gzipped .json.gz; - is standard input')

const CODEBOOK_ARGUMENT = new Argument(
  '<input>',
  'an export, or a .parquet, .arrow or .arrows file (or star folder) made from one; - is standard input',
)

const EXIT_CODES = `
Exit codes: 0 done; 1 the export or the output cannot be used; 2 the command line is wrong; 3 the API failed;
130 and 143 interrupted; 141 standard output was closed.

alida-arrow <command> --help lists the options of a command, with examples.`

/** Adds the command that lists the limits of every command that reads an export. */
function addLimits(program: Command): void {
  const command = program
    .command('limits', { hidden: true })
    .description(
      'Limits against hostile input, for every command that reads an export; no real export comes near them.',
    )
    .usage('(options of the other commands)')
  addLimitOptions(command, true).action(() => command.outputHelp())
}

/** Adds a command; its examples come before its options, where they are seen. */
function addCommand(program: Command, name: string, summary: string, examples: string): Command {
  return program.command(name).summary(summary).description(`${summary}\n\n${examples}`)
}

/** Returns the help of an option. The description already names and explains the choices. */
function optionText({ description, defaultValue, negate }: Option): string {
  const hasDefault = defaultValue !== undefined && !negate
  return hasDefault ? `${description} (default: ${defaultValue})` : description
}

const API_GROUP = 'Where the API is, and who calls (also as variables):'

const LIMITS_HINT = `
Limits against hostile input: alida-arrow help limits`

const CONVERT_EXAMPLES = `Examples:
  alida-arrow convert export.json -o survey.parquet
  alida-arrow convert export.json -o answers.parquet --layout long
  alida-arrow convert export.json -o some.arrow --fields "Gender,Q2*"
  alida-arrow convert export.json -o flags.parquet --sets columns --names snake
  ALIDA_HASH_KEY=… alida-arrow convert export.json -o x.parquet --hash-owner`

const FETCH_EXAMPLES = `Examples:
  export ALIDA_REGION=na1 ALIDA_COMMUNITY=panel_example
  export ALIDA_CLIENT_ID=… ALIDA_CLIENT_SECRET=…
  alida-arrow fetch --activity 0a9f1c1e-2f57-… -o survey.parquet
  alida-arrow fetch --activity … --since 2026-01-01 -o new.parquet
  alida-arrow fetch --batch … -o survey.parquet --save-json survey.json

Credentials are ALIDA_CLIENT_ID and ALIDA_CLIENT_SECRET, or ALIDA_TOKEN, which
wins. An option wins over its variable.`

const ACTIVITIES_EXAMPLES = `Examples:
  alida-arrow activities --filter status=open
  alida-arrow activities --json | jq -r 'select(.activityType == "Survey").id'`

const CODEBOOK_EXAMPLES = `Examples:
  alida-arrow codebook export.json -o codebook.csv
  alida-arrow codebook survey.parquet -o codebook.md
  alida-arrow codebook survey.parquet -o schema.json --format frictionless`

const CODEBOOK_NOTES = `
The options of the table say what the columns of an export are called; a file
made from one knows. --format frictionless writes a table schema with categories
and labelled missing values.${LIMITS_HINT}`

const VERIFY_EXAMPLES = `Examples:
  alida-arrow verify export.json survey.parquet
  alida-arrow verify export.json survey.parquet --json`

const VERIFY_NOTES = `
The options of the table are taken from the output's metadata. One that is given
must be the one that the output was written with.${LIMITS_HINT}`

const INSPECT_EXAMPLES = `Examples:
  alida-arrow inspect export.json
  alida-arrow inspect export.json --json | jq '.questions[].name'`
