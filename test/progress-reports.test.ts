import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { convertExport } from '../src/convert/convert.ts'
import { ProgressReports, ThrottledReports } from '../src/progress-reports.ts'
import { type ReadProgress, readExport } from '../src/reader.ts'
import { writeIpc } from '../src/sinks/ipc.ts'
import { writeParquet } from '../src/sinks/parquet.ts'
import { writeStar } from '../src/star/star.ts'
import { surveyJson } from './survey.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alida-arrow-progress-'))
})

afterEach(() => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true })
})

test.for([
  ['convertExport', (options: object) => convertExport(surveyJson(500), join(folder, 'out.parquet'), options)],
  ['writeStar', (options: object) => writeStar(surveyJson(500), join(folder, 'star'), options)],
] as const)('%s reports its progress, at the end all of it', async ([, run]) => {
  const seen: ReadProgress[] = []
  await run({ onProgress: (progress: ReadProgress) => seen.push(progress) })
  expect(seen.length).toBeGreaterThan(1)
  expect(seen[0]?.records).toBe(0)
  expect(seen.at(-1)?.records).toBe(500)
  expect(seen.at(-1)?.documentBytes).toBe(surveyJson(500).length)
})

test('polled progress is reported ten times a second, whatever is going on', () => {
  vi.useFakeTimers()
  const seen: number[] = []
  let now = 0
  const reports = new ProgressReports<number>((progress) => seen.push(progress))
  reports.watch(() => now)
  for (; now < 1000; now++) vi.advanceTimersByTime(1)
  reports.finish()
  vi.advanceTimersByTime(1000)
  expect(seen).toHaveLength(12)
  expect(seen.at(-1)).toBe(1000)
})

test('progress that waits is dropped by a stop, and what a late report threw is thrown by the last one', () => {
  vi.useFakeTimers()
  const seen: number[] = []
  const reports = new ThrottledReports<number>((progress) => {
    if (progress === 3) throw new Error('late')
    seen.push(progress)
  })
  reports.add(1)
  reports.add(2)
  reports.stop()
  vi.advanceTimersByTime(1000)
  expect(seen).toEqual([1])
  reports.add(2)
  reports.add(3)
  vi.advanceTimersByTime(1000)
  expect(() => reports.flush()).toThrow('late')
})

test('progress that is pushed is reported ten times a second, the last one too', () => {
  vi.useFakeTimers()
  const seen: number[] = []
  const reports = new ThrottledReports<number>((progress) => seen.push(progress))
  for (let i = 0; i <= 250; i++) {
    reports.add(i)
    vi.advanceTimersByTime(1)
  }
  expect(seen).toEqual([0, 99, 199])
  vi.advanceTimersByTime(1000)
  expect(seen).toEqual([0, 99, 199, 250])
})

test('what onProgress throws ends the work, never the process', async () => {
  vi.useFakeTimers()
  const fail = vi.fn((progress: number) => {
    if (progress > 0) throw new Error('of the caller')
  })
  let now = 0
  const polled = new ProgressReports<number>(fail)
  polled.watch(() => now)
  const pushed = new ThrottledReports<number>(fail)
  pushed.add(0)
  pushed.add(1)
  now = 1
  vi.advanceTimersByTime(1000)
  expect(() => polled.finish()).toThrow('of the caller')
  expect(() => pushed.add(2)).toThrow('of the caller')
})

test.for([
  ['writeParquet', writeParquet],
  ['writeIpc', writeIpc],
] as const)('%s stops when its signal fires, and leaves nothing', async ([, write]) => {
  const controller = new AbortController()
  const silent = new PassThrough()
  // More than a window, which is filled before the first record is decoded.
  silent.write(surveyJson(6000).subarray(0, 1_200_000))
  const reader = await readExport(silent, { batchSize: 10 })
  const writing = write(reader, join(folder, 'out'), { signal: controller.signal })
  setTimeout(() => controller.abort(), 20)
  await expect(writing).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  expect(silent.destroyed).toBe(true)
  expect(readdirSync(folder)).toEqual([])
})

test('a promise that rejects fails the conversion, and is no unhandled rejection', async () => {
  const onProgress = async () => {
    throw new Error('no progress')
  }
  await expect(convertExport(surveyJson(500), join(folder, 'out.parquet'), { onProgress })).rejects.toThrow(
    'no progress',
  )
  const reports = new ThrottledReports<number>(onProgress)
  reports.add(1)
  await Promise.resolve()
  await Promise.resolve()
  expect(() => reports.add(2)).toThrow('no progress')
  reports.stop()
  expect(readdirSync(folder)).toEqual([])
})
