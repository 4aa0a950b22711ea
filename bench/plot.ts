/** `npm run bench:plot`: draws the last full run and the throughput over commits into `docs/`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type HistoryEntry, readHistory, TOO_BUSY_SHARE } from './history.ts'
import { ROOT } from './paths.ts'
import { RIVALS, rivalNamed } from './rivals/index.ts'
import { SHAPES } from './shapes.ts'
import { bar, line, polyline, roundedUp, svg, text } from './svg.ts'

const WIDTH = 860
const LABEL_WIDTH = 400
const BAR_HEIGHT = 18
const BAR_STEP = 26
const OURS = 0
const OTHERS = 4

/** What the history chart follows. */
const FOLLOWED = ['ours-arrow-warm', 'ours-arrow', 'ours-parquet', 'ours-cli', 'json-parse']
const PLOT = { left: 60, top: 60, width: 600, height: 260 }

const { name: shape, records } = SHAPES.typical
const history = readHistory().filter(
  (entry) => entry.shape === shape && entry.records === records && entry.busyShare <= TOO_BUSY_SHARE,
)
const last = history.findLast((entry) => entry.results.length === RIVALS.length)
if (last === undefined)
  throw new Error('expected a full run on the typical shape in history.jsonl: run `npm run bench`')
const sameMachine = history.filter((entry) => entry.machine === last.machine)

const docs = join(ROOT, 'docs')
mkdirSync(docs, { recursive: true })
writeFileSync(join(docs, 'bench-rivals.svg'), rivalsChart(last))
writeFileSync(join(docs, 'bench-history.svg'), historyChart(sameMachine))

function rivalsChart(entry: HistoryEntry): string {
  const groups = [
    { title: 'JSON to Parquet, MB of JSON per second', makes: ['parquet'] },
    { title: 'JSON to Arrow', makes: ['arrow', 'ipc'] },
    { title: 'Only reading the JSON, nothing kept', makes: ['nothing', 'objects'] },
  ]
  const fastest = Math.max(...entry.results.map((result) => result.figures?.megabytesPerSecond ?? 0))
  const scale = (WIDTH - LABEL_WIDTH - 80) / fastest
  const body: string[] = []
  let y = 24
  for (const { title, makes } of groups) {
    body.push(text(12, y, title, 'class="title"'))
    y += 14
    const members = entry.results.filter((result) => makes.includes(result.makes))
    const speedOf = (result: (typeof members)[number]) => result.figures?.megabytesPerSecond ?? 0
    for (const result of members.toSorted((a, b) => speedOf(b) - speedOf(a))) {
      const speed = speedOf(result)
      const isOurs = rivalNamed(result.name).isOurs === true
      body.push(text(LABEL_WIDTH - 8, y + 14, result.title, `text-anchor="end"${isOurs ? ' font-weight="600"' : ''}`))
      body.push(bar(LABEL_WIDTH, y, speed * scale, BAR_HEIGHT, isOurs ? OURS : OTHERS))
      const figure = result.figures === undefined ? 'failed' : speed.toFixed(0)
      body.push(text(LABEL_WIDTH + speed * scale + 6, y + 14, figure))
      y += BAR_STEP
    }
    y += 24
  }
  const note = `${entry.records.toLocaleString('en')} records, ${entry.megabytes.toFixed(0)} MB; ${entry.machine}; Node ${entry.node}; ${entry.commit}, ${entry.date.slice(0, 10)}`
  body.push(text(12, y, note, 'class="faint"'))
  return svg(WIDTH, y + 16, 'Throughput of alida-arrow and of other programs', body)
}

function historyChart(entries: readonly HistoryEntry[]): string {
  const { left, top, width, height } = PLOT
  const speeds = FOLLOWED.map((name) =>
    entries.map((entry) => entry.results.find((result) => result.name === name)?.figures?.megabytesPerSecond),
  )
  const highest = roundedUp(Math.max(...speeds.flat().map((speed) => speed ?? 0)))
  const xOf = (index: number) => left + (entries.length === 1 ? width / 2 : (index * width) / (entries.length - 1))
  const yOf = (speed: number) => top + height - (speed * height) / highest
  const body = [text(12, 28, 'Throughput over commits, MB of JSON per second', 'class="title"')]
  for (let step = 0; step <= 4; step++) {
    const speed = (highest * step) / 4
    body.push(line(left, yOf(speed), left + width, yOf(speed), step === 0 ? 'axis' : 'grid'))
    body.push(text(left - 8, yOf(speed) + 4, speed.toFixed(0), 'text-anchor="end" class="faint"'))
  }
  const every = Math.ceil(entries.length / 8)
  for (const [i, entry] of entries.entries()) {
    if (i % every !== 0 && i !== entries.length - 1) continue
    body.push(text(xOf(i), top + height + 18, entry.commit, 'text-anchor="middle" class="faint"'))
    body.push(text(xOf(i), top + height + 34, entry.date.slice(5, 10), 'text-anchor="middle" class="faint"'))
  }
  for (const [series, name] of FOLLOWED.entries()) {
    const points = (speeds[series] ?? []).flatMap((speed, i) =>
      speed === undefined ? [] : [[xOf(i), yOf(speed)] as const],
    )
    if (points.length === 0) continue
    body.push(polyline(points, series))
    const legendY = top + 8 + series * 20
    body.push(bar(left + width + 24, legendY - 9, 10, 10, series), text(left + width + 40, legendY, name))
  }
  body.push(text(12, top + height + 60, entries[0]?.machine ?? '', 'class="faint"'))
  return svg(WIDTH, top + height + 72, 'Throughput of alida-arrow over commits', body)
}
