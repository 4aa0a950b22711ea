/** Writes a codebook to a file or stream. */

import { OptionError } from '../errors.ts'
import { type OutputTarget, type WriteResult, writeOutput } from '../sinks/output.ts'
import { option, worded } from '../wording.ts'
import type { Codebook } from './codebook.ts'
import { type CodebookTextFormat, codebookText } from './render.ts'

export type CodebookFormat = CodebookTextFormat | 'parquet'

/**
 * Writes a codebook.
 * @param format Default: by file name (`.csv`, `.json`, `.parquet`, `.md`); JSON for a stream.
 * @throws OptionError `ERR_OPTION` when the name does not determine the format; OutputError when the output cannot be
 * written.
 */
export async function writeCodebook(
  codebook: Codebook,
  target: OutputTarget,
  format: CodebookFormat = codebookFormatOf(target),
): Promise<WriteResult> {
  if (format === 'parquet') {
    const [{ writeParquet }, { codebookTable }] = await Promise.all([
      import('../sinks/parquet.ts'),
      import('./codebook-table.ts'),
    ])
    return writeParquet(codebookTable(codebook), target)
  }
  const bytes = Buffer.from(codebookText(codebook, format))
  const { bytesWritten } = await writeOutput(target, (output) => output.write([bytes]))
  return { outputBytes: bytesWritten }
}

export function codebookFormatOf(target: OutputTarget): CodebookFormat {
  if (typeof target !== 'string' && !(target instanceof URL)) return 'json'
  const name = String(target).toLowerCase()
  if (name.endsWith('.csv')) return 'csv'
  if (name.endsWith('.json')) return 'json'
  if (name.endsWith('.md') || name.endsWith('.markdown')) return 'md'
  if (name.endsWith('.parquet') || name.endsWith('.pq')) return 'parquet'
  throw new OptionError(
    'ERR_OPTION',
    worded`cannot tell the format of ${String(target)}: expected a name ending in .csv, .json, .parquet or .md, or the option ${option('format')}`,
  )
}
