/** Preloaded into a Node program that is measured as a whole: leaves its usage in the file `BENCH_USAGE`. */
import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { cpuSeconds, peakRssBytes } from './usage.ts'

const file = process.env.BENCH_USAGE
if (isMainThread && file !== undefined) {
  process.on('exit', () => {
    writeFileSync(file, JSON.stringify({ cpuSeconds: cpuSeconds(), peakRssBytes: peakRssBytes() }))
  })
}
