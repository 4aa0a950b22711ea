import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { convertExport, readExport, verifyExport, writeStar } from '../src/index.ts'

const SAMPLE = 'fixtures/sample-export.json'
const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-verify-export-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('compares a file with its export, by path or URL', async () => {
  const output = join(folder, 'out.arrow')
  await convertExport(SAMPLE, output, { fields: ['Gender'] })
  const options = { fields: ['Gender'] }
  const report = await verifyExport(pathToFileURL(SAMPLE), pathToFileURL(output), options)
  expect(report).toMatchObject({ format: 'arrow', records: 300, differenceCount: 0 })
  const other = await verifyExport(SAMPLE, output, { fields: ['AgeGroup'], maxDifferences: 1 })
  expect(other.differenceCount).toBeGreaterThan(0)
  expect(other.differences).toHaveLength(1)
})

test('compares a folder of the star layout, and rejected values', async () => {
  const output = join(folder, 'star')
  const rejects = join(folder, 'rejects.jsonl')
  await writeStar(SAMPLE, output, { onInvalid: 'null', rejects })
  const report = await verifyExport(SAMPLE, output, { onInvalid: 'null', rejects })
  expect(report).toMatchObject({ format: 'star', records: 300, differenceCount: 0 })
})

test('refuses named pipes, which can be read only once', async () => {
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  await expect(verifyExport(pipe, 'out')).rejects.toMatchObject({ code: 'ERR_SOURCE', message: /found a pipe/ })
  await expect(verifyExport(SAMPLE, pipe)).rejects.toMatchObject({ code: 'ERR_OUTPUT', message: /found a pipe/ })
})

test('refuses what it does not know', async () => {
  const wrong = { maxDiferences: 3 } as object
  await expect(verifyExport(SAMPLE, 'out', wrong)).rejects.toThrow('the nearest are "maxDifferences"')
  const none = undefined as unknown as string
  await expect(verifyExport(SAMPLE, none)).rejects.toThrow('output: expected a path or a file: URL, found undefined')
})

test('a reader is closed by `await using`', async () => {
  const reader = await readExport(SAMPLE)
  await reader[Symbol.asyncDispose]()
  const reading = (async () => {
    for await (const _ of reader);
  })()
  await expect(reading).rejects.toThrow(/closed/)
})
