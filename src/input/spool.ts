/** A stream's bytes, kept on the disk. */

import { type FileHandle, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { OutputError } from '../errors.ts'
import { systemReason } from '../system/system-error.ts'
import { forgetTemporary, removeAbandoned, temporaryPath } from '../system/temporary-path.ts'
import { type ByteSource, FileSource } from './source.ts'

/**
 * Keeps what passes in a temporary file, so that a stream can be read a second time. The file has no name once it is
 * open, so that nothing is left of it however the process ends; where the system does not allow that, it is removed at
 * the process's end.
 */
export class Spool {
  readonly #path: string
  #file: FileHandle | undefined
  #bytes = 0

  /** `path`: what the temporary file is called after; nothing is ever there. */
  constructor(path: string = join(tmpdir(), 'alida-arrow-spool')) {
    this.#path = path
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      this.#file ??= await this.#open()
      await this.#file.writeFile(bytes)
    } catch (error) {
      throw this.#unwritable(error)
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

  #unwritable(cause: unknown): OutputError {
    const folder = dirname(this.#path)
    const problem = `the records stand before their definition and must be kept in ${folder} meanwhile, which failed`
    const advice = 'let TMPDIR name a folder with room, or give the export as a file'
    return new OutputError('ERR_OUTPUT', `${problem}: ${systemReason(cause)}; ${advice}`, { cause })
  }

  /** What was written, from its start; closing it lets go of the file. */
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
