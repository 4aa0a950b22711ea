/**
 * `npm run bench`: everything on the typical shape. `-- --quick`: 10,000 records, one run each. `-- --only NAME…`.
 * `-- --shape NAME --records N --runs N`. `-- --json`: one JSON object on stdout instead of the tables.
 */
import { parseArgs } from 'node:util'
import { compileBench } from './compile.ts'
import { appendHistory, type HistoryEntry, newEntry, readHistory, regressions, TOO_BUSY_SHARE } from './history.ts'
import { inputOf } from './input.ts'
import { installNpmRivals } from './install.ts'
import { busyShare } from './machine.ts'
import { type Result, Trial } from './measure.ts'
import { progress } from './progress.ts'
import { RIVALS, rivalNamed, YARDSTICK } from './rivals/index.ts'
import { shapeNamed } from './shapes.ts'
import { alignedTable, type TableRow } from './table.ts'

const QUICK_RECORDS = 10_000
const RUNS = 3

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'boolean', default: false },
    shape: { type: 'string', default: 'typical' },
    records: { type: 'string' },
    runs: { type: 'string' },
  },
})

const shape = shapeNamed(options.shape)
const records = Number(options.records ?? (options.quick ? Math.min(QUICK_RECORDS, shape.records) : shape.records))
const runs = Number(options.runs ?? (options.quick ? 1 : RUNS))
const chosen = options.only ? positionals.map(rivalNamed) : RIVALS

compileBench()
await installNpmRivals()
const { file, tally } = await inputOf(shape, records)
const trials = chosen.map((rival) => ({ title: rival.title, trial: new Trial(rival, file, tally) }))
const busyShares: number[] = []
// Round by round, so that a busy minute of the machine spoils one run of several rivals and not all runs of one.
for (let round = 1; round <= runs; round++) {
  busyShares.push(await busyShare())
  for (const { title, trial } of trials) {
    progress(`${round} of ${runs}: ${title} …`)
    await trial.run()
  }
}
busyShares.push(await busyShare())
progress('')

const results = trials.map(({ trial }) => trial.result())
const entry = newEntry({
  busyShare: Math.round(Math.max(...busyShares) * 100) / 100,
  shape: shape.name,
  records,
  megabytes: tally.bytes / 1e6,
  runs,
  results,
})
const slower = regressions(entry, readHistory())
if (!options.quick) appendHistory(entry)
if (options.json) console.log(JSON.stringify({ ...entry, regressions: slower }, null, 2))
else printTables(entry, slower)
if (results.some((result) => result.failure?.startsWith('wrong result'))) process.exitCode = 1

function printTables(entry: HistoryEntry, slower: readonly string[]): void {
  console.log(
    `${entry.shape}: ${entry.records} records, ${entry.megabytes.toFixed(0)} MB; ${entry.machine}; Node ${entry.node}; ` +
      `median of ${entry.runs} run(s); output checked\n`,
  )
  const yardstick = entry.results.find((result) => result.name === YARDSTICK)?.figures
  const groups = [
    { title: 'Reading only', makes: ['nothing', 'objects'] },
    { title: 'To Arrow', makes: ['arrow', 'ipc'] },
    { title: 'To Parquet', makes: ['parquet'] },
  ]
  for (const { title, makes } of groups) {
    const rows = entry.results.filter((result) => makes.includes(result.makes))
    if (rows.length === 0) continue
    const header = [title, 'MB/s', 'seconds', 'CPU s', 'peak MB', 'x JSON.parse']
    console.log(
      `${alignedTable(
        header,
        rows.map((result) => rowOf(result, yardstick?.seconds)),
      )}\n`,
    )
  }
  for (const line of slower) console.log(`SLOWER: ${line}`)
  if (entry.busyShare <= TOO_BUSY_SHARE) return
  const percent = Math.round(entry.busyShare * 100)
  console.log(`BUSY: other programs used up to ${percent} % of the processor: figures are too low, and not compared`)
}

function rowOf(result: Result, yardstickSeconds: number | undefined): TableRow {
  const { figures } = result
  if (figures === undefined) return { title: result.title, remark: `failed: ${result.failure ?? ''}` }
  const ratio = yardstickSeconds === undefined ? '' : (yardstickSeconds / figures.seconds).toFixed(1)
  return [
    result.title,
    figures.megabytesPerSecond.toFixed(0),
    figures.seconds.toFixed(2),
    figures.cpuSeconds.toFixed(2),
    (figures.peakRssBytes / 1e6).toFixed(0),
    ratio,
  ]
}
