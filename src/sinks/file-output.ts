/** Writes to a file, which gets its name when it is complete, or to a device, which is written directly. */

import { accessSync, constants, existsSync, type Stats } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { OutputError } from '../errors.ts'
import { abortError } from '../system/abort.ts'
import { forgetTemporary, removeAbandoned, temporaryPath } from '../system/temporary-path.ts'
import { requireReplaceable } from './mount-point.ts'
import type { Output } from './open-output.ts'
import { unwritableError } from './output-error.ts'

/** Gives a new file the owner, group and mode of the one that it replaces, as far as the system permits. */
async function takeOver(file: FileHandle, existing: Stats): Promise<void> {
  const own = await file.stat()
  const { uid, gid } = existing
  const keepsGroup = (owner: number) =>
    file.chown(owner, gid).then(
      () => true,
      () => false,
    )
  const isGroupKept = (own.uid === uid && own.gid === gid) || (await keepsGroup(uid)) || (await keepsGroup(own.uid))
  // Another group must not get the permissions of the old one. `chmod` is needed since `open` applies the umask.
  const mode = existing.mode & (isGroupKept ? 0o777 : 0o707)
  // Some file systems do not support modes.
  await file.chmod(mode).catch(() => undefined)
}

/**
 * Opens a temporary file beside the path, which `commit` renames to it.
 * @param existing The file now at the path, if any: the new one gets its owner, group and mode.
 * @throws OutputError `ERR_OUTPUT`.
 */
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
    throw unwritableError(path, error)
  }
}

/** @throws OutputError `ERR_OUTPUT`. */
export async function openDevice(path: string, signal: AbortSignal | undefined): Promise<Output> {
  const file = await open(path, 'w').catch((error: unknown) => {
    throw unwritableError(path, error)
  })
  return new FileOutput(file, path, undefined, signal)
}

/** One write call writes at most 2 GiB on Linux. */
const MAX_WRITE_BYTES = 1 << 30

/** Bytes after which a temporary file is flushed to the disk. */
const SYNC_BYTES = 1 << 23

class FileOutput implements Output {
  bytesWritten = 0
  readonly #file: FileHandle
  readonly #path: string
  /** Path of the temporary file; undefined for a device, and once the file has its name. */
  #temporary: string | undefined
  readonly #signal: AbortSignal | undefined
  #isSettled = false
  /** Bytes written before the last flush was started. */
  #syncedBytes = 0
  /** The pending flush. */
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
          const { bytesWritten } = await this.#file.write(chunk, at, Math.min(chunk.length - at, MAX_WRITE_BYTES))
          at += bytesWritten
        }
        this.bytesWritten += chunk.length
      }
      this.#syncAhead()
    } catch (error) {
      throw unwritableError(this.#path, error)
    }
  }

  /** Starts to flush what was written, so that there is less to wait for at the end. */
  #syncAhead(): void {
    if (this.#temporary === undefined || this.#syncing !== undefined) return
    if (this.bytesWritten - this.#syncedBytes < SYNC_BYTES) return
    this.#syncedBytes = this.bytesWritten
    this.#syncing = flushIfSupported(this.#file.datasync())
      .catch((failure: unknown) => {
        // Kept, since the system reports a failed write only once.
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
      if (this.#temporary !== undefined) await flushIfSupported(this.#file.sync())
      await this.#file.close()
      this.#isSettled = true
    } catch (error) {
      throw unwritableError(this.#path, error)
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
      throw this.#isTemporaryGone(error) ? temporaryGoneError(this.#path, error) : unwritableError(this.#path, error)
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
    // If the file cannot be removed now, removal is retried when the process exits.
    if (isRemoved) forgetTemporary(temporary)
    this.#temporary = undefined
  }
}

/** Errors of file systems that cannot flush a file, such as some network and FUSE file systems. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** Waits for a flush; ignores that the file system does not support it, since the bytes are written anyway. */
async function flushIfSupported(flush: Promise<void>): Promise<void> {
  await flush.catch((error: NodeJS.ErrnoException) => {
    if (!UNSUPPORTED.has(error.code ?? '')) throw error
  })
}

function temporaryGoneError(path: string, cause: unknown): OutputError {
  const problem = 'its temporary file was removed before it was complete; was the folder emptied or recreated?'
  return new OutputError('ERR_OUTPUT', `cannot write ${path}: ${problem}`, { cause })
}

/** Makes the rename itself durable. Does nothing on systems that cannot open folders. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
