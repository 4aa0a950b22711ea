/**
 * `verify` as a library function: reads an export and its output with a second implementation and compares every cell.
 */

import { fileURLToPath } from 'node:url'
import { LIMIT_OPTION_NAMES, requireLimits } from './limits.ts'
import { type OptionNames, requireKnownOptions, requirePositive, wrongValueError } from './option-values.ts'
import { isFolder } from './read-back/output-format.ts'
import { resolveShape, SHAPE_OPTION_NAMES } from './shape/options.ts'
import type { VerifyOptions as CompareOptions, VerifyReport } from './verify/compare.ts'

export interface VerifyOptions extends CompareOptions {
  /** The file of rejected values that was written with the output, if it is to be compared, too. */
  rejects?: string | URL | undefined
}

const VERIFY_OPTION_NAMES: OptionNames<VerifyOptions> = {
  ...SHAPE_OPTION_NAMES,
  ...LIMIT_OPTION_NAMES,
  maxDifferences: true,
  rejects: true,
}

/**
 * Compares a Parquet or Arrow file, or the folder of a star layout, with the export that it was made from.
 * @param source The path of the export.
 * @param output The path of the file or folder; its first bytes tell its format.
 * @param options Those that shaped the output; not those of the file alone, such as its compression.
 * @returns The differences; none when the output is right.
 * @throws ExportError when the export or the output cannot be read at all.
 */
export async function verifyExport(
  source: string | URL,
  output: string | URL,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  requireKnownOptions(options, VERIFY_OPTION_NAMES)
  const { rejects, ...compared } = options
  resolveShape(compared)
  requireLimits(compared)
  requirePositive('maxDifferences', compared.maxDifferences)
  const input = {
    source: pathOf('source', source),
    output: pathOf('output', output),
    rejects: rejects === undefined ? undefined : pathOf('rejects', rejects),
    options: compared,
  }
  if (isFolder(input.output)) {
    return (await import('./verify/star.ts')).verifyStar(input)
  }
  return (await import('./verify/compare.ts')).verifyOutput(input)
}

function pathOf(name: string, place: string | URL): string {
  if (typeof place === 'string') return place
  if (place instanceof URL && place.protocol === 'file:') return fileURLToPath(place)
  throw wrongValueError(name, 'a path or a file: URL', place)
}
