/**
 * Where a sink's bytes go. A file appears at its path only when it is complete: it is written under another name in
 * the same folder, flushed to the disk, and renamed. On any failure the temporary file is removed, and an older file
 * at the path stays as it was.
 */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, constants, readdirSync, realpathSync, rmSync, type Stats, statSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { isExportError, OutputError } from '../errors.ts'

/** A path, a `file:` URL, or a Node stream. */
export type OutputTarget = string | URL | Writable

export interface Output {
  readonly bytesWritten: number
  /** Writes the chunks in order; they may be changed once the promise is settled. */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** Makes the output complete. */
  commit(): Promise<void>
  /** Removes whatever was written. */
  discard(): Promise<void>
}

/**
 * Opens the output, lets `fill` write it, and commits; discards it when `fill` throws.
 * @throws OutputError `ERR_OUTPUT` when it cannot be written; whatever `fill` throws.
 */
export async function writeOutput(target: OutputTarget, fill: (output: Output) => Promise<void>): Promise<number> {
  const output = await openOutput(target)
  try {
    await fill(output)
    await output.commit()
    return output.bytesWritten
  } catch (error) {
    await output.discard()
    throw error
  }
}

/** Checks all that can be checked before the first byte: the folder, permissions, what stands at the path now. */
export async function openOutput(target: OutputTarget): Promise<Output> {
  if (typeof target !== 'string' && !(target instanceof URL)) return new StreamOutput(target)
  const path = typeof target === 'string' ? target : fileURLToPath(target)
  const existing = statOrUndefined(path)
  if (existing?.isDirectory())
    throw new OutputError('ERR_OUTPUT', `expected a file to write, found a directory: ${path}`)
  if (existing !== undefined && !existing.isFile()) return new FileOutput(await openDevice(path), path, undefined)
  return openTemporary(existing === undefined ? path : realpathSync(path), existing)
}

function statOrUndefined(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unwritable(path, error)
  }
}

async function openDevice(path: string): Promise<FileHandle> {
  return open(path, 'w').catch((error: unknown) => {
    throw unwritable(path, error)
  })
}

/** Ends the names of temporary files; the middle part is the number of the process that writes it. */
const TEMPORARY_SUFFIX = '.alida-arrow-partial'

async function openTemporary(path: string, existing: Stats | undefined): Promise<Output> {
  const folder = dirname(path)
  try {
    accessSync(folder, constants.W_OK)
    if (existing !== undefined) accessSync(path, constants.W_OK)
    removeStale(folder, basename(path))
    const unique = `${process.pid}-${randomBytes(4).toString('hex')}`
    const temporary = join(folder, `.${basename(path)}.${unique}${TEMPORARY_SUFFIX}`)
    const file = await open(temporary, 'wx', existing === undefined ? 0o666 : existing.mode & 0o777)
    // The mode given to `open` is cut by the umask; some file systems know no modes.
    if (existing !== undefined) await file.chmod(existing.mode & 0o777).catch(() => undefined)
    return new FileOutput(file, path, temporary)
  } catch (error) {
    throw unwritable(path, error)
  }
}

/** Removes what a killed process left of an earlier try at the same file. */
function removeStale(folder: string, name: string): void {
  const prefix = `.${name}.`
  for (const entry of readdirSync(folder)) {
    if (!entry.startsWith(prefix) || !entry.endsWith(TEMPORARY_SUFFIX)) continue
    const pid = Number.parseInt(entry.slice(prefix.length), 10)
    if (Number.isSafeInteger(pid) && !isAlive(pid)) rmSync(join(folder, entry), { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function unwritable(path: string, error: unknown): unknown {
  if (isExportError(error)) return error
  const reasons: Record<string, string> = {
    ENOENT: `no such folder: ${dirname(path)}`,
    ENOTDIR: `not a folder: ${dirname(path)}`,
    EACCES: 'no permission',
    EPERM: 'no permission',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    ENAMETOOLONG: 'the name is too long',
  }
  const reason = reasons[(error as NodeJS.ErrnoException).code ?? ''] ?? (error as Error).message
  return new OutputError('ERR_OUTPUT', `cannot write ${path}: ${reason}`, { cause: error })
}

/** Temporary files of this process, removed even when it exits in a way that lets no promise settle. */
const temporaryFiles = new Set<string>()

process.on('exit', () => {
  for (const path of temporaryFiles) rmSync(path, { force: true })
})

class FileOutput implements Output {
  bytesWritten = 0
  readonly #file: FileHandle
  readonly #path: string
  /** Undefined for a device, which is written directly. */
  readonly #temporary: string | undefined

  constructor(file: FileHandle, path: string, temporary: string | undefined) {
    this.#file = file
    this.#path = path
    this.#temporary = temporary
    if (temporary !== undefined) temporaryFiles.add(temporary)
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
    } catch (error) {
      throw unwritable(this.#path, error)
    }
  }

  async commit(): Promise<void> {
    try {
      if (this.#temporary !== undefined) await this.#file.sync()
      await this.#file.close()
      if (this.#temporary === undefined) return
      await rename(this.#temporary, this.#path)
      temporaryFiles.delete(this.#temporary)
      await syncFolder(dirname(this.#path))
    } catch (error) {
      throw unwritable(this.#path, error)
    }
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined)
    if (this.#temporary === undefined || !temporaryFiles.has(this.#temporary)) return
    await rm(this.#temporary, { force: true }).catch(() => undefined)
    temporaryFiles.delete(this.#temporary)
  }
}

/** One write call moves at most 2 GiB on Linux. */
const MOST_BYTES_AT_ONCE = 1 << 30

/** Makes the rename itself durable; some systems cannot open folders, and there it is left to them. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

class StreamOutput implements Output {
  bytesWritten = 0
  readonly #stream: Writable
  #failure: unknown

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', (error) => {
      this.#failure = error
    })
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      this.#requireOpen()
      // The callback comes once the stream has let go of the chunk, whose memory may be used again after that.
      await new Promise<void>((resolve, reject) => {
        this.#stream.write(chunk, (error) => (error ? reject(this.#failed(error)) : resolve()))
      })
      this.bytesWritten += chunk.length
    }
  }

  #requireOpen(): void {
    if (this.#failure !== undefined) throw this.#failed(this.#failure)
    if (this.#stream.destroyed) throw this.#failed(new Error('the stream is closed'))
  }

  #failed(error: unknown): OutputError {
    const isClosedPipe = (error as NodeJS.ErrnoException).code === 'EPIPE'
    const reason = isClosedPipe ? 'its reader has closed it' : (error as Error).message
    return new OutputError('ERR_OUTPUT', `cannot write to the stream: ${reason}`, { cause: error })
  }

  async commit(): Promise<void> {
    this.#requireOpen()
    // Standard output cannot be closed, and whoever gave the stream may have more to say.
    if (this.#stream.writableNeedDrain) await once(this.#stream, 'drain')
  }

  async discard(): Promise<void> {}
}
