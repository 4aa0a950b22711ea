import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { Field, type RecordBatch, Schema, TimestampSecond } from 'apache-arrow'
import { afterAll, describe, expect, test } from 'vitest'
import { readCodebook } from '../src/codebook/codebook.ts'
import { convertExport } from '../src/convert/convert.ts'
import type { ExportSource } from '../src/input/source.ts'
import { readExport } from '../src/reader.ts'
import { writeIpc } from '../src/sinks/ipc.ts'
import type { OutputTarget } from '../src/sinks/output.ts'
import { writeParquet } from '../src/sinks/parquet.ts'
import { writeStar } from '../src/star/star.ts'
import { surveyJson } from './survey.ts'

/** However writing ends, nothing of the source stays open. */

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-closed-'))
afterAll(() => rmSync(folder, { recursive: true }))

const PLAIN = surveyJson(3000)
const GZIP = gzipSync(PLAIN)
const RECORDS_FIRST = surveyJson(3000, { recordsFirst: true })
const paths = {
  plain: join(folder, 'export.json'),
  gzip: join(folder, 'export.json.gz'),
  first: join(folder, 'first.json'),
}
writeFileSync(paths.plain, PLAIN)
writeFileSync(paths.gzip, GZIP)
writeFileSync(paths.first, RECORDS_FIRST)

interface Opened {
  readonly source: ExportSource
  /** What is open of it still. */
  readonly stillOpen: () => string[]
}

/** Files that this process has open, of those that the test can have opened. */
function openFiles(part: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.includes(part) ? [path] : []
    } catch {
      return []
    }
  })
}

function chunksOf(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

function file(path: string): Opened {
  return { source: path, stillOpen: () => openFiles(path) }
}

function readable(bytes: Uint8Array, size: number): Opened {
  const source = Readable.from(chunksOf(bytes, size))
  return { source, stillOpen: () => [...(source.destroyed ? [] : ['stream']), ...openFiles('alida-arrow-spool')] }
}

/** Ends only when it is told to. */
function iterable(bytes: Uint8Array, size: number): Opened {
  let isOpen = true
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunksOf(bytes, size)
    } finally {
      isOpen = false
    }
  }
  return { source: source(), stillOpen: () => [...(isOpen ? ['iterable'] : []), ...openFiles('alida-arrow-spool')] }
}

function webStream(bytes: Uint8Array, size: number): Opened {
  const chunks = chunksOf(bytes, size)
  let isOpen = true
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift()
      if (chunk !== undefined) return controller.enqueue(chunk)
      isOpen = false
      controller.close()
    },
    cancel() {
      isOpen = false
    },
  })
  return { source, stillOpen: () => (isOpen ? ['stream'] : []) }
}

const SOURCES: [string, () => Opened][] = [
  ['a file', () => file(paths.plain)],
  ['a gzipped file', () => file(paths.gzip)],
  ['a file with its records first', () => file(paths.first)],
  ['a stream', () => readable(PLAIN, 1000)],
  ['a gzipped stream', () => readable(GZIP, 100)],
  ['a stream with its records first', () => readable(RECORDS_FIRST, 100_000)],
  ['an iterable', () => iterable(PLAIN, 1000)],
  ['an iterable of long chunks', () => iterable(PLAIN, PLAIN.length / 2)],
  ['an iterable of one chunk', () => iterable(PLAIN, PLAIN.length)],
  ['a gzipped iterable of one chunk', () => iterable(GZIP, GZIP.length)],
  ['a gzipped iterable', () => iterable(GZIP, 100)],
  ['an iterable with its records first', () => iterable(RECORDS_FIRST, 100_000)],
  ['a web stream', () => webStream(PLAIN, 1000)],
  ['a web stream of long chunks', () => webStream(PLAIN, PLAIN.length / 2)],
  ['a gzipped web stream of one chunk', () => webStream(GZIP, GZIP.length)],
]

/** A target that fails when it has got so many writes. */
function failingTarget(writes: number): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done(writes-- > 0 ? null : Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }))
    },
  })
}

function abortingTarget(controller: AbortController): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      controller.abort()
      done()
    },
  })
}

const WRITERS = {
  writeParquet: (source: ExportSource, target: OutputTarget, signal?: AbortSignal) =>
    readExport(source, { batchSize: 50, signal }).then((reader) => writeParquet(reader, target, { rowGroupSize: 50 })),
  writeIpc: (source: ExportSource, target: OutputTarget, signal?: AbortSignal) =>
    readExport(source, { batchSize: 50, signal }).then((reader) => writeIpc(reader, target, { format: 'arrows' })),
}

const closed = (opened: Opened) => expect.poll(opened.stillOpen, { interval: 1 }).toEqual([])

describe.runIf(existsSync('/proc/self/fd')).each(Object.entries(WRITERS))('%s closes', (_name, write) => {
  describe.each(SOURCES)('%s', (_source, open) => {
    test('when the target cannot be opened', async () => {
      const opened = open()
      await expect(write(opened.source, join(folder, 'nowhere', 'out'))).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
      await closed(opened)
    })

    test('when the target is closed already', async () => {
      const opened = open()
      await expect(write(opened.source, failingTarget(0).destroy())).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
      await closed(opened)
    })

    test.each([0, 3])('when the target fails after %i writes', async (writes) => {
      const opened = open()
      await expect(write(opened.source, failingTarget(writes))).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
      await closed(opened)
    })

    test('when the signal fires meanwhile', async () => {
      const opened = open()
      const controller = new AbortController()
      const writing = write(opened.source, abortingTarget(controller), controller.signal)
      await expect(writing).rejects.toMatchObject({ code: 'ERR_ABORTED' })
      await closed(opened)
    })

    test('when it is written', async () => {
      const opened = open()
      expect((await write(opened.source, join(folder, 'out'))).outputBytes).toBeGreaterThan(0)
      await closed(opened)
    })
  })

  test('what is cut off', async () => {
    const opened = readable(PLAIN.subarray(0, -100_000), 1000)
    await expect(write(opened.source, join(folder, 'out'))).rejects.toMatchObject({ code: 'ERR_JSON_TRUNCATED' })
    await closed(opened)
  })
})

test('a reader of another kind is closed when its schema cannot be written, and need not be closable', async () => {
  const schema = new Schema([new Field('t', new TimestampSecond(), true)])
  let closings = 0
  const batches = () => (async function* (): AsyncGenerator<RecordBatch> {})()
  const reader = { schema, [Symbol.asyncIterator]: batches, close: async () => void closings++ }
  await expect(writeParquet(reader, join(folder, 'out'))).rejects.toMatchObject({ code: 'ERR_PARQUET' })
  expect(closings).toBe(1)
  const other = { schema, [Symbol.asyncIterator]: batches }
  await expect(writeParquet(other, join(folder, 'out'))).rejects.toMatchObject({ code: 'ERR_PARQUET' })
})

describe('a silent source is closed when the signal fires', () => {
  test.each([
    ['before its first byte', ''],
    ['before its definition', '{"id":"e1",'],
    ['among its records', String(PLAIN).slice(0, 100_000)],
  ])('%s', async (_name, start) => {
    let isOpen = true
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        if (start !== '') controller.enqueue(Buffer.from(start))
      },
      cancel() {
        isOpen = false
      },
    })
    const controller = new AbortController()
    const writing = WRITERS.writeParquet(source, failingTarget(1000), controller.signal)
    setTimeout(() => controller.abort(), 20)
    await expect(writing).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await expect.poll(() => isOpen).toBe(false)
  })
})

describe.runIf(existsSync('/proc/self/fd'))('a file is closed', () => {
  const onProgress = () => {
    throw new Error('no progress')
  }

  test('when convertExport or writeStar fail on their way', async () => {
    for (const format of ['parquet', 'arrow', 'arrows'] as const) {
      await expect(convertExport(paths.plain, join(folder, 'out'), { format, onProgress })).rejects.toThrow(
        'no progress',
      )
      expect(openFiles(paths.plain)).toEqual([])
    }
    await expect(writeStar(paths.plain, join(folder, 'star'), { onProgress })).rejects.toThrow('no progress')
    expect(openFiles(paths.plain)).toEqual([])
  })

  test('when it is none that a codebook can be made of', async () => {
    const path = join(folder, 'other.arrow')
    const schema = new Schema([new Field('t', new TimestampSecond(), true)])
    await writeIpc(Object.assign((async function* (): AsyncGenerator<RecordBatch> {})(), { schema }), path)
    await expect(readCodebook(path)).rejects.toMatchObject({ code: 'ERR_SOURCE' })
    expect(openFiles(path)).toEqual([])
  })
})
