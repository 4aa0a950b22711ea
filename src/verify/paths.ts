/** Checks that the files to compare exist and have the expected kind, before either is read. */

import { type Stats, statSync } from 'node:fs'
import { type ExportError, OutputError, SourceError } from '../errors.ts'
import { type OutputFormat, outputFormatOf } from '../read-back/output-format.ts'
import { systemReason } from '../system/system-error.ts'
import { unreadableSourceError } from '../system/unreadable-source.ts'

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
  const stats = statOf(path, (error) => unreadableSourceError(path, error))
  if (stats.isDirectory()) throw new SourceError('ERR_SOURCE', `expected an export, found a directory: ${path}`)
  if (isReadOnce(stats)) {
    throw new SourceError('ERR_SOURCE', `expected an export that can be read more than once, found a pipe: ${path}`)
  }
  const format = stats.isFile() ? await outputFormatOf(path) : undefined
  if (format === undefined) return
  const found = `${FORMAT_NAMES[format]}: ${path}`
  throw new SourceError(
    'ERR_SOURCE',
    `expected an export as the first file, found ${found}; are the export and the output swapped?`,
  )
}

/**
 * Checks the path of an output file.
 * @throws OutputError `ERR_OUTPUT` when it is missing or a directory.
 */
export function requireOutputPath(path: string): void {
  const stats = statOf(path, (cause) => {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const problem = isMissing ? `no such file: ${path}` : `cannot read ${path}: ${systemReason(cause)}`
    return new OutputError('ERR_OUTPUT', problem, { cause })
  })
  if (stats.isDirectory()) throw new OutputError('ERR_OUTPUT', `expected a file, found a directory: ${path}`)
  if (isReadOnce(stats)) throw new OutputError('ERR_OUTPUT', `expected a file, found a pipe: ${path}`)
}

/** Opening a named pipe again waits for another writer, and not even a signal ends that. */
function isReadOnce(stats: Stats): boolean {
  return stats.isFIFO() || stats.isSocket()
}

function statOf(path: string, failure: (error: unknown) => ExportError): Stats {
  try {
    return statSync(path)
  } catch (error) {
    throw failure(error)
  }
}
