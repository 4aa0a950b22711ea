import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generate } from 'selfsigned'
import { afterAll, describe, test } from 'vitest'
import { type CliOptions, type CliResult, runCli } from './cli.ts'
import { ACTIVITY_ID, API_KEY, BATCH_ID, CLIENT_ID, CLIENT_SECRET, COMMUNITY, errorBody } from './fake-alida/api.ts'
import { type Certificate, FakeAlida, type LinkForm } from './fake-alida/fake-alida.ts'
import { GIVEN_TOKEN, madeDocument } from './fake-alida/test-client.ts'

const SAMPLE = readFileSync(fileURLToPath(new URL('../fixtures/sample-export.json', import.meta.url)))
const SECRETS = [CLIENT_SECRET, API_KEY, GIVEN_TOKEN, 'issued-token', 'X-Amz', 'signature-']

const root = mkdtempSync(join(tmpdir(), 'alida-arrow-fetch-'))
const fakes: FakeAlida[] = []
afterAll(async () => {
  rmSync(root, { recursive: true, force: true })
  for (const fake of fakes) await fake.close()
})

const newFolder = () => mkdtempSync(join(root, 'x'))

async function newFake(tls?: Certificate): Promise<FakeAlida> {
  const fake = await FakeAlida.start(0, tls)
  fake.file.bytes = SAMPLE
  fakes.push(fake)
  return fake
}

/** Nothing of the tests' own environment counts. */
const NO_SETTINGS = Object.fromEntries(
  [...Object.keys(process.env), 'ALIDA_TOKEN']
    .filter((name) => /^ALIDA_|_proxy$/i.test(name))
    .map((name) => [name, undefined]),
)

function settings(fake: FakeAlida): Record<string, string | undefined> {
  return {
    ...NO_SETTINGS,
    ALIDA_BASE_URL: fake.apiOrigin,
    ALIDA_COMMUNITY: COMMUNITY,
    ALIDA_CLIENT_ID: CLIENT_ID,
    ALIDA_CLIENT_SECRET: CLIENT_SECRET,
    ALIDA_API_KEY: API_KEY,
  }
}

interface Run extends CliResult {
  folder: string
  /** Both streams. */
  text: string
}

async function fetchInto(fake: FakeAlida, args: readonly string[], options: CliOptions = {}): Promise<Run> {
  const folder = newFolder()
  const env = { ...settings(fake), ...options.env }
  const result = await runCli(['fetch', '-o', 'out.parquet', ...args], { cwd: folder, ...options, env })
  return { ...result, folder, text: result.stdout.toString() + result.stderr }
}

let converted: Promise<Buffer> | undefined

/** What `convert` makes of the sample. */
function convertedSample(): Promise<Buffer> {
  const path = join(newFolder(), 'out.parquet')
  converted ??= runCli(['convert', '-', '-o', path], { stdin: SAMPLE }).then(() => readFileSync(path))
  return converted
}

describe.concurrent('fetch', () => {
  const links: LinkForm[] = ['redirect', 'redirect-locations', 'location', 'locations', 'json', 'direct']

  test.for(links)('turns an export into a file, the file given as %s', async (linkForm, { expect }) => {
    const fake = await newFake()
    fake.linkForm = linkForm
    const { code, stdout, stderr, folder, text } = await fetchInto(fake, ['--batch', BATCH_ID])
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toMatch(/^out\.parquet: 300 records, 33 columns, /)
    expect(stderr).toContain(`export    ${BATCH_ID}, ready after`)
    expect(readdirSync(folder)).toEqual(['out.parquet'])
    expect(readFileSync(join(folder, 'out.parquet')).equals(await convertedSample())).toBe(true)
    for (const secret of SECRETS) expect(text).not.toContain(secret)
  })

  test('asks for a new export, with its times and field ids, and waits for it', async ({ expect }) => {
    const fake = await newFake()
    fake.statuses = ['Pending', 'executing']
    const id = JSON.parse(SAMPLE.toString()).definition.fields[0].id as string
    const args = ['--activity', ACTIVITY_ID, '--since', '2026-01-01', '--until', '2026-06-01T12:00:00Z', '--fields', id]
    const { code, stdout, stderr } = await fetchInto(fake, [...args, '--json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(fake.requests('create')[0]?.body ?? '')).toEqual({
      fieldIds: [id],
      sinceDatetime: '2026-01-01T00:00:00Z',
      untilDatetime: '2026-06-01T12:00:00Z',
    })
    expect(fake.requests('status')).toHaveLength(3)
    expect(JSON.parse(stdout.toString())).toMatchObject({
      batchId: BATCH_ID,
      records: 300,
      columns: 4,
      format: 'parquet',
    })
  })

  test('chooses by name itself, and asks the API for all', async ({ expect }) => {
    const fake = await newFake()
    const { name } = JSON.parse(SAMPLE.toString()).definition.fields[0]
    const { code, stdout } = await fetchInto(fake, ['--activity', ACTIVITY_ID, '--fields', name, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(fake.requests('create')[0]?.body ?? '')).toEqual({})
    expect(JSON.parse(stdout.toString()).columns).toBe(4)
  })

  test('keeps the document, too, also when it cannot be converted', async ({ expect }) => {
    const fake = await newFake()
    const kept = await fetchInto(fake, ['--batch', BATCH_ID, '--save-json', 'export.json', '-q'])
    expect({ code: kept.code, text: kept.text }).toEqual({ code: 0, text: '' })
    expect(readFileSync(join(kept.folder, 'export.json')).equals(SAMPLE)).toBe(true)
    fake.file.bytes = Buffer.from(SAMPLE.toString().replace('"values":[', '"values":[{},'))
    const failed = await fetchInto(fake, ['--batch', BATCH_ID, '--save-json', 'export.json'])
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain('the download was kept as export.json')
    expect(readdirSync(failed.folder)).toEqual(['export.json'])
    expect(readFileSync(join(failed.folder, 'export.json')).equals(fake.file.bytes)).toBe(true)
  })

  test('writes to standard output', async ({ expect }) => {
    const { code, stdout, folder } = await fetchInto(await newFake(), ['--batch', BATCH_ID, '-o', '-'])
    expect(code).toBe(0)
    expect(stdout.readUInt32LE(0)).toBe(0xffffffff)
    expect(readdirSync(folder)).toEqual([])
  })

  test('shows no progress where there is no terminal', async ({ expect }) => {
    const fake = await newFake()
    fake.statuses = ['pending']
    const { stderr } = await fetchInto(fake, ['--batch', BATCH_ID])
    expect(stderr).not.toContain('\u001b')
    expect(stderr).not.toContain('\r')
    expect(stderr).not.toContain('pending')
  })

  test('takes a token, which wins over id and secret in the environment, and says so', async ({ expect }) => {
    const fake = await newFake()
    const { code, stderr } = await fetchInto(fake, ['--batch', BATCH_ID], { env: { ALIDA_TOKEN: GIVEN_TOKEN } })
    expect(code).toBe(0)
    expect(fake.requests('token')).toHaveLength(0)
    expect(stderr).toContain('ALIDA_TOKEN is used, ALIDA_CLIENT_ID and ALIDA_CLIENT_SECRET are not')
  })

  test.for([`"${GIVEN_TOKEN}"`, `'${GIVEN_TOKEN}'`])(
    'says that a variable is in quotation marks: %s',
    async (token, { expect }) => {
      const fake = await newFake()
      const { code, stderr } = await fetchInto(fake, ['--batch', BATCH_ID], { env: { ALIDA_TOKEN: token } })
      expect(code).toBe(3)
      expect(stderr).toContain('ALIDA_TOKEN is in quotation marks')
      expect(stderr).not.toContain(GIVEN_TOKEN)
    },
  )

  test('warns of secrets in arguments, and hides them from the list of processes', async ({ expect }) => {
    const fake = await newFake()
    fake.faults.status = [{ kind: 'silence' }]
    let listed = ''
    const run = fetchInto(fake, ['--batch', BATCH_ID, '--token', GIVEN_TOKEN], {
      watch: (child) => {
        fake.onRequest = () => {
          listed = execFileSync('ps', ['-o', 'args=', '-p', String(child.pid)]).toString()
          child.kill('SIGTERM')
        }
      },
    })
    const { code, text } = await run
    expect(code).toBe(143)
    expect(listed).toContain('alida-arrow')
    expect(listed).not.toContain(GIVEN_TOKEN)
    expect(text).toContain('warning: --token on the command line')
    expect(text).toContain('ALIDA_TOKEN')
    for (const secret of SECRETS) expect(text).not.toContain(secret)
  })

  test.for<[string, (fake: FakeAlida) => void]>([
    ['while it waits for the export', (fake) => (fake.statuses = Array(1000).fill('executing'))],
    ['while the store is silent', (fake) => fake.faults.store.push({ kind: 'silence' })],
    ['in the middle of the file', (fake) => fake.faults.store.push({ kind: 'stall', afterBytes: 400_000 })],
  ])('stops at Ctrl-C %s, and leaves nothing', async ([, spoil], { expect }) => {
    const fake = await newFake()
    spoil(fake)
    let isInterrupted = false
    const { code, folder, stderr } = await fetchInto(fake, ['--batch', BATCH_ID, '--save-json', 'export.json'], {
      watch: (child) => {
        const awaited = fake.statuses.length > 0 ? 'status' : 'store'
        fake.onRequest = ({ route }) => {
          if (route !== awaited || isInterrupted) return
          isInterrupted = true
          setTimeout(() => child.kill('SIGINT'), 300)
        }
      },
    })
    expect({ code, left: readdirSync(folder) }).toEqual({ code: 130, left: [] })
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})

describe.concurrent('fetch ends', () => {
  test.for<[string, string[], Record<string, string | undefined>, string]>([
    [
      'nothing set',
      ['--batch', 'x'],
      Object.fromEntries(Object.keys(settings({} as FakeAlida)).map((name) => [name, undefined])),
      'missing: the region (ALIDA_REGION or --region); the community key (ALIDA_COMMUNITY or --community); credentials (ALIDA_CLIENT_ID and ALIDA_CLIENT_SECRET, or ALIDA_TOKEN; also as --client-id, --client-secret, --token)',
    ],
    [
      'no secret',
      ['--batch', 'x'],
      { ALIDA_CLIENT_SECRET: '' },
      'missing: the client secret (ALIDA_CLIENT_SECRET or --client-secret)',
    ],
    [
      'no export',
      [],
      {},
      'expected --batch (an export that was asked for before) or --activity (a new export), found neither',
    ],
    ['two exports', ['--batch', 'x', '--activity', 'y'], {}, 'found both'],
    [
      'a time for an old export',
      ['--batch', 'x', '--since', '2026-01-01'],
      {},
      '--since and --until belong to a new export',
    ],
    ['a time that is none', ['--activity', 'x', '--since', 'yesterday'], {}, 'expected an ISO 8601 date or time'],
    ['one file twice', ['--batch', 'x', '--save-json', './out.parquet'], {}, 'name the same file'],
    [
      'two places',
      ['--batch', 'x', '--region', 'na1', '--base-url', 'http://127.0.0.1:1'],
      {},
      'expected --base-url or --region, found both',
    ],
    ['an unknown format', ['--batch', 'x', '-o', 'out.txt'], {}, 'cannot tell the format of out.txt'],
    ['a size that is none', ['--batch', 'x', '--max-bytes', 'much'], {}, '--max-bytes: expected a size such as 500MB'],
  ])('with 2 and one line: %s', async ([, args, env, message], { expect }) => {
    const fake = await newFake()
    const { code, stderr, folder } = await fetchInto(fake, args, { env })
    expect({ code, left: readdirSync(folder), asked: fake.log.length }).toEqual({ code: 2, left: [], asked: 0 })
    expect(stderr).toContain(message)
  })

  test.for<[string, (fake: FakeAlida) => void, string[], number, string]>([
    [
      'a refused secret',
      () => undefined,
      ['--client-secret', 'wrong-secret'],
      3,
      'check ALIDA_CLIENT_ID and ALIDA_CLIENT_SECRET, and --region',
    ],
    [
      'an export that failed',
      (fake) => (fake.statuses = [{ status: 'failed', errorMessage: 'too much', data: null }]),
      [],
      3,
      'the export failed: too much',
    ],
    [
      'no such export',
      (fake) => fake.faults.status.push({ kind: 'answer', status: 404, body: {} }),
      [],
      3,
      'check the id, --community, and --region',
    ],
    [
      'a wait that is too long',
      (fake) => (fake.statuses = Array(99).fill('executing')),
      ['--timeout', '2s'],
      3,
      'took longer than',
    ],
    ['a file that is cut off', (fake) => (fake.file.bytes = SAMPLE.subarray(0, 700_000)), [], 1, 'byte 700000'],
    ['a file that is too large', () => undefined, ['--max-bytes', '100kB'], 1, '--max-bytes'],
    ['a folder that is not there', () => undefined, ['-o', 'nowhere/out.parquet'], 1, 'no such folder: nowhere'],
  ])('with its code and one line: %s', async ([, spoil, args, expected, message], { expect }) => {
    const fake = await newFake()
    spoil(fake)
    const { code, stderr, folder, text } = await fetchInto(fake, ['--batch', BATCH_ID, ...args])
    expect({ code, left: readdirSync(folder) }).toEqual({ code: expected, left: [] })
    expect(stderr).toContain(message)
    expect(stderr.trim().split('\n')).toHaveLength(args.includes('--client-secret') ? 2 : 1)
    for (const secret of [...SECRETS, 'wrong-secret']) expect(text).not.toContain(secret)
  })

  test('with the facts of the API in its JSON', async ({ expect }) => {
    const fake = await newFake()
    fake.faults.status.push({ kind: 'answer', status: 404, body: errorBody(404, 'Nope.') })
    const { code, stderr } = await fetchInto(fake, ['--batch', BATCH_ID, '--json'])
    expect(code).toBe(3)
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        code: 'ERR_API_STATUS',
        status: 404,
        errorId: expect.any(String),
        url: expect.stringContaining(BATCH_ID),
      },
    })
  })

  test('with an older file as it was', async ({ expect }) => {
    const fake = await newFake()
    fake.file.bytes = SAMPLE.subarray(0, 700_000)
    const path = join(newFolder(), 'older.parquet')
    writeFileSync(path, 'older')
    const { code } = await fetchInto(fake, ['--batch', BATCH_ID, '-o', path])
    expect({ code, content: readFileSync(path, 'utf8') }).toEqual({ code: 1, content: 'older' })
  })
})

describe.concurrent('a proxy', () => {
  test('is used when the environment names one, unless NO_PROXY says otherwise', async ({ expect }) => {
    const fake = await newFake()
    const asked: string[] = []
    const proxy = createServer()
    proxy.on('connect', (request, client, head) => {
      asked.push(request.url ?? '')
      const { hostname, port } = new URL(`http://${request.url}`)
      const server = connect(Number(port), hostname, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        server.write(head)
        server.pipe(client).pipe(server)
      })
      for (const socket of [client, server]) socket.on('error', () => undefined)
    })
    proxy.listen(0, '127.0.0.1')
    await new Promise((resolve) => proxy.once('listening', resolve))
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const args = ['--batch', BATCH_ID]
    const through = await fetchInto(fake, args, { env: { HTTP_PROXY: address, HTTPS_PROXY: address } })
    expect(through.code).toBe(0)
    expect(new Set(asked)).toEqual(new Set([new URL(fake.apiOrigin).host, new URL(fake.storeOrigin).host]))
    asked.length = 0
    const around = await fetchInto(fake, args, { env: { HTTP_PROXY: address, NO_PROXY: '127.0.0.1' } })
    expect({ code: around.code, asked }).toEqual({ code: 0, asked: [] })
    const plain = await fetchInto(fake, args, { env: { HTTP_PROXY: ` ${address.replace('http://', '')}` } })
    expect({ code: plain.code, asked: new Set(asked).size }).toEqual({ code: 0, asked: 2 })
    proxy.close()
  })

  test('that wants a password is named, and the one it was given is not shown', async ({ expect }) => {
    const fake = await newFake()
    const proxy = createServer()
    proxy.on('connect', (_request, client) => client.end('HTTP/1.1 407 Authentication Required\r\n\r\n'))
    proxy.listen(0, '127.0.0.1')
    await new Promise((resolve) => proxy.once('listening', resolve))
    const address = `http://user:wrong-word@127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const { code, stderr } = await fetchInto(fake, ['--batch', BATCH_ID], { env: { HTTP_PROXY: address } })
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining('the proxy made no connection, HTTP 407'),
    })
    expect(stderr).not.toContain('wrong-word')
    proxy.close()
  })

  test.for([
    ['http://nowhere.invalid:3128', 'no host named nowhere.invalid; check the proxy', '20s'],
    ['http://127.0.0.1:1', 'no connection, ECONNREFUSED at 127.0.0.1 port 1', '3s'],
    ['socks5://127.0.0.1:1', 'no connection, ECONNREFUSED at 127.0.0.1 port 1', '3s'],
  ])('that cannot be reached is what is blamed: %s', async ([address = '', message = '', timeout = ''], { expect }) => {
    const fake = await newFake()
    const env = { HTTP_PROXY: address }
    const { code, stderr } = await fetchInto(fake, ['--batch', BATCH_ID, '--timeout', timeout], { env })
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining(message) })
  })

  test.for(['ftp://proxy.example', 'file:///proxy'])('of another kind is refused: %s', async (address, { expect }) => {
    const fake = await newFake()
    const { code, stderr } = await fetchInto(fake, ['--batch', BATCH_ID], { env: { HTTP_PROXY: address } })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('address of a proxy in HTTP_PROXY') })
  })

  test.for(['http://user:secret-word@[', 'http://user:secret-word%zz@127.0.0.1:1'])(
    'whose address is none is an error of the settings, which does not show it: %s',
    async (address, { expect }) => {
      const fake = await newFake()
      const env = { https_proxy: '', HTTP_PROXY: address }
      const { code, stderr } = await fetchInto(fake, ['--batch', BATCH_ID], { env })
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('address of a proxy in HTTP_PROXY') })
      expect(stderr).not.toContain('secret-word')
    },
  )
})

describe.concurrent('https', () => {
  async function certified(): Promise<{ fake: FakeAlida; authority: string }> {
    const made = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ],
    })
    const authority = join(newFolder(), 'authority.pem')
    writeFileSync(authority, made.cert)
    return { fake: await newFake({ key: made.private, cert: made.cert }), authority }
  }

  test.for([['sample', SAMPLE] as const, ['one that is received in many pieces', madeDocument(40_000)] as const])(
    'gives the same file as http does: %s',
    async ([, document], { expect }) => {
      const { fake, authority } = await certified()
      const plain = await newFake()
      fake.file.bytes = plain.file.bytes = document
      const args = ['--batch', BATCH_ID]
      const { code, stderr, folder } = await fetchInto(fake, args, { env: { NODE_EXTRA_CA_CERTS: authority } })
      expect({ code, stderr: stderr.includes('records') }).toEqual({ code: 0, stderr: true })
      const other = await fetchInto(plain, args)
      const outputOf = (folder: string) => readFileSync(join(folder, 'out.parquet'))
      expect(outputOf(folder).equals(outputOf(other.folder))).toBe(true)
    },
  )

  test('of an unknown authority is refused', async ({ expect }) => {
    const { fake } = await certified()
    const { code, stderr, folder } = await fetchInto(fake, ['--batch', BATCH_ID])
    expect(code).toBe(3)
    expect(stderr).toMatch(/^alida-arrow: .*certificate.*\n$/)
    expect(fake.log).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })
})

describe.concurrent('activities', () => {
  const list = async (fake: FakeAlida, ...args: string[]) => {
    const { code, stdout, stderr } = await runCli(['activities', ...args], { env: settings(fake) })
    return { code, stderr, lines: stdout.toString().trimEnd().split('\n') }
  }

  test('are listed as a table, all pages of them', async ({ expect }) => {
    const fake = await newFake()
    fake.activities = Array.from({ length: 250 }, (_, i) => ({
      id: `id-${i}`,
      name: `Survey\u001b[31m ${i}`,
      status: 'open',
    }))
    const { code, stderr, lines } = await list(fake)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(lines[0]).toMatch(/^id +name +type +status +created +closed/)
    expect(lines).toHaveLength(251)
    expect(lines[250]).toMatch(/^id-249 +Survey\\u001b\[31m 249 +open/)
    expect(fake.requests('activities')).toHaveLength(3)
  })

  test('can be had as JSON, fewer of them, by a filter', async ({ expect }) => {
    const fake = await newFake()
    const { code, lines } = await list(
      fake,
      '--json',
      '--limit',
      '2',
      '--filter',
      'status=open',
      '--filter',
      'projectType=research',
    )
    expect(code).toBe(0)
    expect(lines.map((line) => JSON.parse(line))).toEqual(fake.activities.slice(0, 2))
    const query = new URL(fake.requests('activities')[0]?.path ?? '', fake.apiOrigin).searchParams
    expect(Object.fromEntries(query)).toMatchObject({ status: 'open', projectType: 'research', limit: '2' })
  })

  test('that are none are said to be none; a filter that is none is exit code 2', async ({ expect }) => {
    const fake = await newFake()
    fake.activities = []
    expect(await list(fake)).toMatchObject({ code: 0, lines: ['no activities'] })
    expect(await list(fake, '--filter', 'open')).toMatchObject({ code: 2 })
  })
})

describe('many drops', () => {
  test('give the identical file or a clear error', async ({ expect }) => {
    const fake = await newFake()
    fake.file.bytes = madeDocument(20_000)
    const folder = newFolder()
    const expected = await fetchInto(fake, ['--batch', BATCH_ID, '--threads', '1'])
    const size = fake.file.bytes.length
    for (const [i, etag] of ['"strong"', undefined, 'W/"weak"'].entries()) {
      fake.file.etag = etag
      fake.faults.store = [0.2, 0.9, 0.5].map((part) => ({
        kind: 'cut',
        afterBytes: Math.floor(size * part * (i + 1)) / 3,
      }))
      const { code, folder: out } = await fetchInto(fake, ['--batch', BATCH_ID, '--threads', '2'])
      expect(code).toBe(0)
      const bytes = readFileSync(join(out, 'out.parquet'))
      expect(bytes.equals(readFileSync(join(expected.folder, 'out.parquet')))).toBe(true)
    }
    expect(readdirSync(folder)).toEqual([])
  })
})
