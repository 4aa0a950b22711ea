import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import type { ExportSource } from '../src/input/source.ts'
import { openReader, type ReaderInternals } from '../src/reader.ts'
import { chunksOf, factsOf, readAll, refusalOf } from './reading.ts'

const QUESTION = 'f0000000-0000-4000-a000-000000000001'
const OPTION = 'b0000000-0000-4000-a000-000000000001'

const DEFINITION = {
  fields: [
    { id: QUESTION, name: 'Q1', type: { dataType: 'enum', values: [{ id: OPTION, name: 'Ja, natürlich 😀' }] } },
    { id: 'q2', name: 'Q2', type: { dataType: 'double' } },
    { id: 'q3', name: 'Q3', type: { dataType: 'string' } },
  ],
}

const RECORDS = [1, 2].map((n) => ({
  ownerId: `p${n}`,
  lastUpdateDate: '2026-03-01T10:00:00.000Z',
  fields: [
    { id: QUESTION, values: [OPTION] },
    { id: 'q2', values: [-1.5e-7] },
    { id: 'q3', values: n === 1 ? null : ['"ü\n😀"'] },
  ],
}))

const COMPACT = Buffer.from(JSON.stringify({ id: 'e1', definition: DEFINITION, records: RECORDS, more: true }))
const PRETTY = Buffer.from(JSON.stringify({ records: RECORDS.slice(1), definition: DEFINITION }, null, 1))

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The error of reading a source to its end; undefined when it gives a table. */
async function errorOf(source: ExportSource, internals: ReaderInternals): Promise<{ code: string } | undefined> {
  try {
    for await (const _ of await openReader(source, {}, internals));
    return undefined
  } catch (error) {
    return factsOf(error)
  }
}

/** Codes of all proper prefixes, the longest one first, since a file can only be made shorter. */
async function codesOfPrefixes(bytes: Buffer, open: (length: number) => ExportSource, internals: ReaderInternals) {
  const codes: (string | undefined)[] = []
  for (let length = bytes.length - 1; length >= 0; length--) {
    codes.push((await errorOf(open(length), internals))?.code ?? `a table from ${length} bytes`)
  }
  return codes
}

function expectedCodes(bytes: Buffer): string[] {
  return [...Array<string>(bytes.length - 1).fill('ERR_JSON_TRUNCATED'), 'ERR_NOT_JSON']
}

describe.each([
  ['compact', COMPACT],
  ['pretty-printed, records first', PRETTY],
])('every proper prefix of an export is an error: %s', (name, bytes) => {
  test('the whole of it is a table', async () => {
    const table = await readAll(bytes)
    expect(table.rows.length).toBeGreaterThan(0)
  })

  test('as bytes', async () => {
    const codes = await codesOfPrefixes(bytes, (length) => bytes.subarray(0, length), { windowBytes: 64 })
    expect(codes).toEqual(expectedCodes(bytes))
  })

  test('as a file', async () => {
    const path = join(folder, `${name}.json`)
    writeFileSync(path, bytes)
    const cut = (length: number) => {
      truncateSync(path, length)
      return path
    }
    expect(await codesOfPrefixes(bytes, cut, { windowBytes: 1024 })).toEqual(expectedCodes(bytes))
  })

  test('as a stream', async () => {
    const codes = await codesOfPrefixes(bytes, (length) => chunksOf(bytes.subarray(0, length), 100), {
      windowBytes: 4096,
    })
    expect(codes).toEqual(expectedCodes(bytes))
  })
})

test('every proper prefix of a gzipped export is an error', async () => {
  const bytes = gzipSync(COMPACT)
  const codes = await codesOfPrefixes(bytes, (length) => bytes.subarray(0, length), { windowBytes: 1024 })
  expect(codes.at(-1)).toBe('ERR_NOT_JSON')
  expect(new Set(codes.slice(0, -2))).toEqual(new Set(['ERR_GZIP']))
})

test('an export cut inside its byte order mark is an error', async () => {
  for (const bytes of [Uint8Array.of(0xef), Uint8Array.of(0xef, 0xbb)]) {
    const { message } = await refusalOf(bytes)
    expect(message).toMatch(/^(expected|unexpected)/)
  }
})

describe('whatever follows the document is an error at its first byte', () => {
  test.for(['x', '{}', '0', ',', ']', '}', '\u0000', '"', '\ufeff', '{"definition":{"fields":[]},"records":[]}'])(
    '%j',
    async (garbage) => {
      const error = await refusalOf(Buffer.concat([COMPACT, Buffer.from(` \n${garbage}`)]))
      expect(error.code).toBe('ERR_JSON_SYNTAX')
      expect(error.byteOffset).toBe(COMPACT.length + 2)
      expect(error.message).toContain('expected the end of the document')
    },
  )

  test('white space may follow', async () => {
    const table = await readAll(Buffer.concat([COMPACT, Buffer.from('\r\n\t  \n')]))
    expect(table.rows).toHaveLength(2)
  })

  test('garbage behind a gzip stream is no second member', async () => {
    const error = await refusalOf(Buffer.concat([gzipSync(COMPACT), Buffer.from('garbage')]))
    expect(error.code).toBe('ERR_GZIP')
  })
})
