/** Writes to a Node stream or a named pipe. */

import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { OutputError } from '../errors.ts'
import { unlessAborted } from '../system/abort.ts'
import { systemReason } from '../system/system-error.ts'
import type { Output } from './open-output.ts'
import { unwritableError } from './output-error.ts'

/** Bytes given to a stream at a time. */
const PART_BYTES = 1 << 20

export class StreamOutput implements Output {
  bytesWritten = 0
  readonly #stream: Writable
  readonly #signal: AbortSignal | undefined
  #failure: unknown

  constructor(stream: Writable, signal: AbortSignal | undefined) {
    this.#stream = stream
    this.#signal = signal
    stream.on('error', (error) => {
      this.#failure = error
    })
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += PART_BYTES) {
        // A copy, since a stream may keep what it gets, or pass it on, long after its callback.
        const part = Buffer.from(chunk.subarray(at, at + PART_BYTES))
        this.#requireOpen()
        const written = new Promise<void>((resolve, reject) => {
          this.#stream.write(part, (error) => (error ? reject(this.#writeError(error)) : resolve()))
        })
        await unlessAborted(written, this.#signal)
        this.bytesWritten += part.length
      }
    }
  }

  #requireOpen(): void {
    if (this.#failure !== undefined) throw this.#writeError(this.#failure)
    if (this.#stream.destroyed) throw this.#writeError(new Error('the stream is closed'))
  }

  #writeError(error: unknown): OutputError {
    const isClosedPipe = (error as NodeJS.ErrnoException).code === 'EPIPE'
    const reason = isClosedPipe ? 'its reader has closed it' : systemReason(error)
    return new OutputError('ERR_OUTPUT', `cannot write to the stream: ${reason}`, { cause: error })
  }

  async settle(): Promise<void> {
    this.#requireOpen()
  }

  /** Leaves the stream open: standard output cannot be closed, and the caller may want to write more. */
  async commit(): Promise<void> {
    this.#requireOpen()
  }

  async discard(): Promise<void> {}
}

/** Milliseconds between checks whether a named pipe has a reader. */
const READER_POLL_MS = 50

/**
 * Waits until a named pipe has a reader, and opens it as a socket: a file write that waits for a slow reader would keep
 * the process alive after an interrupt.
 */
export async function openPipe(path: string, signal: AbortSignal | undefined): Promise<Output> {
  for (;;) {
    const fd = openUnlessUnread(path)
    if (fd !== undefined) return new PipeOutput(socketOf(fd), signal)
    await unlessAborted(setTimeout(READER_POLL_MS), signal)
  }
}

/** Opens a named pipe; returns undefined if it has no reader. */
function openUnlessUnread(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return undefined
    throw unwritableError(path, error)
  }
}

function socketOf(fd: number): Socket {
  try {
    return new Socket({ fd, readable: false, writable: true })
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

class PipeOutput extends StreamOutput {
  readonly #socket: Socket

  constructor(socket: Socket, signal: AbortSignal | undefined) {
    super(socket, signal)
    this.#socket = socket
  }

  override async commit(): Promise<void> {
    await super.commit()
    await new Promise<void>((resolve) => this.#socket.end(resolve))
  }

  override async discard(): Promise<void> {
    this.#socket.destroy()
  }
}
