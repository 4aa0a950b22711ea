import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
// Worker threads run compiled code, so these tests do: `npm test` builds first.
import { convertExport } from '../dist/convert.js'
import { type ReadOptions, readExport, writeParquet } from '../src/index.ts'
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

async function written(source: Uint8Array, options: ReadOptions, rowGroupSize: number, isRecycled: boolean) {
  const reader = await readExport(source, options)
  const { schema } = reader
  // Without `recycle`, every batch has memory of its own.
  const emptyBatch = () => reader.emptyBatch()
  const plain = { schema, emptyBatch, [Symbol.asyncIterator]: () => reader[Symbol.asyncIterator]() }
  const target = join(folder, 'out.parquet')
  await writeParquet(isRecycled ? reader : plain, target, { rowGroupSize })
  return readFileSync(target)
}

const sizes = { batchSize: fc.integer({ min: 1, max: 9 }), rowGroupSize: fc.integer({ min: 1, max: 30 }) }

test.each(SHAPES)('memory that serves the next batch changes nothing in any shape: %o', async (shape) => {
  await fc.assert(
    fc.asyncProperty(exportArbitrary, fc.record(sizes), async (source, { batchSize, rowGroupSize }) => {
      const options = { ...shape, batchSize }
      const plain = await written(source, options, rowGroupSize, false)
      expect((await written(source, options, rowGroupSize, true)).equals(plain)).toBe(true)
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
    const { threads } = await convertExport(chunksOf(source, 5000), target, written, { smallestStreamBytes: 1 })
    expect(threads).toBe(2)
    const alone = join(folder, 'alone.parquet')
    await convertExport(chunksOf(source, source.length), alone, { ...written, threads: 1 })
    expect(readFileSync(target).equals(readFileSync(alone))).toBe(true)
  }
})
