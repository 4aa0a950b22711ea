/** Options of the table and its file, the same for every command that writes one. */

import { type Command, Option } from 'commander'
import { wholeNumber } from './amounts.ts'
import { addShapeOptions } from './shape-options.ts'

/** Adds the options; what a command adds before them stands before them in its help. */
export function addOutputOptions(command: Command): Command {
  command
    .requiredOption(
      '-o, --output <file>',
      'file to write: .parquet, .arrow, .arrows; - is standard output (as .arrows); a folder for --layout star',
    )
    .addOption(
      new Option('--format <format>', 'format, when the name does not tell').choices(['parquet', 'arrow', 'arrows']),
    )
    .addOption(
      new Option('--compression <codec>', 'compression of Parquet')
        .choices(['snappy', 'zstd', 'gzip', 'lz4', 'none'])
        .default('snappy'),
    )
    .addOption(
      new Option('--encodings <kind>', 'of Parquet: delta; or plain, larger, for readers that know no other')
        .choices(['delta', 'plain'])
        .default('delta'),
    )
    .option('--batch-size <rows>', 'most rows of an Arrow batch (default: 131072, fewer in wide tables)', wholeNumber)
    .option(
      '--row-group-size <rows>',
      'most rows of a Parquet row group (default: 131072; 65536 of a stream)',
      wholeNumber,
    )
    .option(
      '--threads <number>',
      'threads for a large export that becomes Parquet; 1: this one alone (default: all cores; 2 for a stream)',
      wholeNumber,
    )
    .option('--rejects <file>', 'with --on-invalid null: the values left out, and where they were: .jsonl or .parquet')
    .option('-q, --quiet', 'print nothing but errors')
    .option('--json', 'print the summary as one line of JSON on standard output')
  return addShapeOptions(command)
}
