/** Where rejected values may be written: not over what is read, nor over what else is written. */

import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OptionError } from '../errors.ts'
import { option, worded } from '../wording.ts'
import { rejectsFormatOf } from './rejects-file.ts'

/**
 * @param others Files and folders of the same run, by what they are; anything that is no path is left out.
 * @throws OptionError `ERR_OPTION` when there cannot be rejects, or when one of the others is their file, or holds it.
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
      throw new OptionError('ERR_OPTION', `the rejects cannot stand in the ${what}: ${rejects}`)
  }
}

/** Without links, as far as the path exists. */
function realPath(path: string | URL): string {
  const whole = path instanceof URL ? fileURLToPath(path) : resolve(path)
  try {
    return realpathSync(whole)
  } catch {
    const folder = dirname(whole)
    return folder === whole ? whole : join(realPath(folder), basename(whole))
  }
}
