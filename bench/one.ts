/** Measures one module rival, once, in this process: `node one.js NAME FILE OUT`; prints a Measurement. */
import type { Measurement } from './rival.ts'
import { rivalNamed } from './rivals/index.ts'
import { cpuSeconds, peakRssBytes } from './usage.ts'

const [name = '', file = '', out = ''] = process.argv.slice(2)
const rival = rivalNamed(name)
if (!('load' in rival)) throw new Error(`${name} is not run in Node`)
const run = await rival.load(file)

const cpu = process.cpuUsage()
const startMs = performance.now()
const outcome = await run(file, out)
const measurement: Measurement = {
  seconds: (performance.now() - startMs) / 1000,
  cpuSeconds: cpuSeconds(cpu),
  peakRssBytes: peakRssBytes(),
}
if (outcome.records !== undefined) measurement.records = outcome.records
if (outcome.answers !== undefined) measurement.answers = outcome.answers
if (outcome.columns !== undefined) measurement.columns = await outcome.columns()
console.log(JSON.stringify(measurement))
