/** gzip by its magic bytes, whatever the labels say, up to two levels deep; a cut-off stream is an error. */

import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { SourceError } from '../errors.ts'
import { type InputLimits, withinGzipRatio } from '../limits.ts'
import { codeOf } from './redaction.ts'

/** A file stored as .gz and packed once more for the transfer. */
const MOST_LEVELS = 2

const OUTPUT_CHUNK_BYTES = 256 * 1024

/**
 * Unpacks what is packed and passes on what is not. Errors of `source` come through as they are.
 * @throws LimitError `ERR_LIMIT` where few bytes become very many.
 */
export function gunzipped(
  source: AsyncIterable<Uint8Array>,
  limits: Pick<InputLimits, 'maxGzipRatio'> = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  return withinGzipRatio(source, limits, (packed) => unpacked(packed, MOST_LEVELS))
}

async function* unpacked(
  source: AsyncIterable<Uint8Array>,
  levels: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { head, all } = await withHead(source, 3)
  if (!isGzip(head)) {
    yield* all
  } else if (levels === 0) {
    throw new SourceError('ERR_GZIP', `expected JSON after ${MOST_LEVELS} levels of gzip, found a further one`)
  } else {
    yield* unpacked(gunzippedOnce(all), levels - 1)
  }
}

async function* gunzippedOnce(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
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

/** The first bytes (fewer only if the source is shorter), and the whole source again. */
async function withHead(source: AsyncIterable<Uint8Array>, byteLength: number) {
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
