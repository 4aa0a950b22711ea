import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Endpoint } from '../src/api/endpoint.ts'
import { RedirectTrail } from '../src/api/redirect.ts'
import { API_KEY, BATCH_ID, RESPONSES } from './fake-alida/api.ts'
import { FakeAlida, type LinkForm } from './fake-alida/fake-alida.ts'
import type { Fault } from './fake-alida/fault.ts'
import { secretHeaders } from './fake-alida/store.ts'
import { clientWithSecret, clientWithToken, collect, rejection } from './fake-alida/test-client.ts'

let fake: FakeAlida

beforeEach(async () => {
  fake = await FakeAlida.start()
})

afterEach(async () => {
  await fake.close()
})

function redirectTo(location: string, status = 302): Fault {
  return { kind: 'answer', status, headers: { location, 'set-cookie': 'session=cookie-secret' } }
}

function trail(start: string): RedirectTrail {
  const endpoint = new Endpoint({ region: 'na1', community: 'x' }, () => {})
  return new RedirectTrail(new URL(start), endpoint, 'the download')
}

describe('the link to the file', () => {
  const forms: LinkForm[] = ['redirect', 'redirect-locations', 'location', 'locations', 'json', 'direct']

  it.each(forms)('is followed as %s, and only the API gets the credentials', async (form) => {
    fake.linkForm = form
    const got = await collect(clientWithSecret(fake, { apiKey: API_KEY }).download(BATCH_ID))
    expect(got).toEqual(fake.file.bytes)
    expect(fake.requests('file')[0]?.headers).toMatchObject({
      authorization: 'Bearer issued-token-0001',
      'x-api-key': API_KEY,
    })
    const atStore = fake.requests('store')
    expect(atStore).toHaveLength(form === 'direct' ? 0 : 1)
    for (const { headers } of atStore) expect(secretHeaders({ headers } as never)).toEqual([])
  })

  it.each([301, 302, 303, 307, 308])('is followed from a %i', async (status) => {
    fake.faults.file = [redirectTo(fake.makeLink(), status)]
    expect(await collect(clientWithToken(fake).download(BATCH_ID))).toEqual(fake.file.bytes)
    expect(fake.requests('store')[0]?.method).toBe('GET')
  })

  it('may be relative, and the API keeps getting the credentials', async () => {
    fake.faults.file = [redirectTo('?again'), redirectTo('./3f2c8f5e-8d0b-4a77-b1c6-9f6d2f0c5a42?more')]
    expect(await collect(clientWithToken(fake).download(BATCH_ID))).toEqual(fake.file.bytes)
    for (const { headers } of fake.requests('file')) expect(headers.authorization).toBeDefined()
    expect(fake.requests('file')).toHaveLength(3)
  })

  it.each(['utf8', 'latin1'] as const)('may have letters that are not ASCII, in %s', async (encoding) => {
    // What a server sends as bytes, Node takes as a text of a character a byte.
    fake.faults.file = [redirectTo(Buffer.from('?é=Übung', encoding).toString('latin1'))]
    expect(await collect(clientWithToken(fake).download(BATCH_ID))).toEqual(fake.file.bytes)
    expect(fake.requests('file')[1]?.path).toMatch(/\?%C3%A9=%C3%9Cbung$/)
  })

  it('takes no cookie along', async () => {
    fake.faults.file = [redirectTo('?again')]
    await collect(clientWithToken(fake).download(BATCH_ID))
    for (const { headers } of fake.log) expect(headers.cookie).toBeUndefined()
  })

  it('gets no credentials any more once it left the API, even if it leads back', async () => {
    fake.faults.file = [redirectTo(fake.makeLink())]
    fake.faults.store = [redirectTo(`${fake.fileUrl}?back`)]
    const error = await rejection(collect(clientWithToken(fake).download(BATCH_ID)))
    expect(error).toMatchObject({ status: 401 })
    expect(fake.requests('file').map(({ headers }) => headers.authorization !== undefined)).toEqual([true, false])
  })

  it('in the status may be anywhere, but only the API gets the credentials', async () => {
    const link = fake.makeLink()
    fake.statuses = [{ status: 'succeeded', data: link }]
    expect(await collect(clientWithToken(fake).download(BATCH_ID))).toEqual(fake.file.bytes)
    expect(fake.requests('file')).toHaveLength(0)
  })

  it.each(['relative', 'id only'])('in the status may be %s', async (kind) => {
    const id = fake.fileUrl.split('/').at(-1)
    fake.statuses = [{ status: 'succeeded', data: kind === 'relative' ? `${RESPONSES}/files/${id}` : id }]
    expect(await collect(clientWithToken(fake).download(BATCH_ID))).toEqual(fake.file.bytes)
  })

  it('is not mistaken for an export that has a url', async () => {
    fake.linkForm = 'direct'
    fake.file.bytes = Buffer.from(JSON.stringify({ url: fake.storeOrigin, definition: {}, records: [] }))
    expect(await collect(clientWithToken(fake).download(BATCH_ID))).toEqual(fake.file.bytes)
    expect(fake.requests('store')).toHaveLength(0)
  })
})

describe('a redirect is refused', () => {
  it.each(['file:///etc/passwd', 'ftp://example.org/x', 'data:application/json,{}', 'javascript:1'])(
    'to %s',
    async (to) => {
      fake.faults.file = [redirectTo(to)]
      const error = await rejection(collect(clientWithToken(fake).download(BATCH_ID)))
      expect(error).toMatchObject({ code: 'ERR_API_REDIRECT' })
      expect(error.message).toContain('http or https')
    },
  )

  it('in a loop, which is shown without queries', async () => {
    fake.faults.file = [redirectTo('/a?signature=one'), redirectTo('/b'), redirectTo('/a?signature=one')]
    const error = await rejection(collect(clientWithToken(fake).download(BATCH_ID)))
    expect(error).toMatchObject({ code: 'ERR_API_REDIRECT' })
    const at = fake.apiOrigin
    expect(error.message).toContain(`${at}/a → ${at}/b → ${at}/a`)
    expect(error.message).not.toContain('signature')
  })

  it('after ten of them', async () => {
    const hops = Array.from({ length: 11 }, (_, index) => redirectTo(`/hop${index + 1}`))
    fake.faults.file = [...hops]
    const error = await rejection(collect(clientWithToken(fake).download(BATCH_ID)))
    expect(error).toMatchObject({ code: 'ERR_API_REDIRECT' })
    expect(error.message).toContain('at most 10')
    expect(fake.requests('file')).toHaveLength(11)
    fake.faults.file = [...hops.slice(0, 9), redirectTo(fake.makeLink())]
    expect(await collect(clientWithToken(fake).download(BATCH_ID))).toEqual(fake.file.bytes)
  })

  it('without a target', async () => {
    fake.faults.file = [{ kind: 'answer', status: 302 }]
    expect(await rejection(collect(clientWithToken(fake).download(BATCH_ID)))).toMatchObject({
      code: 'ERR_API_REDIRECT',
      status: 302,
    })
  })

  it('with an address that is none', async () => {
    fake.faults.file = [redirectTo('http://[')]
    expect(await rejection(collect(clientWithToken(fake).download(BATCH_ID)))).toMatchObject({
      code: 'ERR_API_RESPONSE',
    })
  })

  it.each(['http://store.example/x?signature=s', 'http://api.na2.alida.com/x'])('from https to %s', (to) => {
    expect(() => trail('https://api.na1.alida.com/start').follow(to)).toThrow(
      expect.objectContaining({ code: 'ERR_API_REDIRECT', message: expect.not.stringContaining('signature') }),
    )
  })

  it('for a request that makes something', async () => {
    fake.faults.create = [redirectTo('/elsewhere', 307)]
    const error = await rejection(clientWithToken(fake).createExport('0a9f1c1e-2f57-4f0a-8a55-7d1e6b3c9d20'))
    expect(error).toMatchObject({ code: 'ERR_API_REDIRECT', status: 307 })
    expect(fake.log).toHaveLength(1)
  })
})

describe('trust', () => {
  it('is for the same scheme, host and port only', () => {
    expect(trail('https://api.na1.alida.com/a').trusted).toBe(true)
    expect(trail('https://api.na1.alida.com:8443/a').trusted).toBe(false)
    expect(trail('https://api.na1.alida.com.evil.example/a').trusted).toBe(false)
    expect(trail('https://api.na1.alida.com@evil.example/a').trusted).toBe(false)
  })

  it('a link of the API to itself by http is followed by https', () => {
    const way = trail('https://api.na1.alida.com/a')
    way.follow('http://api.na1.alida.com/b')
    expect(way.url.href).toBe('https://api.na1.alida.com/b')
    expect(way.trusted).toBe(true)
  })

  it('a user and password in a link are left out', () => {
    const way = trail('https://api.na1.alida.com/a')
    way.follow('https://user:password@store.example/b#part')
    expect(way.url.href).toBe('https://store.example/b')
  })

  it('ends for good with the first other origin', () => {
    const way = trail('https://api.na1.alida.com/a')
    way.follow('https://store.example/b')
    way.follow('https://api.na1.alida.com/c')
    expect(way.trusted).toBe(false)
  })
})
