import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DownloadProgress } from '../src/api/client.ts'
import { BATCH_ID, errorBody, statusBody } from './fake-alida/api.ts'
import { FakeAlida } from './fake-alida/fake-alida.ts'
import type { Fault } from './fake-alida/fault.ts'
import {
  clientWithSecret,
  clientWithToken,
  collect,
  madeDocument,
  QuickClock,
  rejection,
} from './fake-alida/test-client.ts'

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

/** Replaces the file as soon as the store has been asked so many times. */
function changeFileBefore(storeRequest: number, change: () => void): void {
  fake.onRequest = ({ route }) => {
    if (route === 'store' && fake.requests('store').length === storeRequest) change()
  }
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
    changeFileBefore(2, () => Object.assign(fake.file, { bytes: other, etag: '"version-2"' }))
    const error = await downloadError()
    expect(error).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
    expect(error.message).toMatch(/"version-1".*"version-2"/)
  })

  it('is an error, without ETag: the beginning differs', async () => {
    fake.file.etag = undefined
    fake.faults.store = [cut(5000)]
    changeFileBefore(2, () => Object.assign(fake.file, { bytes: other }))
    const error = await downloadError()
    expect(error).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
    expect(error.message).toContain('first 5000 bytes differ')
  })

  it('is an error, without ETag: the length differs', async () => {
    fake.file.etag = undefined
    fake.faults.store = [cut(5000)]
    changeFileBefore(2, () => Object.assign(fake.file, { bytes: Buffer.concat([DOCUMENT, Buffer.from(' ')]) }))
    expect(await downloadError()).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
  })

  it('is an error, without ETag and length: it is shorter than what was handed out', async () => {
    Object.assign(fake.file, { etag: undefined, framing: 'chunked' })
    fake.faults.store = [cut(5000)]
    changeFileBefore(2, () => Object.assign(fake.file, { bytes: DOCUMENT.subarray(0, 4000) }))
    const error = await downloadError()
    expect(error).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
    expect(error.message).toContain('shorter')
  })

  it('is an error, if its ETag is gone', async () => {
    fake.faults.store = [cut(5000)]
    changeFileBefore(2, () => Object.assign(fake.file, { etag: undefined }))
    expect(await downloadError()).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
  })

  it('is taken whole, if nothing was handed out yet', async () => {
    fake.faults.store = [cut(0)]
    changeFileBefore(2, () => Object.assign(fake.file, { bytes: other, etag: '"version-2"' }))
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
    ['another start', rest({ 'content-range': `bytes 4999-5002/${SIZE}` })],
    ['no Content-Range', rest({})],
    ['a Content-Range that is none', rest({ 'content-range': 'bytes 5000' })],
    ['another ETag', rest({ 'content-range': `bytes 5000-5003/${SIZE}`, etag: '"version-2"' })],
    ['416 with another total', rest({ 'content-range': 'bytes */4000' }, 416)],
    ['416 without a total', rest({}, 416)],
  ])('%s', async (_name, fault) => {
    fake.faults.store = [cut(5000), fault]
    expect(await downloadError()).toMatchObject({ code: 'ERR_API_DOWNLOAD' })
  })

  it('206 to a request for the whole file', async () => {
    fake.faults.store = [rest({ 'content-range': 'bytes 0-3/4' })]
    expect(await downloadError()).toMatchObject({ code: 'ERR_API_DOWNLOAD', status: 206 })
  })

  it('a piece of the rest is continued', async () => {
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

describe('an expired link', () => {
  it.each([
    ['403', { kind: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' } as const],
    ['410', { kind: 'answer', status: 410 } as const],
    ['400 ExpiredToken', { kind: 'answer', status: 400, body: '<Error><Code>ExpiredToken</Code></Error>' } as const],
  ])('is asked for again at once: %s', async (_name, fault) => {
    fake.faults.store = [fault]
    const clock = new QuickClock()
    expect((await collect(clientWithToken(fake, { clock }).download(BATCH_ID))).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('file')).toHaveLength(2)
    expect(clock.pausesMs).toEqual([])
  })

  it('between two pieces is replaced, and the download goes on where it was', async () => {
    fake.faults.store = [cut(50_000), { kind: 'answer', status: 403 }, cut(20_000), { kind: 'answer', status: 403 }]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store').map(({ headers }) => headers.range)).toEqual([
      undefined,
      'bytes=50000-',
      'bytes=50000-',
      'bytes=70000-',
      'bytes=70000-',
    ])
  })

  it('each link is used once only', async () => {
    fake.linkUses = 1
    fake.faults.store = [cut(1000), cut(1000), cut(1000)]
    expect((await download()).equals(DOCUMENT)).toBe(true)
    expect(new Set(fake.requests('store').map(({ path }) => path)).size).toBe(4)
  })

  it('that is refused each time is an error', async () => {
    fake.linkUses = 0
    const error = await downloadError()
    expect(error).toMatchObject({ code: 'ERR_API_STATUS', status: 403 })
    expect(error.message).toMatch(/expired or is refused.*AccessDenied.*6 attempts/)
  })

  it.each([400, 404])('is not what %i says', async (status) => {
    fake.faults.store = [{ kind: 'answer', status, body: '<Error><Code>NoSuchKey</Code></Error>' }]
    const error = await downloadError()
    expect(error).toMatchObject({ code: 'ERR_API_STATUS', status })
    expect(error.message).toContain('NoSuchKey')
    expect(fake.requests('store')).toHaveLength(1)
  })

  it('403 of the API itself is told at once', async () => {
    fake.faults.file = [{ kind: 'answer', status: 403, body: errorBody(403, 'Not allowed.') }]
    expect(await downloadError()).toMatchObject({ code: 'ERR_API_STATUS', status: 403 })
    expect(fake.requests('file')).toHaveLength(1)
  })

  it('comes together with an expired token', async () => {
    fake.faults.store = [cut(50_000)]
    changeFileBefore(1, () => fake.validTokens.clear())
    expect((await collect(clientWithSecret(fake).download(BATCH_ID))).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('token')).toHaveLength(2)
    expect(fake.requests('store')).toHaveLength(2)
  })
})

describe('a slow store', () => {
  it('is waited for while bytes come', async () => {
    fake.faults.store = [{ kind: 'slow', pieceBytes: 60_000, pauseMs: 40 }]
    const client = clientWithToken(fake, { bodyTimeoutMs: 1000 })
    expect((await collect(client.download(BATCH_ID))).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')).toHaveLength(1)
  })

  it('that stalls is left, and the download resumed', async () => {
    fake.faults.store = [{ kind: 'stall', afterBytes: 50_000 }]
    const client = clientWithToken(fake, { bodyTimeoutMs: 100 })
    expect((await collect(client.download(BATCH_ID))).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')[1]?.headers.range).toBe('bytes=50000-')
  })

  it('that always stalls is an error', async () => {
    fake.faults.store = Array.from({ length: 5 }, () => ({ kind: 'stall', afterBytes: 0 }) as const)
    const client = clientWithToken(fake, { bodyTimeoutMs: 50, headersTimeoutMs: 50, retry: { retries: 1 } })
    expect(await rejection(collect(client.download(BATCH_ID)))).toMatchObject({ code: 'ERR_API_TIMEOUT' })
  })

  it('is left at the deadline', async () => {
    fake.faults.store = [{ kind: 'stall', afterBytes: 50_000 }]
    const error = await rejection(collect(clientWithToken(fake).download(BATCH_ID, { deadlineMs: 150 })))
    expect(error).toMatchObject({ code: 'ERR_API_TIMEOUT' })
    await expect.poll(() => fake.connections()).toBe(0)
  })
})

describe('limits', () => {
  it('on bytes are kept to', async () => {
    const client = clientWithToken(fake)
    expect((await collect(client.download(BATCH_ID, { mostBytes: SIZE }))).length).toBe(SIZE)
    const error = await rejection(collect(client.download(BATCH_ID, { mostBytes: SIZE - 1 })))
    expect(error).toMatchObject({ code: 'ERR_LIMIT' })
    await expect.poll(() => fake.connections()).toBe(0)
  })

  it('429 and 503 of the store are kept to', async () => {
    fake.faults.store = [
      { kind: 'answer', status: 429, headers: { 'retry-after': '3' } },
      { kind: 'answer', status: 503, headers: { 'retry-after': '5' } },
    ]
    const clock = new QuickClock()
    await collect(clientWithToken(fake, { clock }).download(BATCH_ID))
    expect(clock.pausesMs).toEqual([3000, 5000])
  })
})

describe('abort and stop', () => {
  it('by signal in the middle cuts the connection', async () => {
    fake.faults.store = [{ kind: 'stall', afterBytes: 50_000 }]
    const abort = new AbortController()
    const onProgress = ({ receivedBytes }: DownloadProgress) =>
      receivedBytes >= 50_000 && setTimeout(() => abort.abort(), 5)
    const error = await rejection(
      collect(clientWithToken(fake).download(BATCH_ID, { signal: abort.signal, onProgress })),
    )
    expect(error).toMatchObject({ code: 'ERR_ABORTED' })
    await expect.poll(() => fake.connections()).toBe(0)
  })

  it('by signal while the consumer is busy cuts the connection too', async () => {
    fake.faults.store = [{ kind: 'stall', afterBytes: 50_000 }]
    const abort = new AbortController()
    const chunks = clientWithToken(fake).download(BATCH_ID, { signal: abort.signal })
    await chunks.next()
    abort.abort()
    await expect.poll(() => fake.requests('store').length).toBe(1)
    expect(await rejection(collect(chunks))).toMatchObject({ code: 'ERR_ABORTED' })
    await expect.poll(() => fake.connections()).toBe(0)
  })

  it('by leaving the loop cuts the connection', async () => {
    fake.faults.store = [{ kind: 'stall', afterBytes: 50_000 }]
    for await (const chunk of clientWithToken(fake).download(BATCH_ID)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    await expect.poll(() => fake.connections()).toBe(0)
  })
})

describe('download', () => {
  it('takes a status too, and then does not ask for it', async () => {
    const client = clientWithToken(fake)
    const status = await client.waitForExport(BATCH_ID)
    expect((await collect(client.download(status))).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('status')).toHaveLength(1)
  })

  it.each([
    ['is not ready', 'executing', 'ERR_API_RESPONSE'],
    ['failed', 'failed', 'ERR_API_EXPORT_FAILED'],
    ['has no file', statusBody('succeeded', null), 'ERR_API_RESPONSE'],
  ])('of an export that %s is an error', async (_name, status, code) => {
    fake.statuses = [status]
    expect(await downloadError()).toMatchObject({ code })
  })

  it.each([
    ['an empty file', { kind: 'answer', status: 200 } as const, 'ERR_API_DOWNLOAD'],
    ['204', { kind: 'answer', status: 204 } as const, 'ERR_API_RESPONSE'],
  ])('refuses %s', async (_name, fault, code) => {
    fake.faults.store = [fault]
    expect(await downloadError()).toMatchObject({ code })
  })

  it('tells its progress', async () => {
    fake.faults.store = [cut(50_000)]
    const seen: DownloadProgress[] = []
    const onProgress = (progress: DownloadProgress) => seen.push(progress)
    await collect(clientWithToken(fake).download(BATCH_ID, { onProgress }))
    expect(seen.at(-1)).toMatchObject({ receivedBytes: SIZE, totalBytes: SIZE, attempt: 2 })
    expect(seen.filter(({ attempt }) => attempt === 1).at(-1)).toMatchObject({ receivedBytes: 50_000 })
  })

  it('runs 200 times at once', async () => {
    const client = clientWithSecret(fake)
    fake.file.bytes = madeDocument(50)
    const got = await Promise.all(Array.from({ length: 200 }, () => collect(client.download(BATCH_ID))))
    expect(got.every((document) => document.equals(fake.file.bytes))).toBe(true)
    expect(fake.requests('token')).toHaveLength(1)
    await client.close()
    await expect.poll(() => fake.connections()).toBe(0)
  })

  it('gives the identical document 100 times of 100 with drops at random', async () => {
    let seed = 20_260_301
    const random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed / 2 ** 32
    }
    const forms = ['length', 'chunked'] as const
    for (let run = 0; run < 100; run++) {
      fake.file.framing = forms[run % 2] ?? 'length'
      fake.file.etag = run % 4 < 2 ? '"version-1"' : undefined
      fake.faults.store = Array.from({ length: 3 }, () => cut(Math.floor(random() * SIZE)))
      expect((await download()).equals(DOCUMENT)).toBe(true)
    }
  })
})
