/** Panics of parquet-wasm are errors of the file, and what else goes wrong in the host program is left to it. */

import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Random } from '../fixtures/random.ts'
import { convertExport, readCodebook } from '../src/index.ts'
import { SAMPLE } from './fixture-cases.ts'

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-panic-'))
const intact = join(folder, 'intact.parquet')
const panicking = join(folder, 'panicking.parquet')

beforeAll(async () => {
  await convertExport(SAMPLE, intact)
  await makePanicking()
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Flips bits until one makes parquet-wasm panic, as about one in fifteen does. */
async function makePanicking(): Promise<void> {
  const bytes = readFileSync(intact)
  const random = new Random(7)
  for (let i = 0; i < 300; i++) {
    const damaged = Buffer.from(bytes)
    const at = random.below(damaged.length)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << random.below(8))
    writeFileSync(panicking, damaged)
    const error = await readCodebook(panicking).catch((cause: unknown) => cause)
    if (error instanceof Error && error.message.endsWith('unreachable')) return
  }
  throw new Error('expected a bit that makes parquet-wasm panic, found none')
}

test('a panic is an error of the file, and the next file can be read', async () => {
  const results = await Promise.allSettled([readCodebook(panicking), readCodebook(panicking)])
  for (const result of results) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ERR_SOURCE', message: /unreachable/ } })
  }
  expect((await readCodebook(intact)).records).toBe(300)
})

test('a panic is not an error of the files that are read meanwhile', async () => {
  const results = await Promise.allSettled([readCodebook(intact), readCodebook(panicking), readCodebook(intact)])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('a host that listens for uncaught exceptions gets its own, and no others', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    'test/parquet-panic.ts',
    panicking,
  ])
  expect(JSON.parse(stdout)).toEqual({
    uncaught: ['of the host'],
    outcome: expect.stringMatching(/^ERR_SOURCE .*unreachable/),
  })
})
