/**
 * Decompresses gzip, detected by its magic bytes regardless of labels, up to two levels deep. A truncated stream is an
 * error.
 */

import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { SourceError } from '../errors.ts'
import { type InputLimits, withinGzipRatio } from '../limits.ts'
import { codeOf } from './redaction.ts'

/** Two levels: a file stored as .gz and compressed once more for the transfer. */
const MAX_GZIP_LEVELS = 2

const OUTPUT_CHUNK_BYTES = 256 * 1024

/**
 * Decompresses gzip and passes on everything else. Errors of `source` are passed on unchanged.
 * @throws LimitError `ERR_LIMIT` above the maximum gzip ratio.
 */
export function unpackGzip(
  source: AsyncIterable<Uint8Array>,
  limits: Pick<InputLimits, 'maxGzipRatio'> = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  return withinGzipRatio(source, limits, (packed) => unpack(packed, MAX_GZIP_LEVELS))
}

async function* unpack(source: AsyncIterable<Uint8Array>, levels: number): AsyncGenerator<Uint8Array, void, undefined> {
  const { head, all } = await peekHead(source, 3)
  if (!isGzip(head)) {
    yield* all
  } else if (levels === 0) {
    throw new SourceError('ERR_GZIP', `expected JSON after ${MAX_GZIP_LEVELS} levels of gzip, found a further one`)
  } else {
    yield* unpack(gunzipOnce(all), levels - 1)
  }
}

async function* gunzipOnce(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip({ chunkSize: OUTPUT_CHUNK_BYTES })
  pipeline(source, gunzip, () => {})
  try {
    for await (const chunk of gunzip) yield chunk as Buffer
  } catch (error) {
    throw gzipError(error)
  }
}

function gzipError(error: unknown): unknown {
  const code = codeOf(error)
  if (code === 'Z_BUF_ERROR') {
    return new SourceError('ERR_GZIP', 'expected more gzip data, found its end: the file is cut off', { cause: error })
  }
  if (code?.startsWith('Z_')) {
    return new SourceError('ERR_GZIP', 'expected gzip data, found something else: the file is damaged', {
      cause: error,
    })
  }
  return error
}

function isGzip(head: Uint8Array): boolean {
  return head.length >= 3 && head[0] === 0x1f && head[1] === 0x8b && head[2] === 0x08
}

/** Returns the first bytes (fewer only if the source is shorter), and an iterable of the whole source. */
async function peekHead(source: AsyncIterable<Uint8Array>, byteLength: number) {
  const iterator = source[Symbol.asyncIterator]()
  let head: Uint8Array = new Uint8Array(0)
  while (head.length < byteLength) {
    const next = await iterator.next()
    if (next.done) break
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
  }
  return { head, all: headAndRest(head, iterator) }
}

async function* headAndRest(head: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head
    yield* { [Symbol.asyncIterator]: () => iterator }
  } finally {
    await iterator.return?.()
  }
}
