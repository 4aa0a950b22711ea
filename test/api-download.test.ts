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
    expect(await downloadError()).toMatchObject({ code: 'ERR_API_AUTH', status: 403 })
    expect(fake.requests('file')).toHaveLength(1)
  })

  it('comes together with an expired token', async () => {
    fake.faults.store = [cut(50_000)]
    fake.beforeStoreRequest(1, () => fake.validTokens.clear())
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
    const client = clientWithToken(fake, { bodyTimeoutMs: 400 })
    expect((await collect(client.download(BATCH_ID))).equals(DOCUMENT)).toBe(true)
    expect(fake.requests('store')[1]?.headers.range).toBe('bytes=50000-')
  })

  it('that always stalls is an error', async () => {
    fake.faults.store = Array.from({ length: 5 }, () => ({ kind: 'stall', afterBytes: 0 }) as const)
    const client = clientWithToken(fake, { bodyTimeoutMs: 300, headersTimeoutMs: 300, retry: { retries: 1 } })
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
    expect((await collect(client.download(BATCH_ID, { maxBytes: SIZE }))).length).toBe(SIZE)
    const error = await rejection(collect(client.download(BATCH_ID, { maxBytes: SIZE - 1 })))
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
