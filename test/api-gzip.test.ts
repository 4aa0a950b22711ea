import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unpackGzip } from '../src/api/gunzip.ts'
import { BATCH_ID } from './fake-alida/api.ts'
import { FakeAlida } from './fake-alida/fake-alida.ts'
import { clientWithToken, collect, madeDocument, rejection } from './fake-alida/test-client.ts'

const DOCUMENT = madeDocument(3000)
const ONCE = gzipSync(DOCUMENT)
const TWICE = gzipSync(ONCE)

let fake: FakeAlida

beforeEach(async () => {
  fake = await FakeAlida.start()
})

afterEach(async () => {
  await fake.close()
})

async function download(): Promise<Buffer> {
  return collect(clientWithToken(fake).download(BATCH_ID))
}

describe('gzip', () => {
  for (const label of [undefined, 'gzip', 'identity', 'br']) {
    it.each([
      ['not packed', DOCUMENT],
      ['packed once', ONCE],
      ['packed twice', TWICE],
      [
        'packed in several members',
        Buffer.concat([gzipSync(DOCUMENT.subarray(0, 99)), gzipSync(DOCUMENT.subarray(99))]),
      ],
    ])(`labelled ${label}: %s`, async (_name, bytes) => {
      Object.assign(fake.file, { bytes, contentEncoding: label })
      expect((await download()).equals(DOCUMENT)).toBe(true)
    })
  }

  it.each([
    ['br', brotliCompressSync(DOCUMENT)],
    ['deflate', deflateSync(DOCUMENT)],
    ['gzip, br', brotliCompressSync(ONCE)],
    ['zstd', Buffer.from('28b52ffd0458', 'hex')],
  ])('another encoding is named: %s', async (encoding, bytes) => {
    for (const framing of ['length', 'chunked', 'close'] as const) {
      Object.assign(fake.file, { bytes, contentEncoding: encoding, framing })
      const failure = await rejection(download())
      expect(failure).toMatchObject({ code: 'ERR_API_DOWNLOAD', message: expect.stringContaining(`"${encoding}"`) })
    }
  })

  it('three times is refused', async () => {
    fake.file.bytes = gzipSync(TWICE)
    expect(await rejection(download())).toMatchObject({ code: 'ERR_GZIP' })
  })

  for (const framing of ['length', 'chunked'] as const) {
    it.each([1, 10, 1000, ONCE.length - 9, ONCE.length - 1])(
      `dropped after %i bytes is resumed (${framing})`,
      async (afterBytes) => {
        Object.assign(fake.file, { bytes: ONCE, framing })
        fake.faults.store = [{ kind: 'cut', afterBytes }]
        expect((await download()).equals(DOCUMENT)).toBe(true)
        expect(fake.requests('store')[1]?.headers.range).toBe(`bytes=${afterBytes}-`)
      },
    )

    it.each([1, 10, 1000, 20_000, ONCE.length - 1])(
      `dropped after %i bytes is unpacked again and compared without an ETag (${framing})`,
      async (afterBytes) => {
        Object.assign(fake.file, { bytes: ONCE, framing, etag: undefined })
        fake.faults.store = [{ kind: 'cut', afterBytes }]
        expect((await download()).equals(DOCUMENT)).toBe(true)
        expect(fake.requests('store')).toHaveLength(2)
      },
    )
  }

  /** A stall hands out what was received before it; the second reading is of `bytes`. */
  async function readTwice(bytes: Buffer): Promise<Buffer> {
    Object.assign(fake.file, { bytes: ONCE, framing: 'chunked', etag: undefined })
    fake.faults.store = [{ kind: 'stall', afterBytes: 20_000 }]
    fake.beforeStoreRequest(2, () => Object.assign(fake.file, { bytes }))
    return collect(clientWithToken(fake, { bodyTimeoutMs: 400 }).download(BATCH_ID))
  }

  it('packed differently the second time is the same document', async () => {
    expect((await readTwice(gzipSync(DOCUMENT, { level: 1 }))).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')).toHaveLength(2)
  })

  it('of another document the second time is an error', async () => {
    const other = gzipSync(DOCUMENT.toString().replace('owner-', 'Owner-'))
    const error = await rejection(readTwice(other))
    expect(error).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
    expect(error.message).toContain('bytes differ')
  })

  it('cut off in the store is an error, at any length', async () => {
    for (const length of [4, 10, 18, 1000, ONCE.length - 8, ONCE.length - 1]) {
      fake.file.bytes = ONCE.subarray(0, length)
      const error = await rejection(download())
      expect(error).toMatchObject({ code: 'ERR_GZIP' })
      expect(error.message).toContain('cut off')
    }
  })

  it('cut off in the inner level is an error', async () => {
    fake.file.bytes = gzipSync(ONCE.subarray(0, 5000))
    expect(await rejection(download())).toMatchObject({ code: 'ERR_GZIP' })
  })

  it('damaged, or followed by something else, is an error', async () => {
    const damaged = Buffer.from(ONCE)
    damaged.writeUInt32LE(damaged.readUInt32LE(ONCE.length - 8) ^ 1, ONCE.length - 8)
    for (const bytes of [damaged, Buffer.concat([ONCE, Buffer.from('more')])]) {
      fake.file.bytes = bytes
      const error = await rejection(download())
      expect(error).toMatchObject({ code: 'ERR_GZIP' })
      expect(error.message).toContain('damaged')
    }
  })

  it('ended by closing only is read again when it is cut off', async () => {
    Object.assign(fake.file, { bytes: ONCE, framing: 'close', etag: undefined })
    fake.faults.store = [{ kind: 'short', afterBytes: 20_000 }]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')).toHaveLength(2)
  })

  it('that unpacks to more than the limit is an error', async () => {
    fake.file.bytes = gzipSync(Buffer.alloc(5_000_000, ' '))
    const chunks = clientWithToken(fake).download(BATCH_ID, { maxBytes: 1_000_000 })
    expect(await rejection(collect(chunks))).toMatchObject({ code: 'ERR_LIMIT' })
  })

  it('is cut by abort and by leaving the loop', async () => {
    fake.file.bytes = ONCE
    fake.faults.store = [
      { kind: 'stall', afterBytes: 20_000 },
      { kind: 'stall', afterBytes: 20_000 },
    ]
    const client = clientWithToken(fake)
    for await (const chunk of client.download(BATCH_ID)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    await expect.poll(() => fake.connections()).toBe(0)
    const abort = new AbortController()
    const onProgress = () => setTimeout(() => abort.abort(), 5)
    const chunks = client.download(BATCH_ID, { signal: abort.signal, onProgress })
    expect(await rejection(collect(chunks))).toMatchObject({ code: 'ERR_ABORTED' })
    await expect.poll(() => fake.connections()).toBe(0)
  })

  it.each([1, 2, 3, 7])('comes in pieces of %i bytes', async (size) => {
    async function* pieces() {
      for (let place = 0; place < 60; place += size) yield small.subarray(place, Math.min(place + size, 60))
      yield small.subarray(60)
    }
    const small = gzipSync(gzipSync(madeDocument(3)))
    expect((await collect(unpackGzip(pieces()))).equals(madeDocument(3))).toBe(true)
  })

  it.each(['', '{', '\u001f', '\u001f\u008b'])('is not what %j is', async (text) => {
    async function* source() {
      yield Buffer.from(text, 'latin1')
    }
    expect((await collect(unpackGzip(source()))).toString('latin1')).toBe(text)
  })
})
