import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { type BatchReader, type ReadOptions, readExport, writeIpc, writeParquet } from '../src/index.ts'
// Worker threads run compiled code, so these tests do: `npm test` builds first.
import { convertCompiled } from './compiled.ts'
import { exportArbitrary } from './shape-export.ts'
import { surveyJson } from './survey.ts'

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-recycled-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SHAPES: ReadOptions[] = [
  {},
  { answerStates: 'columns', values: 'both' },
  { sets: 'columns', timezone: 'naive' },
  { layout: 'long' },
  { hashOwner: true, hashKey: 'k' },
]

type Write = (reader: BatchReader, target: string) => Promise<unknown>

async function written(source: Uint8Array, options: ReadOptions, isRecycled: boolean, write: Write) {
  const reader = await readExport(source, options)
  const { schema, finalMetadata } = reader
  // Without `recycle`, every batch has memory of its own.
  const emptyBatch = () => reader.emptyBatch()
  const plain = { schema, finalMetadata, emptyBatch, [Symbol.asyncIterator]: () => reader[Symbol.asyncIterator]() }
  const target = join(folder, 'out')
  await write(isRecycled ? reader : plain, target)
  return readFileSync(target)
}

/** Dictionaries have other numbers each time, so that the bytes differ. */
function cellsOf(bytes: Uint8Array): string {
  const cells = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
  return JSON.stringify(tableFromIPC(bytes).toArray(), cells)
}

const sizes = { batchSize: fc.integer({ min: 1, max: 9 }), rowGroupSize: fc.integer({ min: 1, max: 30 }) }

test.each(SHAPES)('memory that serves the next batch changes nothing in any shape: %o', async (shape) => {
  await fc.assert(
    fc.asyncProperty(exportArbitrary, fc.record(sizes), async (source, { batchSize, rowGroupSize }) => {
      const options = { ...shape, batchSize }
      const toParquet: Write = (reader, target) => writeParquet(reader, target, { rowGroupSize })
      const plain = await written(source, options, false, toParquet)
      expect((await written(source, options, true, toParquet)).equals(plain)).toBe(true)
      for (const format of ['arrow', 'arrows'] as const) {
        const toIpc: Write = (reader, target) => writeIpc(reader, target, { format })
        const cells = cellsOf(await written(source, options, false, toIpc))
        expect(cellsOf(await written(source, options, true, toIpc))).toBe(cells)
      }
    }),
    { numRuns: 15 },
  )
})

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test.each(SHAPES)('nor does it on the thread of a stream: %o', async (shape) => {
  const source = surveyJson(700)
  for (const [batchSize, rowGroupSize] of [
    [10, 10],
    [10, 25],
    [40, 7],
  ] as const) {
    const options = { ...shape, batchSize }
    const target = join(folder, 'stream.parquet')
    const written = { ...options, rowGroupSize, threads: 2 }
    const { threads } = await convertCompiled(chunksOf(source, 5000), target, written, { minStreamBytes: 1 })
    expect(threads).toBe(2)
    const alone = join(folder, 'alone.parquet')
    await convertCompiled(chunksOf(source, source.length), alone, { ...written, threads: 1 })
    expect(readFileSync(target).equals(readFileSync(alone))).toBe(true)
  }
})

test.each([
  ['parquet', 2],
  ['parquet', 1],
  ['arrows', 1],
  ['arrow', 1],
] as const)('nor does it to a stream that holds on to what it was given: %s, %i threads', async (format, threads) => {
  const source = surveyJson(700)
  const options = { format, threads, batchSize: 20, rowGroupSize: 40 }
  const held = new PassThrough({ highWaterMark: 2 ** 30 })
  await convertCompiled(chunksOf(source, 5000), held, options, { minStreamBytes: 1 })
  held.end()
  const file = join(folder, 'file')
  await convertCompiled(chunksOf(source, 5000), file, options, { minStreamBytes: 1 })
  expect(Buffer.concat(await held.toArray()).equals(readFileSync(file))).toBe(true)
})
