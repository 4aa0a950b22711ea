/** Keeps a stream's bytes on disk. */

import { type FileHandle, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { OutputError } from '../errors.ts'
import { systemReason } from '../system/system-error.ts'
import { forgetTemporary, removeAbandoned, temporaryPath } from '../system/temporary-path.ts'
import { type ByteSource, FileSource } from './source.ts'

/**
 * A temporary file from which a stream can be read a second time. Its name is removed as soon as it is open, so that
 * nothing is left however the process ends; where the system does not allow that, it is removed when the process exits.
 */
export class Spool {
  readonly #path: string
  #file: FileHandle | undefined
  #bytes = 0

  /**
   * @param path Gives the temporary file its folder and the start of its name; no file is created at the path itself.
   */
  constructor(path: string = join(tmpdir(), 'alida-arrow-spool')) {
    this.#path = path
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      this.#file ??= await this.#open()
      await this.#file.writeFile(bytes)
    } catch (error) {
      throw this.#unwritableError(error)
    }
    this.#bytes += bytes.length
  }

  async #open(): Promise<FileHandle> {
    removeAbandoned(this.#path)
    const temporary = temporaryPath(this.#path)
    const file = await open(temporary, 'wx+', 0o600)
    await rm(temporary, { force: true }).then(
      () => forgetTemporary(temporary),
      () => undefined,
    )
    return file
  }

  #unwritableError(cause: unknown): OutputError {
    const folder = dirname(this.#path)
    const problem = `the records come before their definition, and keeping them in ${folder} meanwhile failed`
    const advice = 'set TMPDIR to a folder with enough room, or give the export as a file'
    return new OutputError('ERR_OUTPUT', `${problem}: ${systemReason(cause)}; ${advice}`, { cause })
  }

  /** Returns a source that reads what was written, from the start; closing it closes the file. Can be called once. */
  read(signal?: AbortSignal): ByteSource {
    const file = this.#file
    if (file === undefined) throw new Error('unreachable: nothing was spooled')
    this.#file = undefined
    const once = () => Promise.reject(new Error('unreachable: a spool is read once'))
    return new FileSource(file, this.#bytes, once, signal)
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}
