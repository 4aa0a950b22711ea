/**
 * Opens an export (path, URL, bytes or stream) as the bytes of the decompressed document. `parallel/` and `convert/`
 * also open files themselves, but only plain ones.
 *
 * Compression is recognised by gzip's magic bytes, not by names or headers.
 */

import { closeSync, constants, createReadStream, openSync, type Stats, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import { isExportError, SourceError, shortened } from '../errors.ts'
import { wrongValueError } from '../option-values.ts'
import { abortError, unlessAborted } from '../system/abort.ts'
import { systemReason } from '../system/system-error.ts'
import { unreadableSourceError } from '../system/unreadable-source.ts'
import { asBytes, copyBytes } from './copy-bytes.ts'
import { CHUNK_BYTES, coalesceChunks } from './long-pieces.ts'
import { BufferPool, receiveInto, SOCKET_BUFFER_BYTES } from './receive-memory.ts'
import { type ReusedChunks, releaseChunk, releaserOf } from './reused-chunks.ts'

/**
 * A path, a `file:` URL, the bytes themselves, or a stream of bytes (Node stream, web stream or any async iterable).
 */
export type ExportSource =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Readable
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>

export interface ByteSource {
  /** Fills the target from its start; resolves to the number of bytes read, 0 at the end of the document. */
  read(target: Uint8Array): Promise<number>
  /** Bytes read from the source so far, before decompression. */
  readonly bytesRead: number
  /** Bytes of the source, before decompression; undefined for streams. */
  readonly totalBytes: number | undefined
  /** Whether the source was compressed; known after the first `read`. */
  readonly isCompressed: boolean
  /** Opens the source again at an offset of the decompressed document; undefined if it can be read only once. */
  readonly reopen: ((byteOffset: number) => Promise<ByteSource>) | undefined
  /** Reads bytes at an offset of the document without moving on; only plain files have it. */
  readonly peek?: (byteOffset: number, length: number) => Promise<Uint8Array>
  close(): Promise<void>
}

/** Length of a read from a file. */
const READ_BYTES = 1 << 20

/** Levels of gzip inside gzip that are decompressed: some servers compress a file that is already compressed. */
const MAX_GZIP_LEVELS = 3

/**
 * Opens a source.
 * @throws AbortError if the signal has fired already.
 * @throws SourceError `ERR_SOURCE` when a path does not exist, is a directory or cannot be read.
 */
export async function openSource(source: ExportSource, signal?: AbortSignal): Promise<ByteSource> {
  if (signal?.aborted) throw abortError(signal)
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
  const reopen = async (byteOffset: number) => skipTo(openBytes(bytes, signal), byteOffset)
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
    return again instanceof FileSource ? again.from(byteOffset) : skipTo(again, byteOffset)
  }
  const magic = new Uint8Array(2)
  await file.read(magic, 0, magic.length, 0).catch(async (error: unknown) => {
    await file.close()
    throw unreadableSourceError(path, error)
  })
  if (isGzip(magic)) return new ChunkSource(fileChunks(file), stats.size, reopen, signal, () => file.close())
  return new FileSource(file, stats.size, reopen, signal)
}

/** A plain file, read directly into the caller's memory. */
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
        throw readError(error)
      })
    return buffer.subarray(0, bytesRead)
  }

  from(byteOffset: number): this {
    this.#position = byteOffset
    this.bytesRead = byteOffset
    return this
  }

  async read(target: Uint8Array): Promise<number> {
    if (this.#signal?.aborted) throw abortError(this.#signal)
    const { bytesRead } = await this.#file.read(target, 0, target.length, this.#position).catch((error: unknown) => {
      throw readError(error)
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
 * An open pipe, read as a socket: a pending file read would keep the process alive after an interrupt. Its buffers come
 * from a pool.
 */
export class PipeStream extends Socket {
  readonly pool: BufferPool

  constructor(fd: number) {
    const pool = new BufferPool(SOCKET_BUFFER_BYTES)
    // The constructor takes `onread` too, but its types declare it only for `connect`.
    const options = { fd, readable: true, writable: false, onread: receiveInto(pool) }
    super(options)
    this.pool = pool
  }
}

/** Opens a named pipe. */
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

function readError(error: unknown): SourceError {
  return new SourceError('ERR_SOURCE', `reading the export failed: ${systemReason(error)}`, { cause: error })
}

function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b
}

/** Opens a Node stream in reused chunks of 1 MiB. */
function openStream(stream: Readable, signal: AbortSignal | undefined): ByteSource {
  const pool = new BufferPool(CHUNK_BYTES)
  const received = stream instanceof PipeStream ? stream.pool : undefined
  const chunks: ReusedChunks = Object.assign(
    coalesceChunks(stream, pool, (chunk) => received?.releaseBefore(chunk)),
    {
      [releaseChunk]: (chunk: Uint8Array) => pool.releaseBefore(chunk),
    },
  )
  // Destroying a stream ends a pending read; returning from its iterator would wait for that read.
  return new ChunkSource(chunks, undefined, undefined, signal, async () => void stream.destroy())
}

/** The chunks of a web stream. Unlike the stream's own iterator, it can be ended while a read is pending. */
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

  /** Ends the stream and a pending read. */
  cancel(): void {
    this.#reader?.cancel().catch(() => undefined)
  }
}

function chunksOf(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (typeof source?.[Symbol.asyncIterator] === 'function') return source
  throw wrongValueError('source', 'a path, a file: URL, bytes, or a stream of bytes', source)
}

/** Reads and discards the bytes before `byteOffset`. */
async function skipTo(source: ByteSource, byteOffset: number): Promise<ByteSource> {
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
  /** Chunks of the source, and those of the decompressed document. */
  #input: AsyncGenerator<Uint8Array> | undefined
  #chunks: AsyncGenerator<Uint8Array> | undefined
  #chunk: Uint8Array = new Uint8Array(0)
  /** Releases a chunk of the source for reuse, if the source reuses its chunks. */
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

  /** Combines short chunks, since a decoder is slow if it gets few records at a time. */
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
    // Bytes read before a failure are decoded first: they may hold the first error of the document.
    if (length === 0 && this.#failure !== undefined) throw this.#failure
    return length
  }

  /** Returns the next chunk that is not empty, or an empty one at the end and after a failure, which is kept. */
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

  /** Decompresses as many levels as there are; the bytes read to find out become the first chunk. */
  async #begin(): Promise<AsyncGenerator<Uint8Array>> {
    this.#input = this.#counted()
    let chunks = this.#input
    for (let depth = 0; ; depth++) {
      const start = await firstBytes(chunks)
      if (depth === MAX_GZIP_LEVELS || !isGzip(start)) {
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
      throw readError(error)
    }
  }

  async close(): Promise<void> {
    for (const chunks of [this.#chunks, this.#input]) chunks?.return(undefined).catch(() => undefined)
    await this.#closeInput()
  }
}

/** Joins chunks until there are at least two bytes; returns fewer only at the end. */
async function firstBytes(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  let start: Uint8Array = new Uint8Array(0)
  while (start.length < 2) {
    const next = await chunks.next()
    if (next.done === true) break
    // A copy, since some sources reuse a chunk's memory.
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
