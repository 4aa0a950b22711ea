import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import workerThreads, { type Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
// Worker threads run compiled code, so these tests do: `npm test` builds first.
import { convertCompiled } from './compiled.ts'
import { surveyJson } from './survey.ts'

/** More than is sent to a thread at once. */
const DOCUMENT = surveyJson(8000)
const BYTES_BEFORE_KILL = 4e6
const OriginalWorker = workerThreads.Worker

let folder: string
let started: Worker[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
  started = []
  workerThreads.Worker = class extends OriginalWorker {
    constructor(...args: ConstructorParameters<typeof OriginalWorker>) {
      super(...args)
      started.push(this)
    }
  }
  syncBuiltinESMExports()
})

afterEach(() => {
  workerThreads.Worker = OriginalWorker
  syncBuiltinESMExports()
  rmSync(folder, { recursive: true })
})

test.each([
  ['a file that is cut, at once', 'file', 0, 0],
  ['a file that is cut, in the middle', 'file', 1, 3],
  ['a stream', 'stream', 0, 1],
] as const)('a thread that is killed is an error, and the older file stays: %s', async (_, kind, index, messages) => {
  const input = join(folder, 'in.json')
  const output = join(folder, 'out.parquet')
  writeFileSync(input, DOCUMENT)
  writeFileSync(output, 'older')
  let kill: () => void = () => undefined
  const killed = new Promise<void>((resolve) => {
    kill = () => void started[index]?.terminate().then(() => resolve())
  })
  const source = kind === 'file' ? input : Readable.from(inTwo(DOCUMENT, killed))
  const internals = { minPoolBytes: 0, minRecordsToCut: 0, minStreamBytes: 0 }
  void afterMessages(messages, index + 1).then(() => kill())
  const converting = convertCompiled(source, output, { threads: 3, rowGroupSize: 50 }, internals)
  await expect(converting).rejects.toMatchObject({
    code: 'ERR_WORKER',
    message: expect.stringMatching(/a worker thread ended before its work was done/),
  })
  expect(readdirSync(folder).sort()).toEqual(['in.json', 'out.parquet'])
  expect(readFileSync(output, 'utf8')).toBe('older')
})

/** So that the end does not come before the thread is gone. */
async function* inTwo(bytes: Uint8Array, killed: Promise<void>): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, BYTES_BEFORE_KILL)
  await killed
  yield bytes.subarray(BYTES_BEFORE_KILL)
}

/** Waits for at least so many threads, and for so many messages of all of them together. */
async function afterMessages(count: number, least: number): Promise<void> {
  while (started.length < least) await new Promise((resolve) => setTimeout(resolve, 1))
  let left = count
  if (left === 0) return
  await new Promise<void>((resolve) => {
    for (const worker of started) {
      worker.on('message', () => {
        left--
        if (left === 0) resolve()
      })
    }
  })
}
