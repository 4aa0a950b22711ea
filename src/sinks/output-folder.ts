/**
 * A folder of files that appears as a whole: written under another name beside it, and renamed when it is complete.
 * An older folder of the same files is replaced; anything else at the path is left alone.
 */

import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isExportError, OutputError } from '../errors.ts'
import { abortError } from '../input/source.ts'
import { wrongValueError } from '../option-values.ts'
import { explainMemory } from '../system/system-error.ts'
import { abandonedPaths, forgetTemporary, removeAbandoned, temporaryPath } from '../system/temporary-path.ts'
import { behindLinks } from './behind-links.ts'
import { requireReplaceable } from './mount-point.ts'
import { unwritable } from './output-error.ts'

/** Ends the name that the older folder has between the two renames that replace it. */
const OLDER_SUFFIX = '.alida-arrow-older'

/**
 * Lets `fill` write the files into a new folder, then puts it at the path.
 * @returns What `fill` returned.
 * @param names The files that `fill` writes; a folder that holds others is not ours to replace.
 * @throws OutputError `ERR_OUTPUT` when the path cannot be written or holds something else, AbortError when the signal
 *   fires; whatever `fill` throws.
 */
export async function writeFolder<T>(
  path: string,
  names: readonly string[],
  fill: (folder: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (typeof path !== 'string') throw wrongValueError('folder', 'a path', path)
  const target = behindLinks(resolve(path))
  putBackOlder(target)
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
      // What cannot be removed now is tried once more when the process ends.
      () => undefined,
    )
    throw namedAs(path, temporary, explainMemory(error))
  }
}

/**
 * Checks what `writeFolder` would, leaving everything as it is.
 * @throws OutputError `ERR_OUTPUT`.
 */
export function requireWritableFolder(path: string, names: readonly string[]): void {
  const target = behindLinks(resolve(path))
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

/** What is said of a file of the new folder must not name it as it is called meanwhile. */
function namedAs(path: string, temporary: string, error: unknown): unknown {
  if (!isExportError(error, 'ERR_OUTPUT') || !error.message.includes(temporary)) return error
  return new OutputError('ERR_OUTPUT', error.message.replaceAll(temporary, path), { cause: error })
}

/** Another run may put its folder there in between; the later one stays. */
const MOST_TRIES = 5

/**
 * Between the two renames nothing stands at the path. They are synchronous, so that only the end of the whole process
 * can come between them; the next run then puts the older folder back.
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
      if (!isTaken || tries === MOST_TRIES) throw error
      continue
    }
    rmSync(older, { recursive: true, force: true })
    return
  }
}

/** What a run left that was killed between the two renames, or before it had removed the older folder. */
function putBackOlder(target: string): void {
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
    throw unwritable(path, error)
  }
}
