import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BATCH_ID } from './fake-alida/api.ts'
import { FakeAlida } from './fake-alida/fake-alida.ts'
import type { Fault } from './fake-alida/fault.ts'
import { clientWithToken, collect, madeDocument, rejection } from './fake-alida/test-client.ts'

const DOCUMENT = madeDocument(3000)
const SIZE = DOCUMENT.length

let fake: FakeAlida

beforeEach(async () => {
  fake = await FakeAlida.start()
  fake.file.bytes = DOCUMENT
})

afterEach(async () => {
  await fake.close()
})

const cut = (afterBytes: number): Fault => ({ kind: 'cut', afterBytes })

async function download(): Promise<Buffer> {
  return collect(clientWithToken(fake).download(BATCH_ID))
}

async function downloadError() {
  return rejection(download())
}

/** Bytes delivered before the connection is cut; then the download is resumed from the place reached. */
const POINTS = [1, 2, 1000, 65_536, SIZE - 1]

describe('a dropped connection', () => {
  for (const framing of ['length', 'chunked'] as const) {
    it.each(POINTS)(`after %i bytes is resumed by Range and If-Range (${framing})`, async (afterBytes) => {
      fake.file.framing = framing
      fake.faults.store = [cut(afterBytes)]
      expect((await download()).equals(DOCUMENT)).toBe(true)
      const [first, second] = fake.requests('store')
      expect(first?.headers).not.toHaveProperty('range')
      expect(second?.headers).toMatchObject({ range: `bytes=${afterBytes}-`, 'if-range': '"version-1"' })
      expect(second?.path).not.toBe(first?.path)
      // An answer with a link must not be cut into a range.
      expect(fake.requests('file')[1]?.headers).not.toHaveProperty('range')
    })

    it.each(POINTS)(`after %i bytes is read again and compared without an ETag (${framing})`, async (afterBytes) => {
      fake.file.framing = framing
      fake.file.etag = undefined
      fake.faults.store = [cut(afterBytes)]
      expect((await download()).equals(DOCUMENT)).toBe(true)
      expect(fake.requests('store')[1]?.headers).not.toHaveProperty('range')
    })

    it(`many times over, each time in the middle (${framing})`, async () => {
      fake.file.framing = framing
      fake.faults.store = Array.from({ length: 20 }, () => cut(10_000))
      expect((await download()).equals(DOCUMENT)).toBe(true)
      expect(fake.requests('store')).toHaveLength(21)
    })
  }

  it('at the very end of a chunked body is found to be complete by 416', async () => {
    fake.file.framing = 'chunked'
    fake.faults.store = [cut(SIZE)]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')).toHaveLength(2)
  })

  it('before the first byte starts again', async () => {
    fake.faults.store = [{ kind: 'reset' }, cut(0), { kind: 'answer', status: 503 }]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store').map(({ headers }) => headers.range)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('with a weak ETag is read again, not resumed', async () => {
    fake.file.etag = 'W/"version-1"'
    fake.faults.store = [cut(5000)]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')[1]?.headers).not.toHaveProperty('range')
  })

  it('of a store that knows no ranges is read again', async () => {
    fake.file.ranges = false
    fake.faults.store = [cut(5000), cut(2000), cut(50_000)]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')).toHaveLength(4)
  })

  it('of a file that the API itself sends is resumed there', async () => {
    fake.linkForm = 'direct'
    fake.faults.file = [cut(100_000)]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('file')[1]?.headers).toMatchObject({ range: 'bytes=100000-' })
  })

  it('is given up after six attempts without a further byte', async () => {
    fake.faults.store = [cut(5000), ...Array.from({ length: 9 }, () => cut(0))]
    const error = await downloadError()
    expect(error).toMatchObject({ code: 'ERR_API_NETWORK' })
    expect(error.message).toContain('gave up after 6 attempts')
    expect(fake.requests('store')).toHaveLength(6)
  })
})

describe('a changed file', () => {
  const other = Buffer.from(DOCUMENT.toString().replaceAll('owner-', 'Owner-'))

  it('is an error, with a strong ETag', async () => {
    fake.faults.store = [cut(5000)]
    fake.beforeStoreRequest(2, () => Object.assign(fake.file, { bytes: other, etag: '"version-2"' }))
    const error = await downloadError()
    expect(error).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
    expect(error.message).toMatch(/"version-1".*"version-2"/)
  })

  it('is an error, without ETag: the beginning differs', async () => {
    fake.file.etag = undefined
    fake.faults.store = [cut(5000)]
    fake.beforeStoreRequest(2, () => Object.assign(fake.file, { bytes: other }))
    const error = await downloadError()
    expect(error).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
    expect(error.message).toContain('first 5000 bytes differ')
  })

  it('is an error, without ETag: the length differs', async () => {
    fake.file.etag = undefined
    fake.faults.store = [cut(5000)]
    fake.beforeStoreRequest(2, () => Object.assign(fake.file, { bytes: Buffer.concat([DOCUMENT, Buffer.from(' ')]) }))
    expect(await downloadError()).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
  })

  it('is an error, without ETag and length: it is shorter than what was handed out', async () => {
    Object.assign(fake.file, { etag: undefined, framing: 'chunked' })
    fake.faults.store = [cut(5000)]
    fake.beforeStoreRequest(2, () => Object.assign(fake.file, { bytes: DOCUMENT.subarray(0, 4000) }))
    const error = await downloadError()
    expect(error).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
    expect(error.message).toContain('shorter')
  })

  it('is an error, if its ETag is gone', async () => {
    fake.faults.store = [cut(5000)]
    fake.beforeStoreRequest(2, () => Object.assign(fake.file, { etag: undefined }))
    expect(await downloadError()).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
  })

  it('is taken whole, if nothing was handed out yet', async () => {
    fake.faults.store = [cut(0)]
    fake.beforeStoreRequest(2, () => Object.assign(fake.file, { bytes: other, etag: '"version-2"' }))
    expect((await download()).equals(other)).toBe(true)
  })
})

describe('a rest that is not what was asked for is an error', () => {
  const rest = (headers: Record<string, string>, status = 206): Fault => ({
    kind: 'answer',
    status,
    headers: { etag: '"version-1"', ...headers },
    body: 'rest',
  })

  it.each([
    ['another total', rest({ 'content-range': `bytes 5000-5003/${SIZE + 1}` })],
    ['a later start', rest({ 'content-range': `bytes 5001-5004/${SIZE}` })],
    ['no Content-Range', rest({})],
    ['a Content-Range that is none', rest({ 'content-range': 'bytes 5000' })],
    ['another ETag', rest({ 'content-range': `bytes 5000-5003/${SIZE}`, etag: '"version-2"' })],
    ['416 with another total', rest({ 'content-range': 'bytes */4000' }, 416)],
    ['416 without a total', rest({}, 416)],
  ])('%s', async (_name, fault) => {
    fake.faults.store = [cut(5000), fault]
    expect(await downloadError()).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
  })

  it.each(['bytes 0-3/5', 'bytes 1-4/5', 'bytes 0-3/*', ''])(
    '%s in a 206 to a request for the whole file',
    async (range) => {
      fake.faults.store = [rest({ 'content-range': range })]
      expect(await downloadError()).toMatchObject({ code: 'ERR_API_DOWNLOAD', status: 206 })
    },
  )
})

describe('the file is whole', () => {
  /** A range as a store may answer it: from another byte, or with another status. */
  const piece = (start: number, end: number, status = 206): Fault => ({
    kind: 'answer',
    status,
    headers: { 'content-range': `bytes ${start}-${end - 1}/${SIZE}`, etag: '"version-1"' },
    body: DOCUMENT.subarray(start, end).toString(),
  })

  it('if a range begins earlier than asked for, by a block or at the start of the file', async () => {
    fake.faults.store = [cut(5000), piece(4096, 6000), piece(0, SIZE)]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')[2]?.headers.range).toBe('bytes=6000-')
  })

  it('if a range that is all overlap is followed by the rest', async () => {
    fake.faults.store = [cut(5000), piece(1000, 5000)]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')[2]?.headers.range).toBe('bytes=5000-')
  })

  it('if a range has the status 200', async () => {
    fake.faults.store = [cut(5000), piece(5000, SIZE, 200)]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')).toHaveLength(2)
  })

  it('if the store answers with 206 although nothing but all of it was asked for', async () => {
    fake.faults.store = [piece(0, SIZE)]
    expect((await download()).equals(DOCUMENT)).toBe(true)
  })

  it('if a range is but a piece of the rest', async () => {
    const piece = DOCUMENT.subarray(5000, 6000).toString()
    const headers = { 'content-range': `bytes 5000-5999/${SIZE}`, etag: '"version-1"' }
    fake.faults.store = [cut(5000), { kind: 'answer', status: 206, headers, body: piece }]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')[2]?.headers.range).toBe('bytes=6000-')
  })
})

describe('a body that only its end delimits', () => {
  beforeEach(() => {
    Object.assign(fake.file, { framing: 'close', etag: undefined })
  })

  it('is taken if the document is closed', async () => {
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')).toHaveLength(1)
  })

  it.each([1, 5000, 20_003, SIZE - 1])(
    'is read again if the document is cut off after %i bytes',
    async (afterBytes) => {
      fake.faults.store = [{ kind: 'short', afterBytes }]
      expect((await download()).equals(DOCUMENT)).toBe(true)
      expect(fake.requests('store')).toHaveLength(2)
    },
  )

  it('is an error if it stays short', async () => {
    fake.faults.store = Array.from({ length: 9 }, () => ({ kind: 'short', afterBytes: 5000 }) as const)
    const error = await downloadError()
    expect(error).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
    expect(error.message).toContain('cut off')
  })
})
