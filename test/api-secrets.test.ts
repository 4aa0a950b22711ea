import { inspect } from 'node:util'
import { errors, MockAgent } from 'undici'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ExportClient } from '../src/api/client.ts'
import { Redactor } from '../src/api/redaction.ts'
import { ACTIVITY_ID, API_KEY, BATCH_ID, CLIENT_ID, CLIENT_SECRET, madeActivities } from './fake-alida/api.ts'
import { FakeAlida } from './fake-alida/fake-alida.ts'
import type { Fault, Route } from './fake-alida/fault.ts'
import {
  clientWithSecret,
  clientWithToken,
  collect,
  GIVEN_TOKEN,
  madeDocument,
  rejection,
} from './fake-alida/test-client.ts'

const BASIC = Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')
const SECRETS = [
  CLIENT_SECRET,
  API_KEY,
  BASIC,
  GIVEN_TOKEN,
  'issued-token',
  'X-Amz-Signature',
  'signature-',
  'cookie-secret',
]

let fake: FakeAlida

beforeEach(async () => {
  fake = await FakeAlida.start()
})

afterEach(async () => {
  await fake.close()
})

/** Everything a program could print of an error or another object. */
function texts(value: unknown): string {
  const parts = [String(value), JSON.stringify(value), inspect(value, { depth: 9, showHidden: true, getters: true })]
  if (value instanceof Error)
    parts.push(value.message, String(value.stack), JSON.stringify({ ...value }), texts(value.cause))
  return parts.join('\n')
}

function secretsIn(text: string): string[] {
  return SECRETS.filter((secret) => text.includes(secret))
}

/** An answer that repeats all it knows, as some gateways do when they are in trouble. */
function echo(status: number): Fault {
  const link = `https://store.example/bucket/export.json?X-Amz-Signature=signature-9-secret`
  const message = `Bearer issued-token-0001 Basic ${BASIC} key ${API_KEY} of ${CLIENT_SECRET} at ${link}`
  return { kind: 'answer', status, body: { message, developerMessage: message, errorId: message } }
}

function redirect(location: string): Fault {
  return { kind: 'answer', status: 302, headers: { location } }
}

const CALLS: Record<string, [Route, (client: ExportClient) => Promise<unknown>]> = {
  createExport: ['create', (client) => client.createExport(ACTIVITY_ID)],
  getExportStatus: ['status', (client) => client.getExportStatus(BATCH_ID)],
  waitForExport: ['status', (client) => client.waitForExport(BATCH_ID)],
  activityPage: ['activities', (client) => client.activityPage()],
  'download, at the API': ['file', (client) => collect(client.download(BATCH_ID))],
  'download, at the store': ['store', (client) => collect(client.download(BATCH_ID))],
  'any, for a token': ['token', (client) => client.getExportStatus(BATCH_ID)],
}

const FAULTS: Record<string, Fault> = {
  'HTTP 400': echo(400),
  'HTTP 401': echo(401),
  'HTTP 403': echo(403),
  'HTTP 500': echo(500),
  reset: { kind: 'reset' },
  silence: { kind: 'silence' },
  'an answer that is no JSON': { kind: 'answer', status: 200, body: `<p>${GIVEN_TOKEN} ${API_KEY} ${CLIENT_SECRET}` },
  'a redirect to a file': redirect('file:///signature-9-secret?X-Amz-Signature=signature-9-secret'),
  'a redirect to nowhere': redirect(`http://user:cookie-secret@127.0.0.1:1/a?X-Amz-Signature=signature-9-secret`),
  'a redirect that is no address': redirect('http://[signature-9-secret'),
}

describe('an error shows no secret', () => {
  for (const [call, [route, run]] of Object.entries(CALLS)) {
    it.each(Object.entries(FAULTS))(`${call}: %s`, async (_name, fault) => {
      const client = clientWithSecret(fake, { apiKey: API_KEY, headersTimeoutMs: 500, retry: { retries: 0 } })
      if (route === 'token') {
        await client.getExportStatus(BATCH_ID)
        fake.validTokens.clear()
      }
      fake.faults[route] = [fault, fault]
      const error = await run(client).then(
        () => undefined,
        (rejected: unknown) => rejected,
      )
      // A store may send what it likes as the file: that is the one case without an error.
      if (error === undefined) expect(route).toMatch(/store|file/)
      expect(secretsIn(texts(error))).toEqual([])
    })
  }

  it('of undici, which may hold the headers of the request', async () => {
    const dispatcher = new MockAgent()
    dispatcher.disableNetConnect()
    const headers = { authorization: `Bearer ${GIVEN_TOKEN}` }
    const foreign = Object.assign(new errors.SocketError(`closed, was sent Bearer ${GIVEN_TOKEN}`), {
      headers,
      opts: { headers },
    })
    dispatcher.get(fake.apiOrigin).intercept({ path: /./ }).replyWithError(foreign)
    const client = clientWithToken(fake, { dispatcher, retry: { retries: 0 } })
    const error = await rejection(client.getExportStatus(BATCH_ID))
    expect(error).toMatchObject({ code: 'ERR_API_NETWORK', cause: { code: 'UND_ERR_SOCKET' } })
    expect(secretsIn(texts(error))).toEqual([])
  })

  it('of an export that failed', async () => {
    fake.statuses = [{ status: 'failed', message: `token ${GIVEN_TOKEN} was refused` }]
    const error = await rejection(clientWithToken(fake).waitForExport(BATCH_ID))
    expect(error.message).toContain('[secret] was refused')
    expect(secretsIn(texts(error))).toEqual([])
  })
})

it('a client shows no secret', async () => {
  for (const client of [clientWithSecret(fake, { apiKey: API_KEY }), clientWithToken(fake, { apiKey: API_KEY })]) {
    await client.getExportStatus(BATCH_ID)
    expect(secretsIn(texts(client))).toEqual([])
    const download = client.download(BATCH_ID)
    await download.next()
    expect(secretsIn(texts(download))).toEqual([])
    await download.return()
  }
})

it('the store, the output and the process title see no secret in a whole run with faults', async () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const writeError = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
  fake.statuses = ['pending', 'executing']
  fake.file.bytes = madeDocument(1000)
  fake.activities = madeActivities(30)
  fake.faults.file = [{ kind: 'answer', status: 503 }]
  fake.faults.store = [{ kind: 'reset' }, { kind: 'cut', afterBytes: 4000 }, { kind: 'answer', status: 403 }]
  const seen: unknown[] = []
  const client = clientWithSecret(fake, { apiKey: API_KEY, onWarning: (message) => seen.push(message) })
  seen.push(await client.createExport(ACTIVITY_ID))
  seen.push(await client.waitForExport(BATCH_ID, { onProgress: (status) => seen.push(status) }))
  fake.onRequest = ({ route }) => route === 'store' && fake.validTokens.clear()
  const chunks = client.download(BATCH_ID, { onProgress: (progress) => seen.push(progress) })
  expect((await collect(chunks)).equals(fake.file.bytes)).toBe(true)
  seen.push(await client.activityPage())
  const printed = [write, writeError, warn].flatMap((spy) => spy.mock.calls.map(String))
  for (const spy of [write, writeError, warn]) spy.mockRestore()

  const stored = fake.requests('store')
  expect(stored.length).toBeGreaterThan(3)
  for (const { headers } of stored) {
    expect(Object.keys(headers).filter((name) => /auth|key|cookie|token/.test(name))).toEqual([])
    expect(secretsIn(JSON.stringify(headers))).toEqual([])
  }
  expect(secretsIn(printed.join('\n'))).toEqual([])
  expect(secretsIn(process.title)).toEqual([])
  expect(secretsIn(texts(seen))).toEqual([])
  for (const { path, route } of fake.log) if (route !== 'store') expect(secretsIn(path)).toEqual([])
})

describe('redaction', () => {
  it('takes out secrets in the forms they are echoed in, longest first', () => {
    const redactor = new Redactor()
    for (const secret of ['abcd', 'abcd/ef+"gh', 'no']) redactor.add(secret)
    expect(redactor.text('x abcd/ef+"gh y abcd%2Fef%2B%22gh z abcd/ef+\\"gh, no abcd')).toBe(
      'x [secret] y [secret] z [secret], no [secret]',
    )
  })

  it('takes user and query out of addresses', () => {
    expect(new Redactor().text('see https://u:p@a.example/b?sig=1&x=2#y, or <http://c.example#z>')).toBe(
      'see https://a.example/b or <http://c.example>',
    )
  })
})
