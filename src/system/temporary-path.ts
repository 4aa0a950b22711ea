/**
 * Names incomplete files and folders. If their process was killed, the next run that writes the same path removes them,
 * but never what a living process may still be writing.
 *
 * A name is `.<name>.<pid>-<machine>-<random>.alida-arrow-partial`; a hash replaces a long `<name>`.
 */

import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

const PARTIAL_SUFFIX = '.alida-arrow-partial'

/** Incomplete files and folders of this process, removed at exit even if no promise settles any more. */
const unfinished = new Set<string>()

let isListening = false

/** Called with the first temporary path, so that programs that write none get no exit listener. */
function removeUnfinishedAtExit(): void {
  if (isListening) return
  isListening = true
  process.on('exit', () => {
    for (const path of unfinished) removeQuietly(path)
  })
}

/** Returns a temporary path in the folder of `path`; removed at exit unless `forgetTemporary` is called. */
export function temporaryPath(path: string, suffix: string = PARTIAL_SUFFIX): string {
  removeUnfinishedAtExit()
  const unique = `${process.pid}-${machine()}-${randomBytes(4).toString('hex')}`
  const temporary = join(dirname(path), `${prefixOf(path)}${unique}${suffix}`)
  if (suffix === PARTIAL_SUFFIX) unfinished.add(temporary)
  return temporary
}

/** Keeps the whole name within the limit of any file system; eCryptfs has the lowest, 143 bytes. */
const MAX_NAME_BYTES = 96

function prefixOf(path: string): string {
  const name = basename(path)
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return `.${name}.`
  return `.${createHash('sha256').update(name).digest('hex').slice(0, 32)}.`
}

/** Stops tracking a path that was renamed to its final name, or removed. */
export function forgetTemporary(temporary: string): void {
  unfinished.delete(temporary)
}

/** Removes what killed processes left at the same path. */
export function removeAbandoned(path: string): void {
  for (const temporary of abandonedPaths(path)) removeQuietly(temporary)
}

/** Returns the temporary paths that dead processes left for `path`. */
export function abandonedPaths(path: string, suffix: string = PARTIAL_SUFFIX): string[] {
  const prefix = prefixOf(path)
  return entriesOf(dirname(path))
    .filter((entry) => entry.startsWith(prefix) && entry.endsWith(suffix))
    .filter((entry) => isAbandoned(join(dirname(path), entry), entry.slice(prefix.length, -suffix.length)))
    .map((entry) => join(dirname(path), entry))
}

/** Returns a folder's entries; none if it may be written but not listed. */
function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/**
 * Process ids of another host or container, or from before a restart, say nothing: what is untouched this long counts
 * as abandoned.
 */
const UNTOUCHED_MS = 24 * 3_600_000

/** Tolerance for clocks and file times. */
const CLOCK_SLACK_MS = 1_000

function isAbandoned(temporary: string, unique: string): boolean {
  const [, pid, writer] = /^(\d+)-([\da-f]{8})-[\da-f]{8}$/.exec(unique) ?? []
  const touchedMs = statSync(temporary, { throwIfNoEntry: false })?.mtimeMs
  if (pid === undefined || touchedMs === undefined) return false
  if (writer !== machine()) return touchedMs < Date.now() - UNTOUCHED_MS
  // Process ids are reused. This process may have another copy of this module, so its own id alone does not decide.
  if (Number(pid) === process.pid) return touchedMs < performance.timeOrigin - CLOCK_SLACK_MS
  return !isAlive(Number(pid))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

let machineText: string | undefined

/** Returns a short hash that differs wherever process ids do: per host, container, and boot. */
function machine(): string {
  machineText ??= createHash('sha256')
    .update(hostname())
    .update(undefinedOnError(() => readlinkSync('/proc/self/ns/pid')) ?? '')
    .update(undefinedOnError(() => readFileSync('/proc/sys/kernel/random/boot_id')) ?? '')
    .digest('hex')
    .slice(0, 8)
  return machineText
}

function removeQuietly(path: string): void {
  undefinedOnError(() => rmSync(path, { recursive: true, force: true }))
}

function undefinedOnError<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
