/** Runs one rival in a process of its own, checks what came out, and gives the median of its runs. */
import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ColumnSum, differingColumns } from './checksum.ts'
import type { Tally } from './generate.ts'
import { BUILD, CACHE } from './paths.ts'
import type { Measurement, Rival } from './rival.ts'

const run = promisify(execFile)

export interface Result {
  readonly name: string
  readonly title: string
  readonly makes: string
  /** Why there are no figures. */
  readonly failure?: string
  readonly figures?: Figures
}

/** Medians. */
export interface Figures {
  seconds: number
  cpuSeconds: number
  peakRssBytes: number
  /** Bytes of JSON per second, in MB (10⁶). */
  megabytesPerSecond: number
}

const DIFFERENCES_SHOWN = 2
const LONGEST_MINUTES = 15

/** The runs of one rival so far. The first failure is the last run. */
export class Trial {
  readonly #rival: Rival
  readonly #file: string
  readonly #tally: Tally
  readonly #measurements: Measurement[] = []
  #failure: string | undefined

  constructor(rival: Rival, file: string, tally: Tally) {
    this.#rival = rival
    this.#file = file
    this.#tally = tally
  }

  /** Runs once; the first time, prepares before and checks the result after. */
  async run(): Promise<void> {
    if (this.#failure !== undefined) return
    const { name, makes } = this.#rival
    const out = join(CACHE, `${name}.${makes === 'ipc' ? 'arrow' : 'parquet'}`)
    const isFirst = this.#measurements.length === 0
    try {
      if (isFirst) await this.#rival.prepare?.(this.#file)
      const measurement = await runOnce(this.#rival, this.#file, out)
      if (isFirst) await check(this.#rival, measurement, out, this.#tally)
      this.#measurements.push(measurement)
    } catch (error) {
      this.#failure = reasonOf(error)
    } finally {
      rmSync(out, { force: true })
    }
  }

  result(): Result {
    const { name, title, makes } = this.#rival
    if (this.#failure !== undefined) return { name, title, makes, failure: this.#failure }
    const medianOf = (figure: 'seconds' | 'cpuSeconds' | 'peakRssBytes') =>
      median(this.#measurements.map((measurement) => measurement[figure]))
    const seconds = medianOf('seconds')
    return {
      name,
      title,
      makes,
      figures: {
        seconds,
        cpuSeconds: medianOf('cpuSeconds'),
        peakRssBytes: medianOf('peakRssBytes'),
        megabytesPerSecond: this.#tally.bytes / 1e6 / seconds,
      },
    }
  }
}

async function runOnce(rival: Rival, file: string, out: string): Promise<Measurement> {
  if ('load' in rival) return lastLine(await nodeProgram('one.js', rival.name, file, out))
  const [program = '', ...args] = rival.command(file, out)
  if (rival.isWhole !== true) return lastLine(await output(program, args))
  const usageFile = join(CACHE, `${rival.name}.usage.json`)
  const startMs = performance.now()
  await output(program, args, { BENCH_USAGE: usageFile })
  const seconds = (performance.now() - startMs) / 1000
  return { seconds, ...(JSON.parse(readFileSync(usageFile, 'utf8')) as { cpuSeconds: number; peakRssBytes: number }) }
}

function nodeProgram(script: string, ...args: string[]): Promise<string> {
  return output(process.execPath, [join(BUILD, script), ...args])
}

async function output(program: string, args: readonly string[], environment: object = {}): Promise<string> {
  const { stdout } = await run(program, args, {
    env: { ...process.env, ...environment },
    maxBuffer: 1 << 28,
    timeout: LONGEST_MINUTES * 60_000,
  })
  return stdout
}

function lastLine(stdout: string): Measurement {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Measurement
}

/** @throws Error when the output is not the table, or the counts are not those, that the generator wrote down. */
async function check(rival: Rival, measurement: Measurement, out: string, tally: Tally): Promise<void> {
  for (const count of ['records', 'answers'] as const) {
    const found = measurement[count]
    if (found !== undefined && found !== tally[count]) {
      throw new Error(`wrong result: expected ${tally[count]} ${count}, found ${found}`)
    }
  }
  if (rival.makes === 'nothing' || rival.makes === 'objects') return
  const found = measurement.columns ?? (JSON.parse(await nodeProgram('sums.js', out)) as ColumnSum[])
  const differing = differingColumns(tally.columns, found)
  if (differing.length === 0) return
  const shown = differing.slice(0, DIFFERENCES_SHOWN).join('; ')
  throw new Error(`wrong result: ${differing.length} of ${tally.columns.length} columns differ: ${shown}`)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

function reasonOf(error: unknown): string {
  const { message, stderr } = error as { message?: string; stderr?: string }
  const lines = (stderr?.trim() || message || String(error)).split('\n').map((line) => line.trim())
  return (lines.find((line) => /error/i.test(line)) ?? lines[0] ?? '').slice(0, 160)
}
