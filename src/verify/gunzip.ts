/** Decompresses gzip for the reference reader, detected by its first two bytes, however often it was applied. */

import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { isExportError, SourceError } from '../errors.ts'
import { type InputLimits, withinGzipRatio } from '../limits.ts'

/** Maximum levels of gzip inside gzip that are decompressed. */
const MAX_GZIP_LEVELS = 3

/**
 * Returns the bytes of the document, decompressed if they begin like gzip.
 * @throws LimitError `ERR_LIMIT` above the maximum gzip ratio.
 */
export function decompress(chunks: AsyncIterable<Uint8Array>, limits: InputLimits = {}): AsyncGenerator<Uint8Array> {
  return withinGzipRatio(chunks, limits, (packed) => unpack(packed, 0))
}

async function* unpack(chunks: AsyncIterable<Uint8Array>, depth: number): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let headBytes = 0
  while (headBytes < 2) {
    const next = await iterator.next()
    if (next.done === true) break
    head.push(next.value)
    headBytes += next.value.length
  }
  const whole = replay(head, iterator)
  const isGzip = headBytes >= 2 && depth < MAX_GZIP_LEVELS && firstTwo(head) === 0x1f8b
  yield* isGzip ? unpack(gunzipOnce(whole), depth + 1) : whole
}

async function* replay(head: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* head
    for (;;) {
      const next = await rest.next()
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await rest.return?.()
  }
}

function firstTwo(head: readonly Uint8Array[]): number {
  const [first = 0, second = 0] = head.flatMap((chunk) => [...chunk.subarray(0, 2)])
  return first * 256 + second
}

async function* gunzipOnce(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip()
  pipeline(Readable.from(chunks), gunzip, () => {})
  try {
    for await (const piece of gunzip) yield piece as Uint8Array
  } catch (error) {
    if (isExportError(error)) throw error
    throw new SourceError('ERR_GZIP', `expected a complete gzip stream, found: ${String(error)}`, { cause: error })
  }
}
