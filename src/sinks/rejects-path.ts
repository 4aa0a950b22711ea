/** Checks the path of the rejects file: it must not overwrite the input or another output. */

import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OptionError } from '../errors.ts'
import { option, worded } from '../wording.ts'
import { rejectsFormatOf } from './rejects-file.ts'

/**
 * Checks the option `rejects`.
 * @param others Other files and folders of the run, with what they are called in messages; anything but paths is
 * ignored.
 * @throws OptionError `ERR_OPTION` without `onInvalid: 'null'`, for an unknown ending, and if one of the others is the
 *   rejects file or a folder that contains it.
 */
export function requireRejects(
  { rejects, onInvalid }: { rejects?: string | URL | undefined; onInvalid?: 'error' | 'null' | undefined },
  others: Readonly<Record<string, unknown>>,
): void {
  if (rejects === undefined) return
  if (onInvalid !== 'null') {
    throw new OptionError(
      'ERR_OPTION',
      worded`${option('rejects')} needs ${option('onInvalid', 'null')}: otherwise the first invalid value is an error`,
    )
  }
  rejectsFormatOf(rejects)
  const path = realPath(rejects)
  for (const [what, other] of Object.entries(others)) {
    if (typeof other !== 'string' && !(other instanceof URL)) continue
    const way = relative(realPath(other), path)
    if (way === '') throw new OptionError('ERR_OPTION', `the rejects would overwrite the ${what}: ${rejects}`)
    if (!isAbsolute(way) && way.split(sep)[0] !== '..')
      throw new OptionError('ERR_OPTION', `the rejects cannot be inside the ${what}: ${rejects}`)
  }
}

/** Returns the absolute path with links resolved as far as it exists. */
function realPath(path: string | URL): string {
  const whole = path instanceof URL ? fileURLToPath(path) : resolve(path)
  try {
    return realpathSync(whole)
  } catch {
    const folder = dirname(whole)
    return folder === whole ? whole : join(realPath(folder), basename(whole))
  }
}
