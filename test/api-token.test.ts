import { Agent } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ExportClient } from '../src/api/client.ts'
import { systemClock } from '../src/api/clock.ts'
import { API_KEY, BATCH_ID } from './fake-alida/api.ts'
import { FakeAlida } from './fake-alida/fake-alida.ts'
import { clientWithSecret, clientWithToken, GIVEN_TOKEN, QuickClock, rejection } from './fake-alida/test-client.ts'

let fake: FakeAlida

beforeEach(async () => {
  fake = await FakeAlida.start()
})

afterEach(async () => {
  await fake.close()
})

describe('a given token', () => {
  it('is sent as bearer, and the API key only if there is one', async () => {
    await clientWithToken(fake).getExportStatus(BATCH_ID)
    await clientWithToken(fake, { apiKey: API_KEY, token: `Bearer ${GIVEN_TOKEN}\n` }).getExportStatus(BATCH_ID)
    const [plain, keyed] = fake.requests('status')
    expect(plain?.headers).toMatchObject({ authorization: `Bearer ${GIVEN_TOKEN}` })
    expect(plain?.headers).not.toHaveProperty('x-api-key')
    expect(keyed?.headers).toMatchObject({ authorization: `Bearer ${GIVEN_TOKEN}`, 'x-api-key': API_KEY })
  })

  it('that is refused is an error at once', async () => {
    const error = await rejection(clientWithToken(fake, { token: 'expired-token' }).getExportStatus(BATCH_ID))
    expect(error).toMatchObject({ code: 'ERR_API_AUTH', status: 401 })
    expect(error.message).toContain('The access token is not valid.')
    expect(fake.log).toHaveLength(1)
  })
})

describe('client id and secret', () => {
  it('get a token by HTTP Basic and client_credentials', async () => {
    await clientWithSecret(fake, { apiKey: API_KEY }).getExportStatus(BATCH_ID)
    const [request] = fake.requests('token')
    expect(request).toMatchObject({ method: 'POST', path: '/oauth2/token', body: 'grant_type=client_credentials' })
    expect(request?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('demo-client:demo-secret-5f2a').toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      'x-api-key': API_KEY,
    })
    expect(fake.requests('status')[0]?.headers.authorization).toBe('Bearer issued-token-0001')
  })

  it('share one token among calls, also when all start at once', async () => {
    const client = clientWithSecret(fake)
    await Promise.all(Array.from({ length: 200 }, () => client.getExportStatus(BATCH_ID)))
    expect(fake.requests('token')).toHaveLength(1)
    expect(fake.requests('status')).toHaveLength(200)
    await client.close()
  })

  it.each([
    ['60 s before its life is over', 3600, 3540],
    ['60 s before its life is over, told as text', '3600', 3540],
    ['after half of a life of a few seconds', 20, 10],
  ])('renew it %s', async (_name, lifeSeconds, usedSeconds) => {
    fake.tokenLifeSeconds = lifeSeconds
    const clock = new QuickClock()
    const client = clientWithSecret(fake, { clock })
    await client.getExportStatus(BATCH_ID)
    clock.nowMs += (usedSeconds - 1) * 1000
    await client.getExportStatus(BATCH_ID)
    expect(fake.requests('token')).toHaveLength(1)
    clock.nowMs += 1000
    await client.getExportStatus(BATCH_ID)
    expect(fake.requests('token')).toHaveLength(2)
  })

  it('keep a token of unknown life until it is refused', async () => {
    fake.tokenLifeSeconds = undefined
    const clock = new QuickClock()
    const client = clientWithSecret(fake, { clock })
    await client.getExportStatus(BATCH_ID)
    clock.nowMs += 1e9
    await client.getExportStatus(BATCH_ID)
    expect(fake.requests('token')).toHaveLength(1)
  })

  it('renew a token that was revoked, once for all calls', async () => {
    const client = clientWithSecret(fake)
    await client.getExportStatus(BATCH_ID)
    fake.validTokens.clear()
    await Promise.all(Array.from({ length: 20 }, () => client.getExportStatus(BATCH_ID)))
    expect(fake.requests('token')).toHaveLength(2)
    expect(fake.requests('status').at(-1)?.headers.authorization).toBe('Bearer issued-token-0002')
  })

  it('renew once per request: a new token that is refused too is an error', async () => {
    fake.onRequest = () => fake.validTokens.clear()
    const error = await rejection(clientWithSecret(fake).getExportStatus(BATCH_ID))
    expect(error).toMatchObject({ code: 'ERR_API_AUTH', status: 401 })
    expect(fake.requests('token')).toHaveLength(2)
    expect(fake.requests('status')).toHaveLength(2)
  })

  it('that are wrong are an error with the reason given', async () => {
    const error = await rejection(clientWithSecret(fake, { clientSecret: 'wrong-secret' }).getExportStatus(BATCH_ID))
    expect(error).toMatchObject({ code: 'ERR_API_AUTH', status: 401 })
    expect(error.message).toContain('Client authentication failed')
    expect(fake.log).toHaveLength(1)
  })

  it('ask again after a failure that passes, and try anew after one that does not', async () => {
    fake.faults.token = [{ kind: 'answer', status: 503 }, { kind: 'reset' }]
    const client = clientWithSecret(fake)
    await client.getExportStatus(BATCH_ID)
    expect(fake.requests('token')).toHaveLength(3)
    const other = clientWithSecret(fake)
    fake.faults.token = [{ kind: 'answer', status: 400 }]
    expect(await rejection(other.getExportStatus(BATCH_ID))).toMatchObject({ code: 'ERR_API_AUTH' })
    expect(await other.getExportStatus(BATCH_ID)).toMatchObject({ state: 'succeeded' })
  })

  it.each([
    ['without a token', { expires_in: 5 }],
    ['with a token no header can carry', { access_token: 'a\nb', expires_in: 5 }],
  ])('refuse an answer %s', async (_name, body) => {
    fake.faults.token = [{ kind: 'answer', status: 200, body }]
    expect(await rejection(clientWithSecret(fake).getExportStatus(BATCH_ID))).toMatchObject({ code: 'ERR_API_AUTH' })
  })

  it('follow no redirect', async () => {
    fake.faults.token = [{ kind: 'answer', status: 307, headers: { location: `${fake.storeOrigin}/oauth2/token` } }]
    const error = await rejection(clientWithSecret(fake).getExportStatus(BATCH_ID))
    expect(error).toMatchObject({ code: 'ERR_API_REDIRECT', status: 307 })
    expect(fake.requests('store')).toHaveLength(0)
  })

  it('one waiting call may give up while the others get the token', async () => {
    const abort = new AbortController()
    fake.onRequest = ({ route }) => route === 'token' && abort.abort()
    const client = clientWithSecret(fake)
    const given = rejection(client.getExportStatus(BATCH_ID, { signal: abort.signal }))
    const kept = client.getExportStatus(BATCH_ID)
    expect(await given).toMatchObject({ code: 'ERR_ABORTED' })
    expect(await kept).toMatchObject({ state: 'succeeded' })
    expect(fake.requests('token')).toHaveLength(1)
  })

  it('the token request is cut when the last waiting call gives up, and the next call makes its own', async () => {
    fake.faults.token = [{ kind: 'silence' }]
    const abort = new AbortController()
    fake.onRequest = () => abort.abort()
    const dispatcher = new Agent()
    const client = clientWithSecret(fake, { dispatcher })
    expect(await rejection(client.getExportStatus(BATCH_ID, { signal: abort.signal }))).toMatchObject({
      code: 'ERR_ABORTED',
    })
    await expect.poll(() => fake.connections()).toBe(0)
    expect(await client.getExportStatus(BATCH_ID)).toMatchObject({ state: 'succeeded' })
    await dispatcher.destroy()
  })
})

describe('options', () => {
  const base = { region: 'na1', community: 'panel_x', token: 'abcdef' }

  it.each([
    ['no place', { ...base, region: undefined }],
    ['a region that is no host label', { ...base, region: 'na1.evil.example/' }],
    ['a base URL that is none', { ...base, baseUrl: 'api.na1.alida.com' }],
    ['a base URL with a password', { ...base, baseUrl: 'https://me:hunter22@api.na1.alida.com' }],
    ['a base URL of another scheme', { ...base, baseUrl: 'ftp://api.na1.alida.com' }],
    ['no community', { ...base, community: ' ' }],
    ['a community that leads elsewhere', { ...base, community: '..' }],
    ['no credentials', { ...base, token: undefined }],
    ['a secret without id', { ...base, token: undefined, clientSecret: 'hunter22' }],
    ['token and secret', { ...base, clientId: 'a', clientSecret: 'hunter22' }],
    ['a token with a line break', { ...base, token: 'hunter22\r\nx-evil: 1' }],
    ['a client id with a colon', { ...base, token: undefined, clientId: 'a:b', clientSecret: 'hunter22' }],
  ])('refuse %s', (_name, options) => {
    expect(() => new ExportClient(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
    expect(() => new ExportClient(options)).not.toThrow(/hunter22/)
  })

  it('may have spaces inside, and no other characters than HTTP knows', async () => {
    const client = clientWithSecret(fake, { clientSecret: ' two words ' })
    expect(await rejection(client.getExportStatus(BATCH_ID))).toMatchObject({ code: 'ERR_API_AUTH' })
    const sent = fake.requests('token')[0]?.headers.authorization?.slice('Basic '.length) ?? ''
    expect(Buffer.from(sent, 'base64').toString()).toMatch(/:two words$/)
    for (const clientSecret of ['two\nlines', 'accént']) {
      expect(() => clientWithSecret(fake, { clientSecret })).toThrow(/such as a line break or an accent/)
    }
    expect(() => clientWithToken(fake, { token: 'two words' })).toThrow(/expected a token/)
  })

  it('whose request fails again and again is what a passed deadline tells', async () => {
    const client = clientWithSecret(fake, {
      clock: systemClock,
      retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 },
    })
    await fake.close()
    const error = await rejection(client.getExportStatus(BATCH_ID, { deadlineMs: 1499.7 }))
    fake = await FakeAlida.start()
    expect(error).toMatchObject({ code: 'ERR_API_TIMEOUT' })
    expect(error.message).toMatch(
      /took longer than 1\.5 s; last failure: the request for a token: no connection, ECONNREFUSED at 127/,
    )
  })

  it('take a region in capitals', () => {
    const warnings: string[] = []
    new ExportClient({ ...base, region: 'NA1', onWarning: (message) => warnings.push(message) })
    expect(warnings).toEqual([])
  })

  it('warn of a region of unusual shape and of an unencrypted base URL, and use them', () => {
    const warnings: string[] = []
    const onWarning = (message: string) => warnings.push(message)
    new ExportClient({ ...base, onWarning })
    expect(warnings).toEqual([])
    new ExportClient({ ...base, region: 'test-eu', onWarning })
    new ExportClient({ ...base, baseUrl: 'http://api.example', onWarning })
    expect(warnings).toEqual([expect.stringContaining('"test-eu"'), expect.stringContaining('http://api.example')])
  })
})
