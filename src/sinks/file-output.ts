/** Output to a file, which gets its name when it is complete, and to a device, which is written as it comes. */

import { accessSync, constants, existsSync, type Stats } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { OutputError } from '../errors.ts'
import { abortError } from '../input/source.ts'
import { forgetTemporary, removeAbandoned, temporaryPath } from '../system/temporary-path.ts'
import { requireReplaceable } from './mount-point.ts'
import type { Output } from './open-output.ts'
import { unwritable } from './output-error.ts'

/** Gives a new file the owner, group and mode of the one whose place it takes, as far as the system lets it. */
async function takeOver(file: FileHandle, existing: Stats): Promise<void> {
  const own = await file.stat()
  const { uid, gid } = existing
  const keepsGroup = (owner: number) =>
    file.chown(owner, gid).then(
      () => true,
      () => false,
    )
  const isGroupKept = (own.uid === uid && own.gid === gid) || (await keepsGroup(uid)) || (await keepsGroup(own.uid))
  // Another group must not get what was for the old one. The mode given to `open` is cut by the umask.
  const mode = existing.mode & (isGroupKept ? 0o777 : 0o707)
  // Some file systems know no modes.
  await file.chmod(mode).catch(() => undefined)
}

/** @param existing What stands at the path, whose mode the new file gets. */
export async function openFile(
  path: string,
  existing: Stats | undefined,
  signal: AbortSignal | undefined,
): Promise<Output> {
  let temporary: string | undefined
  try {
    accessSync(dirname(path), constants.W_OK)
    if (existing !== undefined) {
      accessSync(path, constants.W_OK)
      requireReplaceable(path, 'mount the folder that it is in')
    }
    removeAbandoned(path)
    temporary = temporaryPath(path)
    const file = await open(temporary, 'wx', existing === undefined ? 0o666 : existing.mode & 0o777)
    if (existing !== undefined) await takeOver(file, existing)
    return new FileOutput(file, path, temporary, signal)
  } catch (error) {
    if (temporary !== undefined) forgetTemporary(temporary)
    throw unwritable(path, error)
  }
}

export async function openDevice(path: string, signal: AbortSignal | undefined): Promise<Output> {
  const file = await open(path, 'w').catch((error: unknown) => {
    throw unwritable(path, error)
  })
  return new FileOutput(file, path, undefined, signal)
}

/** One write call moves at most 2 GiB on Linux. */
const MOST_BYTES_AT_ONCE = 1 << 30

/** Of a file that gets its name at the end, so much is sent to the disk at a time. */
const SYNC_BYTES = 1 << 23

class FileOutput implements Output {
  bytesWritten = 0
  readonly #file: FileHandle
  readonly #path: string
  /** Undefined for a device, and once the file has its name. */
  #temporary: string | undefined
  readonly #signal: AbortSignal | undefined
  #isSettled = false
  /** Bytes that are on their way to the disk, and what tells when they are there. */
  #syncedBytes = 0
  #syncing: Promise<void> | undefined
  #syncFailure: unknown

  constructor(file: FileHandle, path: string, temporary: string | undefined, signal: AbortSignal | undefined) {
    this.#file = file
    this.#path = path
    this.#temporary = temporary
    this.#signal = signal
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) {
          const { bytesWritten } = await this.#file.write(chunk, at, Math.min(chunk.length - at, MOST_BYTES_AT_ONCE))
          at += bytesWritten
        }
        this.bytesWritten += chunk.length
      }
      this.#syncAhead()
    } catch (error) {
      throw unwritable(this.#path, error)
    }
  }

  /** Lets the disk begin, so that there is less to wait for at the end. */
  #syncAhead(): void {
    if (this.#temporary === undefined || this.#syncing !== undefined) return
    if (this.bytesWritten - this.#syncedBytes < SYNC_BYTES) return
    this.#syncedBytes = this.bytesWritten
    this.#syncing = unlessUnknown(this.#file.datasync())
      .catch((failure: unknown) => {
        // Kept: the system tells of what it could not write just once.
        this.#syncFailure ??= failure
      })
      .then(() => {
        this.#syncing = undefined
      })
  }

  async settle(): Promise<void> {
    if (this.#isSettled) return
    try {
      await this.#syncing
      if (this.#syncFailure !== undefined) throw this.#syncFailure
      if (this.#temporary !== undefined) await unlessUnknown(this.#file.sync())
      await this.#file.close()
      this.#isSettled = true
    } catch (error) {
      throw unwritable(this.#path, error)
    }
  }

  async commit(): Promise<void> {
    await this.settle()
    const temporary = this.#temporary
    if (temporary === undefined) return
    try {
      if (this.#signal?.aborted) throw abortError(this.#signal)
      await rename(temporary, this.#path)
      this.#temporary = undefined
      forgetTemporary(temporary)
      await syncFolder(dirname(this.#path))
    } catch (error) {
      throw this.#isTemporaryGone(error) ? temporaryGone(this.#path, error) : unwritable(this.#path, error)
    }
  }

  #isTemporaryGone(error: unknown): boolean {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || this.#temporary === undefined) return false
    return existsSync(dirname(this.#path)) && !existsSync(this.#temporary)
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined)
    const temporary = this.#temporary
    if (temporary === undefined) return
    const isRemoved = await rm(temporary, { force: true }).then(
      () => true,
      () => false,
    )
    // What cannot be removed now is tried once more when the process ends.
    if (isRemoved) forgetTemporary(temporary)
    this.#temporary = undefined
  }
}

/** What file systems say that do not know how to flush a file: some on networks, or made by programs. */
const UNKNOWN_CALL: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** A flush, if the file system knows it; where not, the bytes are there all the same. */
async function unlessUnknown(flush: Promise<void>): Promise<void> {
  await flush.catch((error: NodeJS.ErrnoException) => {
    if (!UNKNOWN_CALL.has(error.code ?? '')) throw error
  })
}

function temporaryGone(path: string, cause: unknown): OutputError {
  const problem = 'its temporary file was removed before it was complete; was the folder emptied or made anew?'
  return new OutputError('ERR_OUTPUT', `cannot write ${path}: ${problem}`, { cause })
}

/** Makes the rename itself durable; some systems cannot open folders, and there it is left to them. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
