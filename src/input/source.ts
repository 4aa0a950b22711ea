/**
 * Whatever the caller has → bytes of the decompressed document. Whatever reads files beside it
 * (`parallel/`, a look by `convert.ts`) reads plain ones only.
 *
 * Compression is told by the magic bytes of gzip, not by names or headers.
 */

import { closeSync, constants, createReadStream, openSync, type Stats, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import { AbortError, isExportError, SourceError, shortened } from '../errors.ts'
import { wrongValueError } from '../option-values.ts'
import { systemReason } from '../system/system-error.ts'
import { unreadableSourceError } from '../system/unreadable-source.ts'
import { asBytes, copyBytes } from './copy-bytes.ts'
import { LONG_PIECE_BYTES, longPieces } from './long-pieces.ts'
import { ReceiveMemory, receivingIn, SOCKET_PIECE_BYTES } from './receive-memory.ts'
import { type ReusedChunks, releaseChunk, releaserOf } from './reused-chunks.ts'

/** A path, a `file:` URL, the bytes themselves, or a stream of them (Node's, the web's, any async iterable). */
export type ExportSource =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Readable
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>

export interface ByteSource {
  /** Fills the target from its start; resolves to how many bytes it got, 0 at the end of the document. */
  read(target: Uint8Array): Promise<number>
  /** Bytes taken from the source so far, compressed as they come. */
  readonly bytesRead: number
  /** Bytes of the source, compressed as they come; undefined for streams. */
  readonly totalBytes: number | undefined
  /** Whether the source was compressed; known after the first `read`. */
  readonly isCompressed: boolean
  /** Opens it once more at a byte of the decompressed document; undefined when it can be read only once. */
  readonly reopen: ((byteOffset: number) => Promise<ByteSource>) | undefined
  /** Bytes at an offset of the document, without moving on; only of plain files. */
  readonly peek?: (byteOffset: number, length: number) => Promise<Uint8Array>
  close(): Promise<void>
}

/** Bytes asked of a file at a time. */
const READ_BYTES = 1 << 20

/** gzip inside gzip is unpacked this often: some servers compress a file that is compressed already. */
const DEEPEST_GZIP = 3

/**
 * Opens a source.
 * @throws SourceError `ERR_SOURCE` when a path does not exist, is a directory or cannot be read.
 */
export async function openSource(source: ExportSource, signal?: AbortSignal): Promise<ByteSource> {
  if (signal?.aborted) throw aborted(signal)
  if (typeof source === 'string' || source instanceof URL) return openPath(pathOf(source), signal)
  if (source instanceof ArrayBuffer) return openBytes(new Uint8Array(source), signal)
  if (source instanceof Uint8Array) return openBytes(source, signal)
  if (source instanceof ReadableStream) {
    const chunks = new WebChunks(source)
    return new ChunkSource(chunks, undefined, undefined, signal, async () => chunks.cancel())
  }
  if (source instanceof Readable) return openStream(source, signal)
  return new ChunkSource(chunksOf(source), undefined, undefined, signal)
}

function pathOf(source: string | URL): string {
  if (typeof source === 'string') return source
  if (source.protocol === 'file:') return fileURLToPath(source)
  throw new SourceError('ERR_SOURCE', `expected a file: URL, found ${source.protocol}; use ExportClient for the API`)
}

function openBytes(bytes: Uint8Array, signal: AbortSignal | undefined): ByteSource {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += READ_BYTES) yield bytes.subarray(at, at + READ_BYTES)
  }
  const reopen = async (byteOffset: number) => skipped(openBytes(bytes, signal), byteOffset)
  return new ChunkSource(chunks(), bytes.length, reopen, signal)
}

async function openPath(path: string, signal: AbortSignal | undefined): Promise<ByteSource> {
  const stats = statOf(path)
  if (stats.isDirectory()) throw new SourceError('ERR_SOURCE', `expected a file, found a directory: ${path}`)
  if (!stats.isFile()) {
    const stream = stats.isFIFO() ? openPipe(path) : createReadStream(path, { highWaterMark: READ_BYTES })
    return openStream(stream, signal)
  }
  const file = await open(path).catch((error: unknown) => {
    throw unreadableSourceError(path, error)
  })
  const reopen = async (byteOffset: number) => {
    const again = await openPath(path, signal)
    return again instanceof FileSource ? again.from(byteOffset) : skipped(again, byteOffset)
  }
  const magic = new Uint8Array(2)
  await file.read(magic, 0, magic.length, 0).catch(async (error: unknown) => {
    await file.close()
    throw unreadableSourceError(path, error)
  })
  if (isGzip(magic)) return new ChunkSource(fileChunks(file), stats.size, reopen, signal, () => file.close())
  return new FileSource(file, stats.size, reopen, signal)
}

/** A plain file: read straight into the caller's memory. */
export class FileSource implements ByteSource {
  bytesRead = 0
  readonly isCompressed = false
  readonly totalBytes: number
  readonly reopen: (byteOffset: number) => Promise<ByteSource>
  readonly #file: FileHandle
  readonly #signal: AbortSignal | undefined
  #position = 0

  constructor(
    file: FileHandle,
    totalBytes: number,
    reopen: (byteOffset: number) => Promise<ByteSource>,
    signal: AbortSignal | undefined,
  ) {
    this.#file = file
    this.totalBytes = totalBytes
    this.reopen = reopen
    this.#signal = signal
  }

  readonly peek = async (byteOffset: number, length: number): Promise<Uint8Array> => {
    const { buffer, bytesRead } = await this.#file
      .read(new Uint8Array(length), 0, length, byteOffset)
      .catch((error: unknown) => {
        throw broken(error)
      })
    return buffer.subarray(0, bytesRead)
  }

  from(byteOffset: number): this {
    this.#position = byteOffset
    this.bytesRead = byteOffset
    return this
  }

  async read(target: Uint8Array): Promise<number> {
    if (this.#signal?.aborted) throw aborted(this.#signal)
    const { bytesRead } = await this.#file.read(target, 0, target.length, this.#position).catch((error: unknown) => {
      throw broken(error)
    })
    this.#position += bytesRead
    this.bytesRead += bytesRead
    return bytesRead
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

async function* fileChunks(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = new Uint8Array(READ_BYTES)
    const { bytesRead } = await file.read(chunk, 0, READ_BYTES, null)
    if (bytesRead === 0) return
    yield chunk.subarray(0, bytesRead)
  }
}

function statOf(path: string): Stats {
  try {
    return statSync(path)
  } catch (error) {
    throw unreadableSourceError(path, error)
  }
}

/**
 * A pipe that is open already, read as a socket: a pending file read would keep the process alive after an interrupt.
 * What it reads into is used again.
 */
export class PipeStream extends Socket {
  readonly memory: ReceiveMemory

  constructor(fd: number) {
    const memory = new ReceiveMemory(SOCKET_PIECE_BYTES)
    // Its type does not know what `connect` knows.
    const options = { fd, readable: true, writable: false, onread: receivingIn(memory) }
    super(options)
    this.memory = memory
  }
}

/** A named pipe. */
function openPipe(path: string): Readable {
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    return new PipeStream(fd)
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    throw unreadableSourceError(path, error)
  }
}

function broken(error: unknown): SourceError {
  return new SourceError('ERR_SOURCE', `reading the export failed: ${systemReason(error)}`, { cause: error })
}

function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b
}

/** A Node stream, in pieces whose memory is used again. */
function openStream(stream: Readable, signal: AbortSignal | undefined): ByteSource {
  const memory = new ReceiveMemory(LONG_PIECE_BYTES)
  const received = stream instanceof PipeStream ? stream.memory : undefined
  const pieces: ReusedChunks = Object.assign(
    longPieces(stream, memory, (chunk) => received?.releaseBefore(chunk)),
    {
      [releaseChunk]: (piece: Uint8Array) => memory.releaseBefore(piece),
    },
  )
  // Destroying a stream ends a read that is under way, which returning from its iterator would wait for.
  return new ChunkSource(pieces, undefined, undefined, signal, async () => void stream.destroy())
}

/** A web stream's chunks. Its own iterator could not be ended while a read is under way. */
class WebChunks implements AsyncIterable<Uint8Array> {
  readonly #stream: ReadableStream<Uint8Array>
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#stream = stream
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    this.#reader = this.#stream.getReader()
    for (;;) {
      const { done, value } = await this.#reader.read()
      if (done) return
      yield value
    }
  }

  /** Ends the stream, and a read that is under way. */
  cancel(): void {
    this.#reader?.cancel().catch(() => undefined)
  }
}

function chunksOf(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (typeof source?.[Symbol.asyncIterator] === 'function') return source
  throw wrongValueError('source', 'a path, a file: URL, bytes, or a stream of bytes', source)
}

async function skipped(source: ByteSource, byteOffset: number): Promise<ByteSource> {
  const scratch = new Uint8Array(READ_BYTES)
  for (let left = byteOffset; left > 0; ) {
    const got = await source.read(scratch.subarray(0, Math.min(left, scratch.length)))
    if (got === 0) throw new SourceError('ERR_SOURCE_CHANGED', 'the export became shorter while it was read')
    left -= got
  }
  return source
}

class ChunkSource implements ByteSource {
  bytesRead = 0
  isCompressed = false
  readonly totalBytes: number | undefined
  readonly reopen: ((byteOffset: number) => Promise<ByteSource>) | undefined
  readonly #signal: AbortSignal | undefined
  readonly #source: AsyncIterable<Uint8Array>
  readonly #closeInput: () => Promise<void>
  /** The source's chunks as they come, and those of the document. */
  #input: AsyncGenerator<Uint8Array> | undefined
  #chunks: AsyncGenerator<Uint8Array> | undefined
  #chunk: Uint8Array = new Uint8Array(0)
  /** Takes back the chunk that came last, as it came. */
  readonly #reuse: ((chunk: Uint8Array) => void) | undefined
  #last: Uint8Array | undefined
  #isAtEnd = false
  #failure: unknown

  constructor(
    source: AsyncIterable<Uint8Array>,
    totalBytes: number | undefined,
    reopen: ((byteOffset: number) => Promise<ByteSource>) | undefined,
    signal: AbortSignal | undefined,
    closeInput: () => Promise<void> = async () => undefined,
  ) {
    this.#source = source
    this.#reuse = releaserOf(source)
    this.#closeInput = closeInput
    this.totalBytes = totalBytes
    this.reopen = reopen
    this.#signal = signal
  }

  async read(target: Uint8Array): Promise<number> {
    return unlessAborted(this.#fill(target), this.#signal)
  }

  /** Puts short chunks together: a decoder that sees few records at a time is slow. */
  async #fill(target: Uint8Array): Promise<number> {
    let length = 0
    while (length < target.length) {
      if (this.#chunk.length === 0) this.#chunk = await this.#nextChunk()
      if (this.#chunk.length === 0) break
      const part = this.#chunk.subarray(0, target.length - length)
      copyBytes(part, target, length)
      this.#chunk = this.#chunk.subarray(part.length)
      length += part.length
    }
    // What came before a failure is decoded first: it may hold the first error of the document.
    if (length === 0 && this.#failure !== undefined) throw this.#failure
    return length
  }

  /** The next chunk that is not empty; an empty one at the end, and where the source has failed. */
  async #nextChunk(): Promise<Uint8Array> {
    try {
      this.#chunks ??= await this.#begin()
      if (this.#last !== undefined) this.#reuse?.(this.#last)
      while (this.#chunk.length === 0 && !this.#isAtEnd) {
        const next = await this.#chunks.next()
        if (next.done === true) this.#isAtEnd = true
        else this.#chunk = this.#last = asBytes(next.value)
      }
    } catch (error) {
      this.#failure = error
      this.#isAtEnd = true
    }
    return this.#chunk
  }

  /** Unpacks as often as needed; what was looked at meanwhile is the first chunk. */
  async #begin(): Promise<AsyncGenerator<Uint8Array>> {
    this.#input = this.#counted()
    let chunks = this.#input
    for (let depth = 0; ; depth++) {
      const start = await firstBytes(chunks)
      if (depth === DEEPEST_GZIP || !isGzip(start)) {
        this.#chunk = start
        return chunks
      }
      this.isCompressed = true
      chunks = gunzip(startingWith(start, chunks))
    }
  }

  async *#counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#source) {
        const bytes = asBytes(chunk)
        this.bytesRead += bytes.length
        yield bytes
      }
    } catch (error) {
      if (isExportError(error)) throw error
      throw broken(error)
    }
  }

  async close(): Promise<void> {
    for (const chunks of [this.#chunks, this.#input]) chunks?.return(undefined).catch(() => undefined)
    await this.#closeInput()
  }
}

/** Chunks up to the second byte, as one; shorter only where there are no more. */
async function firstBytes(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  let start: Uint8Array = new Uint8Array(0)
  while (start.length < 2) {
    const next = await chunks.next()
    if (next.done === true) break
    // A copy: some sources use a chunk's memory again.
    start = Buffer.concat([start, next.value])
  }
  return start
}

async function* startingWith(start: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield start
  yield* rest
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = Readable.from(chunks, { objectMode: true, highWaterMark: 1 })
  const output = createGunzip({ chunkSize: READ_BYTES })
  input.once('error', (error) => output.destroy(error))
  input.pipe(output)
  try {
    yield* output
  } catch (error) {
    if (isExportError(error)) throw error
    const problem =
      (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR' ? 'is cut off' : shortened((error as Error).message)
    throw new SourceError('ERR_GZIP', `the gzip stream of the export is broken (${problem}); get the file again`, {
      cause: error,
    })
  } finally {
    input.destroy()
    output.destroy()
  }
}

/**
 * What the promise settles to, or the abort, whichever comes first: a silent stream must not hold up an abort.
 * @throws AbortError when the signal fires first.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  if (signal.aborted) {
    promise.catch(() => undefined)
    return Promise.reject(aborted(signal))
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(aborted(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(
      (result) => {
        signal.removeEventListener('abort', onAbort)
        resolve(result)
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort)
        reject(signal.aborted ? aborted(signal) : error)
      },
    )
  })
}

/** The error of an abort; its cause is the signal's reason. */
export function aborted(signal: AbortSignal): AbortError {
  return new AbortError('ERR_ABORTED', 'interrupted before it was done', { cause: signal.reason })
}
