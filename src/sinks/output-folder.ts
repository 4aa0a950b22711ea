/**
 * A folder of files that appears as a whole: written under another name beside it, and renamed when it is complete.
 * An older folder of the same files is replaced; anything else at the path is left alone.
 */

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { OutputError } from '../errors.ts'

const TEMPORARY_SUFFIX = '.alida-arrow-partial-folder'

/** Temporary folders of this process, removed even when it exits in a way that lets no promise settle. */
const temporaryFolders = new Set<string>()

process.on('exit', () => {
  for (const path of temporaryFolders) rmSync(path, { recursive: true, force: true })
})

/**
 * Lets `fill` write the files into a new folder, then puts it at the path.
 * @param names The files that `fill` writes; a folder that holds others is not ours to replace.
 * @throws OutputError `ERR_OUTPUT` when the path cannot be written or holds something else; whatever `fill` throws.
 */
export async function writeFolder(
  path: string,
  names: readonly string[],
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(path)
  requireOurs(target, names)
  const temporary = `${join(dirname(target), `.${basename(target)}`)}.${process.pid}-${randomBytes(4).toString('hex')}${TEMPORARY_SUFFIX}`
  try {
    mkdirSync(temporary)
  } catch (error) {
    throw unwritable(path, error)
  }
  temporaryFolders.add(temporary)
  try {
    await fill(temporary)
    requireOurs(target, names)
    await replace(target, temporary)
  } finally {
    await rm(temporary, { recursive: true, force: true })
    temporaryFolders.delete(temporary)
  }
}

function requireOurs(path: string, names: readonly string[]): void {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (!stats.isDirectory()) throw new OutputError('ERR_OUTPUT', `expected a folder to write, found a file: ${path}`)
  const other = readdirSync(path).find((name) => !names.includes(name))
  if (other === undefined) return
  throw new OutputError('ERR_OUTPUT', `expected an empty folder or one written before, found ${other} in ${path}`)
}

/** Between the two renames nothing stands at the path; the older folder is put back should the second one fail. */
async function replace(target: string, temporary: string): Promise<void> {
  const old = `${temporary}-old`
  try {
    const isThere = existsSync(target)
    if (isThere) await rename(target, old)
    try {
      await rename(temporary, target)
    } catch (error) {
      if (isThere) await rename(old, target)
      throw error
    }
    await rm(old, { recursive: true, force: true })
  } catch (error) {
    throw unwritable(target, error)
  }
}

function unwritable(path: string, cause: unknown): OutputError {
  const code = (cause as NodeJS.ErrnoException).code
  const reason =
    code === 'ENOENT' ? 'no such folder' : code === 'EACCES' || code === 'EPERM' ? 'no permission' : String(cause)
  return new OutputError('ERR_OUTPUT', `cannot write the folder ${path}: ${reason}`, { cause })
}
