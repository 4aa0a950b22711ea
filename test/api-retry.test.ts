import { MockAgent } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../src/api/clock.ts'
import { BATCH_ID } from './fake-alida/api.ts'
import { FakeAlida } from './fake-alida/fake-alida.ts'
import { clientWithToken, QuickClock, rejection } from './fake-alida/test-client.ts'

let fake: FakeAlida

beforeEach(async () => {
  fake = await FakeAlida.start()
})

afterEach(async () => {
  await fake.close()
})

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

describe('a failure that may pass', () => {
  it.each([
    ['408', { kind: 'answer', status: 408 } as const],
    ['425', { kind: 'answer', status: 425 } as const],
    ['429', { kind: 'answer', status: 429 } as const],
    ['500', { kind: 'answer', status: 500 } as const],
    ['502', { kind: 'answer', status: 502 } as const],
    ['503', { kind: 'answer', status: 503 } as const],
    ['a reset', { kind: 'reset' } as const],
    ['no answer in time', { kind: 'silence' } as const],
  ])('is tried again, with growing pauses: %s', async (_name, fault) => {
    fake.faults.status = times(3, fault)
    const clock = new QuickClock()
    await clientWithToken(fake, { clock, headersTimeoutMs: 400 }).getExportStatus(BATCH_ID)
    expect(clock.pausesMs).toEqual([500, 1000, 2000])
  })

  it('has half of each pause left to chance', async () => {
    fake.faults.status = times(3, { kind: 'answer', status: 500 } as const)
    const clock = new QuickClock()
    clock.random = () => 0
    await clientWithToken(fake, { clock }).getExportStatus(BATCH_ID)
    expect(clock.pausesMs).toEqual([250, 500, 1000])
  })

  it('that does not pass is told after the last attempt', async () => {
    fake.faults.status = times(9, { kind: 'answer', status: 502 } as const)
    const clock = new QuickClock()
    const retry = { retries: 7, maxDelayMs: 3000 }
    const error = await rejection(clientWithToken(fake, { clock, retry }).getExportStatus(BATCH_ID))
    expect(error).toMatchObject({ code: 'ERR_API_STATUS', status: 502 })
    expect(error.message).toContain('gave up after 8 attempts')
    expect(clock.pausesMs).toEqual([500, 1000, 2000, 3000, 3000, 3000, 3000])
  })

  it('ends with the deadline, if the next attempt would begin after it', async () => {
    fake.faults.status = times(9, { kind: 'answer', status: 502 } as const)
    const clock = new QuickClock()
    const error = await rejection(clientWithToken(fake, { clock }).getExportStatus(BATCH_ID, { deadlineMs: 1700 }))
    expect(error).toMatchObject({ code: 'ERR_API_TIMEOUT' })
    expect(error.message).toContain('HTTP 502')
    expect(clock.pausesMs).toEqual([500, 1000])
  })
})

describe('Retry-After', () => {
  it.each([429, 503])('of a %i is kept to: seconds', async (status) => {
    fake.faults.status = [{ kind: 'answer', status, headers: { 'retry-after': '7' } }]
    const clock = new QuickClock()
    await clientWithToken(fake, { clock }).getExportStatus(BATCH_ID)
    expect(clock.pausesMs).toEqual([7000])
  })

  it('as a date is measured on the clock of the server', async () => {
    const headers = { 'retry-after': 'Wed, 04 Mar 2020 10:00:09 GMT', date: 'Wed, 04 Mar 2020 10:00:00 GMT' }
    fake.faults.status = [{ kind: 'answer', status: 429, headers }]
    const clock = new QuickClock()
    await clientWithToken(fake, { clock }).getExportStatus(BATCH_ID)
    expect(clock.pausesMs).toEqual([9000])
  })

  it.each(['soon', 'Wed, 04 Mar 2020 10:00:00 GMT', '0'])('%j asks for no more than the usual pause', async (value) => {
    fake.faults.status = [{ kind: 'answer', status: 503, headers: { 'retry-after': value } }]
    const clock = new QuickClock()
    await clientWithToken(fake, { clock }).getExportStatus(BATCH_ID)
    expect(clock.pausesMs).toEqual([500])
  })

  it('longer than the limit ends the call and tells the time', async () => {
    fake.faults.status = [{ kind: 'answer', status: 429, headers: { 'retry-after': '3600' } }]
    const error = await rejection(clientWithToken(fake).getExportStatus(BATCH_ID))
    expect(error).toMatchObject({ code: 'ERR_API_STATUS', status: 429 })
    expect(error.message).toContain('3600 s')
    expect(fake.log).toHaveLength(1)
  })
})

describe('a failure that does not pass', () => {
  it.each([400, 403, 404, 409, 410, 422])('is told at once: %i', async (status) => {
    fake.faults.status = [{ kind: 'answer', status }]
    expect(await rejection(clientWithToken(fake).getExportStatus(BATCH_ID))).toMatchObject({
      code: status === 403 ? 'ERR_API_AUTH' : 'ERR_API_STATUS',
      status,
    })
    expect(fake.log).toHaveLength(1)
  })

  it('is told at once: no such host', async () => {
    const dispatcher = new MockAgent()
    dispatcher.disableNetConnect()
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    dispatcher.get('https://api.na9.alida.com').intercept({ path: /./ }).replyWithError(error)
    const client = clientWithToken(fake, { baseUrl: undefined, region: 'na9', dispatcher })
    const told = await rejection(client.getExportStatus(BATCH_ID))
    expect(told).toMatchObject({ code: 'ERR_API_NETWORK' })
    expect(told.message).toMatch(/api\.na9\.alida\.com.*region/)
  })
})

describe('abort', () => {
  it('before anything is sent', async () => {
    const error = await rejection(clientWithToken(fake).getExportStatus(BATCH_ID, { signal: AbortSignal.abort() }))
    expect(error).toMatchObject({ code: 'ERR_ABORTED', name: 'AbortError' })
    expect(fake.log).toHaveLength(0)
  })

  it('while an answer is awaited', async () => {
    fake.faults.status = [{ kind: 'silence' }]
    const abort = new AbortController()
    fake.onRequest = () => abort.abort()
    const error = await rejection(clientWithToken(fake).getExportStatus(BATCH_ID, { signal: abort.signal }))
    expect(error).toMatchObject({ code: 'ERR_ABORTED' })
    await expect.poll(() => fake.connections()).toBe(0)
  })

  it('in a real pause of an hour', async () => {
    fake.statuses = ['pending']
    const abort = new AbortController()
    const client = clientWithToken(fake, { clock: systemClock })
    const options = {
      signal: abort.signal,
      pollMs: 3_600_000,
      maxPollMs: 3_600_000,
      onProgress: () => setTimeout(() => abort.abort(), 10),
    }
    expect(await rejection(client.waitForExport(BATCH_ID, options))).toMatchObject({ code: 'ERR_ABORTED' })
    await expect.poll(() => fake.connections()).toBe(0)
  })

  it('leaves other calls of the client alone', async () => {
    fake.faults.status = [{ kind: 'silence' }]
    const abort = new AbortController()
    const client = clientWithToken(fake)
    const given = rejection(client.getExportStatus(BATCH_ID, { signal: abort.signal }))
    await expect.poll(() => fake.log.length).toBe(1)
    const other = client.getExportStatus(BATCH_ID)
    abort.abort()
    expect(await given).toMatchObject({ code: 'ERR_ABORTED' })
    expect(await other).toMatchObject({ state: 'succeeded' })
  })
})
