import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ExportStatus } from '../src/api/client.ts'
import { ACTIVITY_ID, BATCH_ID, CREATE, errorBody, RESPONSES, statusBody } from './fake-alida/api.ts'
import { FakeAlida } from './fake-alida/fake-alida.ts'
import { clientWithToken, QuickClock, rejection } from './fake-alida/test-client.ts'

let fake: FakeAlida

beforeEach(async () => {
  fake = await FakeAlida.start()
})

afterEach(async () => {
  await fake.close()
})

describe('createExport', () => {
  it('posts what was asked for and nothing else', async () => {
    const client = clientWithToken(fake)
    expect(await client.createExport(ACTIVITY_ID)).toEqual({ batchId: BATCH_ID, raw: { id: BATCH_ID } })
    await client.createExport(ACTIVITY_ID, {
      fieldIds: ['f1', ' f2 '],
      sinceDatetime: '2026-01-01',
      untilDatetime: new Date('2026-02-01T12:30:00.5Z'),
    })
    const [all, some] = fake.requests('create')
    expect(all).toMatchObject({ method: 'POST', path: CREATE })
    expect(JSON.parse(all?.body ?? '')).toEqual({})
    expect(some?.headers['content-type']).toBe('application/json')
    expect(JSON.parse(some?.body ?? '')).toEqual({
      fieldIds: ['f1', 'f2'],
      sinceDatetime: '2026-01-01T00:00:00Z',
      untilDatetime: '2026-02-01T12:30:00.500Z',
    })
  })

  it.each([
    ['2026-01-01T10:00:00', '2026-01-01T10:00:00Z'],
    ['2026-01-01 10:00', '2026-01-01T10:00:00Z'],
    ['2026-01-01T10:00:00+02:00', '2026-01-01T08:00:00Z'],
    ['2026-01-01T10:00:00z', '2026-01-01T10:00:00Z'],
  ])('sends %s as %s, wherever this machine is', async (given, sent) => {
    await clientWithToken(fake).createExport(ACTIVITY_ID, { sinceDatetime: given })
    expect(JSON.parse(fake.log[0]?.body ?? '')).toEqual({ sinceDatetime: sent })
  })

  it.each([
    ['an empty activity id', '', {}],
    ['a path as activity id', '..', {}],
    ['an empty list of fields', ACTIVITY_ID, { fieldIds: [] }],
    ['an empty field id', ACTIVITY_ID, { fieldIds: ['f1', ''] }],
    ['a time that is none', ACTIVITY_ID, { sinceDatetime: 'yesterday' }],
    ['an impossible date', ACTIVITY_ID, { sinceDatetime: '2026-02-30' }],
    ['an invalid Date', ACTIVITY_ID, { untilDatetime: new Date(Number.NaN) }],
    ['an empty window', ACTIVITY_ID, { sinceDatetime: '2026-02-01', untilDatetime: '2026-02-01' }],
  ])('refuses %s', async (_name, activityId, options) => {
    const error = await rejection(clientWithToken(fake).createExport(activityId, options))
    expect(error).toMatchObject({ code: 'ERR_OPTION' })
    expect(fake.log).toHaveLength(0)
  })

  it('encodes ids in the path', async () => {
    const error = await rejection(clientWithToken(fake).createExport('a/../b?c#d'))
    expect(error).toMatchObject({ status: 404 })
    expect(fake.log[0]?.path).toBe('/v2/applications/panel_demo/data/activities/a%2F..%2Fb%3Fc%23d/responses/batch')
  })

  it.each([{ batchId: 'b1' }, { BatchID: 'b1', id: 'other' }, { id: 'b1' }])('reads the id from %j', async (body) => {
    fake.faults.create = [{ kind: 'answer', status: 201, body }]
    expect(await clientWithToken(fake).createExport(ACTIVITY_ID)).toEqual({ batchId: 'b1', raw: body })
  })

  it('reads an id that is a number, but none whose digits are lost', async () => {
    fake.faults.create = [
      { kind: 'answer', status: 201, body: { id: 48151623 } },
      { kind: 'answer', status: 201, body: '{"id":9007199254740993}' },
    ]
    expect(await clientWithToken(fake).createExport(ACTIVITY_ID)).toMatchObject({ batchId: '48151623' })
    expect(await rejection(clientWithToken(fake).createExport(ACTIVITY_ID))).toMatchObject({ code: 'ERR_API_RESPONSE' })
  })

  it.each([
    ['an answer without id', {}],
    ['an answer that is no object', '[]'],
    ['an answer that is no JSON', '<html>'],
    ['an empty answer', ''],
  ])('refuses %s', async (_name, body) => {
    fake.faults.create = [{ kind: 'answer', status: 200, body }]
    expect(await rejection(clientWithToken(fake).createExport(ACTIVITY_ID))).toMatchObject({ code: 'ERR_API_RESPONSE' })
  })

  it('is repeated after a refusal: 429, 503 with Retry-After', async () => {
    fake.faults.create = [
      { kind: 'answer', status: 429 },
      { kind: 'answer', status: 503, headers: { 'retry-after': '1' } },
    ]
    await clientWithToken(fake).createExport(ACTIVITY_ID)
    expect(fake.requests('create')).toHaveLength(3)
  })

  it.each([
    ['408', { kind: 'answer', status: 408 } as const, 'ERR_API_STATUS'],
    ['500', { kind: 'answer', status: 500 } as const, 'ERR_API_STATUS'],
    ['503 without Retry-After', { kind: 'answer', status: 503 } as const, 'ERR_API_STATUS'],
    ['a reset', { kind: 'reset' } as const, 'ERR_API_NETWORK'],
    ['no answer', { kind: 'silence' } as const, 'ERR_API_TIMEOUT'],
  ])('is not repeated after %s, because a second export might be made', async (_name, fault, code) => {
    fake.faults.create = [fault]
    const error = await rejection(clientWithToken(fake, { headersTimeoutMs: 400 }).createExport(ACTIVITY_ID))
    expect(error).toMatchObject({ code })
    expect(error.message).toContain('may have been acted on')
    expect(fake.requests('create')).toHaveLength(1)
  })

  it('is repeated if no connection came about', async () => {
    const clock = new QuickClock()
    const client = clientWithToken(fake, { clock })
    await fake.close()
    expect(await rejection(client.createExport(ACTIVITY_ID))).toMatchObject({ code: 'ERR_API_NETWORK' })
    expect(clock.pausesMs).toHaveLength(5)
    fake = await FakeAlida.start()
  })
})

describe('getExportStatus', () => {
  it('asks without activity id and keeps unknown keys', async () => {
    fake.statuses = [{ ...statusBody('Succeeded', fake.fileUrl), novelty: [1] }]
    const status = await clientWithToken(fake).getExportStatus(BATCH_ID)
    expect(fake.log[0]?.path).toBe(`${RESPONSES}/batch/${BATCH_ID}`)
    expect(status).toMatchObject({
      batchId: BATCH_ID,
      state: 'succeeded',
      status: 'Succeeded',
      datasetId: ACTIVITY_ID,
      message: undefined,
      fileUrl: fake.fileUrl,
      raw: { novelty: [1] },
    })
  })

  it('gives the message of the API, its errorId and developerMessage for a status like 404', async () => {
    const body = { ...errorBody(404, 'No such batch.'), developerMessage: 'batch is not in the table' }
    fake.faults.status = [{ kind: 'answer', status: 404, body }]
    const error = await rejection(clientWithToken(fake).getExportStatus('unknown'))
    expect(error).toMatchObject({
      code: 'ERR_API_STATUS',
      status: 404,
      errorId: 'e1f0c1d2-0000-4000-8000-00000000abcd',
      developerMessage: 'batch is not in the table',
      url: `${fake.apiOrigin}${RESPONSES}/batch/unknown`,
    })
    expect(error.message).toMatch(/No such batch\..*e1f0c1d2/)
    expect(fake.log).toHaveLength(1)
  })
})

describe('a refusal says what to do', () => {
  it.each([
    [401, 'ERR_API_AUTH', 'the token was refused: check token, or clientId and clientSecret'],
    [403, 'ERR_API_AUTH', 'API access needs the account of an administrator'],
    [404, 'ERR_API_STATUS', 'check the id, community, and region'],
  ])('%i', async (status, code, advice) => {
    fake.faults.status = [{ kind: 'answer', status, body: errorBody(status, 'Nope.') }]
    const error = await rejection(clientWithToken(fake).getExportStatus(BATCH_ID))
    expect(error).toMatchObject({ code, status })
    expect(error.message).toMatch(/HTTP \d+ from .* \(Nope\.\); .* \[errorId /)
    expect(error.message).toContain(advice)
  })
})

describe('an answer of something in front of the API', () => {
  it.each([
    ['<!DOCTYPE html><title>Sign in</title>', 'an HTML or XML page, such as a login page'],
    ['\n<?xml version="1.0"?><Error/>', 'an HTML or XML page'],
    ['', 'nothing'],
    ['"text"', 'something else'],
  ])('is named where JSON was expected: %j', async (body, found) => {
    fake.faults.status = [{ kind: 'answer', status: 200, body }]
    const error = await rejection(clientWithToken(fake).getExportStatus(BATCH_ID))
    expect(error).toMatchObject({ code: 'ERR_API_RESPONSE' })
    expect(error.message).toContain(found)
  })

  it.each([
    [{ error: { code: 'Forbidden', message: 'No right to this.' } }],
    [{ errors: [{ detail: 'No right to this.' }] }],
    [{ fault: { faultstring: 'No right to this.' } }],
    [{ title: 'Forbidden', status: 403, detail: 'No right to this.' }],
    [{ message: 'No right to this.', error: { message: 'another' } }],
  ])('says what it says, wherever it says it: %j', async (body) => {
    fake.faults.status = [{ kind: 'answer', status: 403, body }]
    const error = await rejection(clientWithToken(fake).getExportStatus(BATCH_ID))
    expect(error.message).toContain('(No right to this.)')
  })
})

describe('an export that was asked for just now', () => {
  const unknown = { kind: 'answer', status: 404, body: errorBody(404, 'No such batch.') } as const

  it('may be unknown at first', async () => {
    const clock = new QuickClock()
    const client = clientWithToken(fake, { clock })
    const { batchId } = await client.createExport(ACTIVITY_ID)
    fake.faults.status = [unknown, unknown]
    expect(await client.waitForExport(batchId)).toMatchObject({ state: 'succeeded' })
    expect(clock.pausesMs).toEqual([1000, 1500])
  })

  it('is not waited for when it stays unknown', async () => {
    const clock = new QuickClock()
    const client = clientWithToken(fake, { clock })
    const { batchId } = await client.createExport(ACTIVITY_ID)
    fake.faults.status = Array.from({ length: 50 }, () => unknown)
    expect(await rejection(client.waitForExport(batchId))).toMatchObject({ code: 'ERR_API_STATUS', status: 404 })
    expect(clock.nowMs - new QuickClock().nowMs).toBeLessThan(20_000)
  })

  it('cannot be unknown again, and others never', async () => {
    const client = clientWithToken(fake)
    const { batchId } = await client.createExport(ACTIVITY_ID)
    fake.statuses = ['executing']
    fake.faults.status = [{ kind: 'none' }, unknown]
    expect(await rejection(client.waitForExport(batchId))).toMatchObject({ status: 404 })
    fake.faults.status = [unknown]
    expect(await rejection(clientWithToken(fake).waitForExport(batchId))).toMatchObject({ status: 404 })
  })
})

describe('waitForExport', () => {
  it('looks until it succeeded: any case, and unknown words are no end', async () => {
    fake.statuses = [
      'PENDING',
      'queued',
      'Executing',
      'completed',
      { ...statusBody('', null), status: null },
      'SUCCEEDED',
    ]
    const seen: ExportStatus['state'][] = []
    const clock = new QuickClock()
    const elapsed: number[] = []
    const status = await clientWithToken(fake, { clock }).waitForExport(BATCH_ID, {
      onProgress: ({ state, elapsedMs }) => {
        seen.push(state)
        elapsed.push(elapsedMs)
      },
    })
    expect(status).toMatchObject({ state: 'succeeded', fileUrl: fake.fileUrl })
    expect(seen).toEqual(['pending', 'unknown', 'executing', 'unknown', 'unknown', 'succeeded'])
    expect(clock.pausesMs).toEqual([1000, 1500, 2250, 3375, 5062.5])
    expect(elapsed).toEqual([0, 1000, 2500, 4750, 8125, 13187.5])
  })

  it('never pauses longer than the longest pause', async () => {
    fake.statuses = Array.from({ length: 12 }, () => 'executing')
    const clock = new QuickClock()
    await clientWithToken(fake, { clock }).waitForExport(BATCH_ID, { pollMs: 2000, maxPollMs: 5000 })
    expect(clock.pausesMs).toEqual([2000, 3000, 4500, ...Array.from({ length: 9 }, () => 5000)])
  })

  it.each(['message', 'errorMessage', 'errormessage', 'ErrorMessage'])(
    'failed: gives the reason under %s',
    async (key) => {
      const body = { ...statusBody('Failed', null), message: null, [key]: 'Dataset is locked', errorId: 'E-77' }
      fake.statuses = ['executing', body]
      const error = await rejection(clientWithToken(fake).waitForExport(BATCH_ID))
      expect(error).toMatchObject({ code: 'ERR_API_EXPORT_FAILED', errorId: 'E-77' })
      expect(error.message).toMatch(/Dataset is locked.*E-77/)
    },
  )

  it('failed without a reason says so', async () => {
    fake.statuses = ['failed']
    const error = await rejection(clientWithToken(fake).waitForExport(BATCH_ID))
    expect(error.message).toContain('the API gives no reason')
  })

  it('ends at the deadline with a last look, and tells the last status', async () => {
    fake.statuses = Array.from({ length: 100 }, () => 'executing')
    const clock = new QuickClock()
    const error = await rejection(clientWithToken(fake, { clock }).waitForExport(BATCH_ID, { deadlineMs: 4000 }))
    expect(error).toMatchObject({ code: 'ERR_API_TIMEOUT' })
    expect(error.message).toMatch(/longer than 4 s.*"executing"/)
    expect(clock.pausesMs).toEqual([1000, 1500, 1500])
  })

  it('cuts a request that is still running at the deadline', async () => {
    fake.faults.status = [{ kind: 'silence' }]
    const error = await rejection(clientWithToken(fake).waitForExport(BATCH_ID, { deadlineMs: 100 }))
    expect(error).toMatchObject({ code: 'ERR_API_TIMEOUT' })
    await expect.poll(() => fake.connections()).toBe(0)
  })

  it('gets over resets, stalls and 5xx in between', async () => {
    fake.statuses = ['pending', 'executing']
    fake.faults.status = [{ kind: 'none' }, { kind: 'reset' }, { kind: 'silence' }, { kind: 'answer', status: 502 }]
    const client = clientWithToken(fake, { headersTimeoutMs: 400 })
    expect(await client.waitForExport(BATCH_ID)).toMatchObject({ state: 'succeeded' })
    expect(fake.requests('status')).toHaveLength(6)
  })
})
