/**
 * Names of what is not complete yet, and what becomes of it when its process is killed: the next run that writes the
 * same file removes it, but never what a living process may still be writing.
 *
 * A name is `.<name>.<pid>-<machine>-<random>.alida-arrow-partial`; of a long name a hash stands there instead.
 */

import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

const PARTIAL_SUFFIX = '.alida-arrow-partial'

/** Files and folders of this process, removed even when it exits in a way that lets no promise settle. */
const unfinished = new Set<string>()

let isListening = false

/** Begins with the first file, so that a program that writes none has no listener of ours. */
function removeUnfinishedAtExit(): void {
  if (isListening) return
  isListening = true
  process.on('exit', () => {
    for (const path of unfinished) removeQuietly(path)
  })
}

/** A name in the same folder for what will get this path; removed at exit unless `forgetTemporary` is called. */
export function temporaryPath(path: string, suffix: string = PARTIAL_SUFFIX): string {
  removeUnfinishedAtExit()
  const unique = `${process.pid}-${machine()}-${randomBytes(4).toString('hex')}`
  const temporary = join(dirname(path), `${prefixOf(path)}${unique}${suffix}`)
  if (suffix === PARTIAL_SUFFIX) unfinished.add(temporary)
  return temporary
}

/** So long, in bytes, that the whole stays within what any file system allows; eCryptfs, with 143, allows least. */
const MAX_NAME_BYTES = 96

function prefixOf(path: string): string {
  const name = basename(path)
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return `.${name}.`
  return `.${createHash('sha256').update(name).digest('hex').slice(0, 32)}.`
}

/** It has got its final name, or was removed. */
export function forgetTemporary(temporary: string): void {
  unfinished.delete(temporary)
}

/** Removes what killed processes left of earlier tries at the same path. */
export function removeAbandoned(path: string): void {
  for (const temporary of abandonedPaths(path)) removeQuietly(temporary)
}

/** What processes that are gone left beside a path. */
export function abandonedPaths(path: string, suffix: string = PARTIAL_SUFFIX): string[] {
  const prefix = prefixOf(path)
  return entriesOf(dirname(path))
    .filter((entry) => entry.startsWith(prefix) && entry.endsWith(suffix))
    .filter((entry) => isAbandoned(join(dirname(path), entry), entry.slice(prefix.length, -suffix.length)))
    .map((entry) => join(dirname(path), entry))
}

/** A folder may be written without being listed; then nothing is removed. */
function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Elsewhere (another host or container, before a restart) process ids say nothing: what is untouched so long is left. */
const UNTOUCHED_MS = 24 * 3_600_000

/** Clocks and the times of files are not this exact. */
const CLOCK_SLACK_MS = 1_000

function isAbandoned(temporary: string, unique: string): boolean {
  const [, pid, writer] = /^(\d+)-([\da-f]{8})-[\da-f]{8}$/.exec(unique) ?? []
  const touchedMs = statSync(temporary, { throwIfNoEntry: false })?.mtimeMs
  if (pid === undefined || touchedMs === undefined) return false
  if (writer !== machine()) return touchedMs < Date.now() - UNTOUCHED_MS
  // Ids are used again. This process may hold another copy of this module, so its own id alone does not decide.
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

/** Tells apart what has process ids of its own: hosts, containers, and the time before and after a restart. */
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
