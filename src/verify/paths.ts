/** Whether the files to compare are there and are what they are taken for, before either is read. */

import { type Stats, statSync } from 'node:fs'
import { type ExportError, OutputError, SourceError } from '../errors.ts'
import { type OutputFormat, outputFormatOf } from '../read-back/output-format.ts'
import { systemReason } from '../system-error.ts'

const FORMAT_NAMES: Readonly<Record<OutputFormat, string>> = {
  parquet: 'a Parquet file',
  arrow: 'an Arrow file',
  arrows: 'an Arrow stream',
}

/**
 * Checks the path of an export.
 * @throws SourceError `ERR_SOURCE` when it is missing or a directory, cannot be read, or is an output.
 */
export async function requireExportPath(path: string): Promise<void> {
  const failure = (problem: string, cause?: unknown) => new SourceError('ERR_SOURCE', problem, { cause })
  const stats = statOf(path, failure)
  if (stats.isDirectory()) throw failure(`expected an export, found a directory: ${path}`)
  const format = stats.isFile() ? await outputFormatOf(path) : undefined
  if (format === undefined) return
  throw failure(
    `expected an export as the first file, found ${FORMAT_NAMES[format]}: ${path}; are the export and the output swapped?`,
  )
}

/**
 * Checks the path of a file that was written.
 * @throws OutputError `ERR_OUTPUT` when it is missing or a directory.
 */
export function requireOutputPath(path: string): void {
  const failure = (problem: string, cause?: unknown) => new OutputError('ERR_OUTPUT', problem, { cause })
  if (statOf(path, failure).isDirectory()) throw failure(`expected a file, found a directory: ${path}`)
}

function statOf(path: string, failure: (problem: string, cause?: unknown) => ExportError): Stats {
  try {
    return statSync(path)
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw failure(isMissing ? `no such file: ${path}` : `cannot read ${path}: ${systemReason(error)}`, error)
  }
}
