/**
 * What it costs to take an export from HTTP instead of from a file: `npm run bench:fetch [-- --records N --runs N]`.
 * `fetch` and `convert` take turns on the same document, each in a process of its own, and so is the server.
 */
import { execFile, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { BATCH_ID, CLIENT_ID, CLIENT_SECRET, COMMUNITY } from '../test/fake-alida/api.ts'
import { type ColumnSum, differingColumns } from './checksum.ts'
import { compileBench } from './compile.ts'
import type { Tally } from './generate.ts'
import { inputOf } from './input.ts'
import { busyShare } from './machine.ts'
import { median } from './measure.ts'
import { BUILD, CACHE, ROOT } from './paths.ts'
import { progress } from './progress.ts'
import { shapeNamed } from './shapes.ts'
import { alignedTable } from './table.ts'

interface Usage {
  seconds: number
  cpuSeconds: number
  peakRssBytes: number
}

const run = promisify(execFile)
const { values } = parseArgs({
  options: { shape: { type: 'string' }, records: { type: 'string' }, runs: { type: 'string' } },
})
const shape = shapeNamed(values.shape ?? 'typical')
const { file, tally } = await inputOf(shape, Number(values.records ?? shape.records))
compileBench()

/** A gigabit a second, which few links to a store give. */
const LINE_BYTES_PER_SECOND = 125e6

const server = fork(join(BUILD, 'fetch-server.js'), [file])
const [origin] = (await once(server, 'message')) as [string]
const line = fork(join(BUILD, 'fetch-server.js'), [file, String(LINE_BYTES_PER_SECOND)])
const [lineOrigin] = (await once(line, 'message')) as [string]
const OVER_LINE = 'fetch, 1 Gbit/s'
const FROM_DISK = 'convert FILE, from the disk'
const WAYS: Readonly<Record<string, readonly string[]>> = {
  'convert FILE': ['convert', file],
  ...(dropFromCache(file) ? { [FROM_DISK]: ['convert', file] } : {}),
  fetch: ['fetch', '--base-url', origin, '--batch', BATCH_ID],
  'fetch --threads 1': ['fetch', '--base-url', origin, '--batch', BATCH_ID, '--threads', '1'],
  [OVER_LINE]: ['fetch', '--base-url', lineOrigin, '--batch', BATCH_ID],
}
const usages = Object.fromEntries(Object.keys(WAYS).map((way): [string, Usage[]] => [way, []]))
const output = join(CACHE, 'fetch.parquet')
const busyShares: number[] = []
try {
  const runs = Number(values.runs ?? 5)
  for (let round = 1; round <= runs; round++) {
    busyShares.push(await busyShare())
    for (const [way, words] of Object.entries(WAYS)) {
      progress(`${round} of ${runs}: ${way} …`)
      if (way === FROM_DISK) dropFromCache(file)
      usages[way]?.push(await measured(words))
      if (round === 1) await check(tally)
    }
  }
  progress('')
  console.log(table())
  const lineSeconds = (tally.bytes / LINE_BYTES_PER_SECOND).toFixed(2)
  console.log(`\nAt 1 Gbit/s the bytes alone take ${lineSeconds} s.`)
} finally {
  server.disconnect()
  line.disconnect()
  rmSync(output, { force: true })
}

/** Makes the system forget the bytes of a file that it has in memory; whether it can (GNU dd). */
function dropFromCache(path: string): boolean {
  return spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' }).status === 0
}

/** One run of the command line, from start to exit. */
async function measured(words: readonly string[]): Promise<Usage> {
  const usageFile = join(CACHE, 'fetch.usage.json')
  const preload = pathToFileURL(join(BUILD, 'usage-at-exit.js')).href
  const environment = {
    ALIDA_COMMUNITY: COMMUNITY,
    ALIDA_CLIENT_ID: CLIENT_ID,
    ALIDA_CLIENT_SECRET: CLIENT_SECRET,
    BENCH_USAGE: usageFile,
  }
  const startMs = performance.now()
  await run(process.execPath, ['--import', preload, join(ROOT, 'dist', 'bin.js'), ...words, '-o', output, '-q'], {
    env: { ...process.env, ...environment },
  })
  const seconds = (performance.now() - startMs) / 1000
  return { seconds, ...(JSON.parse(readFileSync(usageFile, 'utf8')) as Omit<Usage, 'seconds'>) }
}

/** @throws Error when the output is not the table that the generator wrote down. */
async function check({ columns }: Tally): Promise<void> {
  const { stdout } = await run(process.execPath, [join(BUILD, 'sums.js'), output], { maxBuffer: 1 << 28 })
  const differing = differingColumns(columns, JSON.parse(stdout) as ColumnSum[])
  if (differing.length > 0) throw new Error(`wrong result: ${differing[0]}`)
}

/** How many times as long each run took as the other way's in the same round; the median. */
function timesOf(way: string, list: readonly Usage[]): number {
  return median(list.map((usage, i) => usage.seconds / (usages[way]?.[i]?.seconds ?? Number.NaN)))
}

function table(): string {
  const figures = Object.entries(usages).map(([way, list]) => ({
    way,
    seconds: median(list.map((usage) => usage.seconds)),
    cpuSeconds: median(list.map((usage) => usage.cpuSeconds)),
    peakMegabytes: median(list.map((usage) => usage.peakRssBytes)) / 1e6,
    ratio: timesOf('convert FILE', list),
    diskRatio: timesOf(FROM_DISK, list),
  }))
  const header = ['', 'seconds', 'CPU s', 'peak MB', 'x convert', 'x from the disk (medians of rounds)']
  const rows = figures.map(({ way, seconds, cpuSeconds, peakMegabytes, ratio, diskRatio }) => [
    way,
    seconds.toFixed(2),
    cpuSeconds.toFixed(2),
    peakMegabytes.toFixed(0),
    ratio.toFixed(2),
    FROM_DISK in WAYS ? diskRatio.toFixed(2) : 'not measured',
  ])
  const busy = `${Math.round(Math.max(...busyShares) * 100)} % of the machine was busy with other things`
  const facts = `${tally.records} records, ${(tally.bytes / 1e6).toFixed(0)} MB, ${busyShares.length} rounds, ${busy}`
  return `${facts}\n\n${alignedTable(header, rows)}`
}
