import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ExportSource } from '../src/input/source.ts'
import { openReader, readExport } from '../src/reader.ts'
import { chunksOf, collect, factsOf, type Reading, readOnce } from './reading.ts'
import { surveyJson } from './survey.ts'

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
const JSON_BYTES = surveyJson(400)
const GZIP_BYTES = gzipSync(JSON_BYTES)
const RECORDS_FIRST = surveyJson(400, { recordsFirst: true })
const SPOOLS = join(folder, 'tmp')
const originalTmpdir = process.env.TMPDIR
let expected: Reading

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

/** Open descriptors of files in the test's folder. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)].filter((path) => path.startsWith(folder))
    } catch {
      return []
    }
  })
}

async function errorOf(source: ExportSource, signal?: AbortSignal): Promise<ReturnType<typeof factsOf>> {
  try {
    await collect(await readExport(source, { signal }))
  } catch (error) {
    return factsOf(error)
  }
  throw new Error('expected an error, found a table')
}

beforeAll(async () => {
  mkdirSync(SPOOLS)
  process.env.TMPDIR = SPOOLS
  expected = await readOnce(JSON_BYTES)
  expect(expected.rows).toHaveLength(400)
})

beforeEach(() => {
  expect(readdirSync(SPOOLS)).toEqual([])
})

afterAll(() => {
  if (originalTmpdir === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = originalTmpdir
  rmSync(folder, { recursive: true })
})

describe('every kind of source gives the same table', () => {
  const gzipMembers = Buffer.concat([
    gzipSync(JSON_BYTES.subarray(0, 1000)),
    gzipSync(new Uint8Array()),
    gzipSync(JSON_BYTES.subarray(1000)),
  ])
  const kinds: [string, () => ExportSource][] = [
    ['path', () => fileOf('export.json', JSON_BYTES)],
    ['file URL', () => pathToFileURL(fileOf('export with space.json', JSON_BYTES))],
    ['Uint8Array', () => new Uint8Array(JSON_BYTES)],
    ['part of a larger buffer', () => Buffer.concat([Buffer.from('xx'), JSON_BYTES, Buffer.from('x')]).subarray(2, -1)],
    ['ArrayBuffer', () => new Uint8Array(JSON_BYTES).buffer],
    ['Node stream', () => Readable.from(chunksOf(JSON_BYTES, 1000))],
    ['Node stream of one chunk', () => Readable.from([JSON_BYTES])],
    ['web stream', () => new Blob([new Uint8Array(JSON_BYTES)]).stream()],
    ['async iterable', () => chunksOf(JSON_BYTES, 777)],
    ['async iterable with empty chunks', () => withEmptyChunks()],
    ['gzip file', () => fileOf('export.json.gz', GZIP_BYTES)],
    ['gzip file by another name', () => fileOf('zipped.json', GZIP_BYTES)],
    ['gzip bytes', () => GZIP_BYTES],
    ['gzip stream, byte by byte', () => chunksOf(GZIP_BYTES, 1)],
    ['gzip in gzip', () => fileOf('twice.gz', gzipSync(GZIP_BYTES))],
    ['gzip of several members', () => fileOf('members.gz', gzipMembers)],
    ['records first, path', () => fileOf('first.json', RECORDS_FIRST)],
    ['records first, gzip file', () => fileOf('first.json.gz', gzipSync(RECORDS_FIRST))],
    ['records first, bytes', () => RECORDS_FIRST],
    ['records first, stream', () => Readable.from(chunksOf(RECORDS_FIRST, 1000))],
    ['records first, gzip stream', () => chunksOf(gzipSync(RECORDS_FIRST), 1000)],
  ]

  async function* withEmptyChunks(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array()
    for await (const chunk of chunksOf(JSON_BYTES, 5000)) {
      yield chunk
      yield new Uint8Array()
    }
  }

  test.for(kinds)('%s', async ([, source]) => {
    for (const windowBytes of [1024, undefined]) {
      expect(await readOnce(source(), {}, { windowBytes })).toEqual(expected)
    }
    await expect.poll(openFiles).toEqual([])
    expect(readdirSync(SPOOLS)).toEqual([])
  })
})

describe('what cannot be read', () => {
  test.for<[string, () => ExportSource, string, RegExp]>([
    ['missing file', () => join(folder, 'nowhere.json'), 'ERR_SOURCE', /no such file: .*nowhere\.json/],
    ['directory', () => folder, 'ERR_SOURCE', /a directory/],
    ['file as a folder', () => join(fileOf('plain', JSON_BYTES), 'x.json'), 'ERR_SOURCE', /plain/],
    ['other URL', () => new URL('https://example.com/x.json'), 'ERR_SOURCE', /file: URL, found https:/],
    ['gzip cut off', () => GZIP_BYTES.subarray(0, -20), 'ERR_GZIP', /cut off/],
    ['gzip file cut off', () => fileOf('cut.gz', GZIP_BYTES.subarray(0, 2000)), 'ERR_GZIP', /cut off/],
    ['gzip in a cut gzip', () => gzipSync(GZIP_BYTES).subarray(0, -4), 'ERR_GZIP', /cut off/],
    ['gzip with a wrong sum', () => flipped(GZIP_BYTES, -6), 'ERR_GZIP', /broken/],
    ['stream that fails', () => failing(), 'ERR_SOURCE', /connection lost/],
    ['gzip stream that fails', () => failing(GZIP_BYTES), 'ERR_SOURCE', /connection lost/],
  ])('%s', async ([, source, code, message]) => {
    const error = await errorOf(source())
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
    await expect.poll(openFiles).toEqual([])
  })

  function flipped(bytes: Uint8Array, at: number): Uint8Array {
    const copy = Uint8Array.from(bytes)
    copy[copy.length + at]! ^= 1
    return copy
  }

  async function* failing(bytes: Uint8Array = JSON_BYTES): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, bytes.length / 2)
    throw new Error('connection lost')
  }

  test.skipIf(process.getuid?.() === 0)('file without permission', async () => {
    const path = fileOf('secret.json', JSON_BYTES)
    execFileSync('chmod', ['000', path])
    expect(await errorOf(path)).toMatchObject({ code: 'ERR_SOURCE', message: expect.stringContaining('no permission') })
  })

  test('what is no source at all', async () => {
    for (const source of [42, null, undefined, {}, []] as unknown as ExportSource[]) {
      await expect(readExport(source)).rejects.toThrow(/expected a path, a file: URL, bytes, or a stream/)
    }
    const numbers = (async function* () {
      yield 42
    })() as unknown as AsyncIterable<Uint8Array>
    await expect(readExport(numbers)).rejects.toThrow(/expected the stream of an export to give bytes/)
  })
})

describe('named pipe', () => {
  function pipe(name: string): string {
    const path = join(folder, name)
    execFileSync('mkfifo', [path])
    return path
  }

  test('is read, whoever comes first', async () => {
    for (const [name, wait] of [
      ['a.fifo', 0],
      ['b.fifo', 50],
    ] as const) {
      const path = pipe(name)
      const reading = readOnce(path)
      await sleep(wait)
      const writer = await open(path, 'w')
      await writer.writeFile(JSON_BYTES)
      await writer.close()
      expect(await reading).toEqual(expected)
    }
  })

  test('ends at an abort while its writer is silent', async () => {
    const path = pipe('silent.fifo')
    const writer = await open(path, 'r+')
    await writer.write(JSON_BYTES.subarray(0, 100))
    const controller = new AbortController()
    const reading = errorOf(path, controller.signal)
    await sleep(50)
    controller.abort()
    expect(await reading).toMatchObject({ code: 'ERR_ABORTED' })
    await writer.close()
    await expect.poll(openFiles).toEqual([])
  })
})

describe('AbortSignal', () => {
  const sources: [string, () => ExportSource][] = [
    ['bytes', () => JSON_BYTES],
    ['file', () => fileOf('abort.json', JSON_BYTES)],
    ['gzip file', () => fileOf('abort.json.gz', GZIP_BYTES)],
    ['stream', () => Readable.from(chunksOf(JSON_BYTES, 1000))],
    ['records first, stream', () => Readable.from(chunksOf(RECORDS_FIRST, 1000))],
  ]

  test.for(sources)('that fired before: %s', async ([, source]) => {
    expect(await errorOf(source(), AbortSignal.abort())).toMatchObject({ code: 'ERR_ABORTED' })
    await expect.poll(openFiles).toEqual([])
  })

  test.for(sources)('that fires while it is opened: %s', async ([, source]) => {
    const controller = new AbortController()
    const reading = errorOf(source(), controller.signal)
    controller.abort()
    expect(await reading).toMatchObject({ code: 'ERR_ABORTED' })
    await expect.poll(openFiles).toEqual([])
  })

  test.for(sources)('that fires between batches: %s', async ([, source]) => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const reader = await readExport(source(), { batchSize: 10, signal: controller.signal })
    const rows: number[] = []
    const reading = (async () => {
      for await (const batch of reader) {
        rows.push(batch.numRows)
        controller.abort(reason)
      }
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: reason })
    expect(rows).toEqual([10])
    await expect.poll(openFiles).toEqual([])
  })

  test('while an async iterable is silent', async () => {
    const controller = new AbortController()
    const silent = (async function* () {
      yield JSON_BYTES.subarray(0, 500)
      await new Promise(() => undefined)
    })()
    const reading = errorOf(silent, controller.signal)
    await sleep(20)
    controller.abort()
    expect(await reading).toMatchObject({ code: 'ERR_ABORTED' })
  })
})

describe('a reading that ends early', () => {
  test.for<[string, () => ExportSource]>([
    ['file', () => fileOf('break.json', JSON_BYTES)],
    ['gzip file', () => fileOf('break.json.gz', GZIP_BYTES)],
    ['records first, stream', () => Readable.from(chunksOf(RECORDS_FIRST, 1000))],
  ])('closes what it opened: %s', async ([, source]) => {
    for await (const batch of await openReader(source(), { batchSize: 1 }, { windowBytes: 1024 })) {
      expect(batch.numRows).toBe(1)
      break
    }
    await expect.poll(openFiles).toEqual([])
    expect(readdirSync(SPOOLS)).toEqual([])
  })

  test('closes what it opened when close() is called without an iteration', async () => {
    for (const path of [fileOf('close.json', JSON_BYTES), fileOf('close.json.gz', GZIP_BYTES)]) {
      const reader = await openReader(path, {}, { windowBytes: 1024 })
      expect(openFiles()).toEqual([path])
      await reader.close()
      await reader.close()
      await expect.poll(openFiles).toEqual([])
    }
  })

  test('ends the stream that it was given', async () => {
    const stream = Readable.from(chunksOf(JSON_BYTES, 100))
    for await (const _ of await openReader(stream, { batchSize: 1 }, { windowBytes: 1024 })) break
    expect(stream.destroyed).toBe(true)
    let isReturned = false
    const iterable = (async function* () {
      try {
        yield* chunksOf(JSON_BYTES, 100)
      } finally {
        isReturned = true
      }
    })()
    for await (const _ of await openReader(iterable, { batchSize: 1 }, { windowBytes: 1024 })) break
    await expect.poll(() => isReturned).toBe(true)
  })
})

describe('the spool of records that come first on a stream', () => {
  test('has no name while they are read, so that nothing can be left of it', async () => {
    const reader = await openReader(chunksOf(RECORDS_FIRST, 1000), { batchSize: 100 }, { windowBytes: 1024 })
    expect(readdirSync(SPOOLS)).toEqual([])
    expect(await collect(reader)).toHaveLength(4)
    expect(readdirSync(SPOOLS)).toEqual([])
  })

  test.for([
    ['cut off', (text: string) => text.slice(0, -20), 'ERR_JSON_TRUNCATED'],
    ['without a definition', (text: string) => text.replace('"definition"', '"other"'), 'ERR_NOT_AN_EXPORT'],
    ['with an invalid value', (text: string) => text.replace('2026-02-09T', '2026-02-30T'), 'ERR_VALUE'],
    ['with an error in the last record', (text: string) => text.replace('0000018f"', '0000018f'), 'ERR_JSON_SYNTAX'],
  ] as const)('is removed after an error: %s', async ([, damage, code]) => {
    const bytes = Buffer.from(damage(RECORDS_FIRST.toString()))
    expect(bytes).not.toEqual(RECORDS_FIRST)
    const error = await errorOf(chunksOf(bytes, 1000))
    expect(error.code).toBe(code)
    expect(readdirSync(SPOOLS)).toEqual([])
  })
})

describe('back-pressure', () => {
  test.for([
    ['plain', 0],
    ['gzip', 6],
  ] as const)('a consumer that waits keeps the rest of the stream where it is: %s', async ([, level]) => {
    const document = surveyJson(5000)
    const bytes = level === 0 ? document : gzipSync(document, { level })
    let pulled = 0
    const counted = (async function* () {
      for await (const chunk of chunksOf(bytes, 1000)) {
        pulled += chunk.length
        yield chunk
      }
    })()
    const reader = await openReader(counted, { batchSize: 1 }, { windowBytes: 4096 })
    const batches = reader[Symbol.asyncIterator]()
    await batches.next()
    await sleep(50)
    expect(pulled).toBeLessThan(bytes.length / 4)
    await batches.return()
  })
})

test('a reader is iterated once', async () => {
  const reader = await readExport(JSON_BYTES)
  await collect(reader)
  await expect(collect(reader)).rejects.toThrow(/only once/)
})

test('progress counts the bytes of the source and of the document', async () => {
  const path = fileOf('progress.json.gz', GZIP_BYTES)
  const reader = await readExport(path)
  await collect(reader)
  expect(reader.progress).toEqual({
    bytesRead: GZIP_BYTES.length,
    totalBytes: GZIP_BYTES.length,
    documentBytes: JSON_BYTES.length,
    records: 400,
  })
})
