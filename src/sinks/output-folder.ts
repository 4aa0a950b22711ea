/**
 * Writes a folder of files that appears as a whole: it is written under another name beside its path and renamed when
 * it is complete. An older folder of the same files is replaced; anything else at the path is left alone.
 */

import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isExportError, OutputError } from '../errors.ts'
import { wrongValueError } from '../option-values.ts'
import { abortError } from '../system/abort.ts'
import { explainMemory } from '../system/system-error.ts'
import { abandonedPaths, forgetTemporary, removeAbandoned, temporaryPath } from '../system/temporary-path.ts'
import { resolveLinks } from './behind-links.ts'
import { requireReplaceable } from './mount-point.ts'
import { unwritableError } from './output-error.ts'

/** Suffix of the older folder's name between the two renames that replace it. */
const OLDER_SUFFIX = '.alida-arrow-older'

/**
 * Lets `fill` write the files into a new folder, then moves the folder to the path.
 * @param names Names of the files that `fill` writes; an older folder with other files is not replaced.
 * @returns What `fill` returned.
 * @throws OutputError `ERR_OUTPUT` if the path cannot be written or holds something else, AbortError if the signal
 *   fires; whatever `fill` throws.
 */
export async function writeFolder<T>(
  path: string,
  names: readonly string[],
  fill: (folder: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (typeof path !== 'string') throw wrongValueError('folder', 'a path', path)
  const target = resolveLinks(resolve(path))
  restoreOlder(target)
  requireOurs(target, names)
  removeAbandoned(target)
  const temporary = temporaryPath(target)
  try {
    orUnwritable(path, () => mkdirSync(temporary))
    const value = await fill(temporary)
    if (signal?.aborted) throw abortError(signal)
    requireOurs(target, names)
    orUnwritable(path, () => replace(target, temporary))
    forgetTemporary(temporary)
    return value
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).then(
      () => forgetTemporary(temporary),
      // If the folder cannot be removed now, removal is retried when the process exits.
      () => undefined,
    )
    throw withFinalPath(path, temporary, explainMemory(error))
  }
}

/**
 * Makes the same checks as `writeFolder`, but changes nothing.
 * @throws OutputError `ERR_OUTPUT`.
 */
export function requireWritableFolder(path: string, names: readonly string[]): void {
  const target = resolveLinks(resolve(path))
  requireOurs(target, names)
  const temporary = temporaryPath(target)
  orUnwritable(path, () => {
    mkdirSync(temporary)
    rmdirSync(temporary)
  })
  forgetTemporary(temporary)
}

function requireOurs(path: string, names: readonly string[]): void {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (!stats.isDirectory()) throw new OutputError('ERR_OUTPUT', `expected a folder to write, found a file: ${path}`)
  requireReplaceable(path, 'choose a folder inside of it')
  const other = readdirSync(path).find((name) => !names.includes(name))
  if (other === undefined) return
  throw new OutputError('ERR_OUTPUT', `expected an empty folder or one written before, found ${other} in ${path}`)
}

/** Replaces the temporary path in an error about a file of the new folder by the final one. */
function withFinalPath(path: string, temporary: string, error: unknown): unknown {
  if (!isExportError(error, 'ERR_OUTPUT') || !error.message.includes(temporary)) return error
  return new OutputError('ERR_OUTPUT', error.message.replaceAll(temporary, path), { cause: error })
}

/** Another run may put its folder at the path between the two renames; the later one stays. */
const MAX_TRIES = 5

/**
 * Moves the older folder away and the new one to the path. Between these two renames the path does not exist; they are
 * synchronous, so that only the end of the process can come between them. The next run then restores the older folder.
 */
function replace(target: string, temporary: string): void {
  for (let tries = 1; ; tries++) {
    const older = temporaryPath(target, OLDER_SUFFIX)
    const isThere = existsSync(target)
    if (isThere) renameSync(target, older)
    try {
      renameSync(temporary, target)
    } catch (error) {
      if (isThere && !existsSync(target)) renameSync(older, target)
      else rmSync(older, { recursive: true, force: true })
      const isTaken = ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')
      if (!isTaken || tries === MAX_TRIES) throw error
      continue
    }
    rmSync(older, { recursive: true, force: true })
    return
  }
}

/** Restores or removes the older folder left by a run that was killed between the two renames or before removing it. */
function restoreOlder(target: string): void {
  for (const older of abandonedPaths(target, OLDER_SUFFIX)) {
    orUnwritable(target, () => {
      if (existsSync(target)) rmSync(older, { recursive: true, force: true })
      else renameSync(older, target)
    })
  }
}

function orUnwritable(path: string, action: () => void): void {
  try {
    action()
  } catch (error) {
    throw unwritableError(path, error)
  }
}
