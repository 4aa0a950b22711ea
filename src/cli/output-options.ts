/** Options for the table and its file, the same for every command that writes one. */

import { type Command, Option } from 'commander'
import { OUTPUT_FORMATS } from '../convert/options.ts'
import { wholeNumber } from './amounts.ts'
import { addShapeOptions } from './shape-options.ts'

/** Adds the options. Options that a command adds earlier come first in its help. */
export function addOutputOptions(command: Command): Command {
  command
    .optionsGroup('Options:')
    .requiredOption(
      '-o, --output <file>',
      'file to write: .parquet, .arrow, .arrows; - is standard output (as .arrows); a folder for --layout star',
    )
    .addOption(
      new Option('--format <format>', 'parquet, arrow or arrows, when the name does not tell').choices(OUTPUT_FORMATS),
    )
    .addOption(
      new Option('--compression <codec>', 'of Parquet: snappy, zstd, gzip, lz4, none')
        .choices(['snappy', 'zstd', 'gzip', 'lz4', 'none'])
        .default('snappy'),
    )
    .option(
      '--rejects <file>',
      'with --on-invalid null: write the values left out, and their places: .jsonl or .parquet',
    )
    .option('-q, --quiet', 'print nothing but errors')
    .option('--json', 'print the summary, or the error, as one line of JSON')
  return addShapeOptions(command, 'own', addAdvancedOptions)
}

function addAdvancedOptions(command: Command): void {
  command
    .optionsGroup('Advanced:')
    .option('--threads <number>', 'threads to use (default: all cores for a large file, 2 for a stream)', wholeNumber)
    .option(
      '--row-group-size <rows>',
      'maximum rows of a Parquet row group (default: 131072; 65536 of a stream)',
      wholeNumber,
    )
    .option(
      '--batch-size <rows>',
      'maximum rows of an Arrow batch (default: 131072, fewer in wide tables)',
      wholeNumber,
    )
    .addOption(
      new Option('--encodings <kind>', 'of Parquet: delta; plain, larger, for readers that know no other')
        .choices(['delta', 'plain'])
        .default('delta'),
    )
}
