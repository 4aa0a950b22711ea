/**
 * The differential test for as long as one likes: `npm run fuzz -- --minutes 30 --seed 1 --jobs 2`.
 *
 * Each job is a process of its own, so that a hang or a crash of one input is found too. What fails is written to
 * `fixtures/found/`, with the seed and how it was read.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type FuzzInput, fuzzInputs, resultOf } from './fuzz-input.ts'

const FOUND = fileURLToPath(new URL('../fixtures/found/', import.meta.url))

/** An input takes milliseconds; one that takes this long will never end. */
const HANG_MS = 30_000

/** Most bytes a job may hold: its heap is small, so that unbounded memory shows as a crash. */
const HEAP_MIB = 512

interface Progress {
  tried: number
  refused: number
  seed: number
}

interface Failure {
  reason: string
  input: FuzzInput
}

type Report = { progress: Progress } | { failure: Failure }

function main(): void {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      jobs: { type: 'string', default: '2' },
      child: { type: 'string' },
    },
  })
  const seed = Number(values.seed)
  const end = Date.now() + Number(values.minutes) * 60_000
  if (values.child !== undefined) void runJob(seed, end, values.child)
  else new Fuzzing(Number(values.jobs), end).run(seed)
}

/** One job: tries seed after seed; leaves the input of the moment in a file, where it survives a hang. */
async function runJob(firstSeed: number, end: number, folder: string): Promise<void> {
  let [tried, refused] = [0, 0]
  for (let seed = firstSeed; Date.now() < end; seed++) {
    for (const input of fuzzInputs(seed)) {
      // Whole at any moment: this process may be killed.
      writeFileSync(join(folder, 'next.json'), inputText(input))
      renameSync(join(folder, 'next.json'), join(folder, 'input.json'))
      const { failure, isRefused } = await resultOf(input)
      tried++
      if (isRefused) refused++
      if (failure !== undefined) send({ failure: { reason: failure, input } })
    }
    send({ progress: { tried, refused, seed } })
  }
  process.disconnect()
}

function send(report: Report): void {
  process.send?.(
    'failure' in report ? { failure: { ...report.failure, input: inputText(report.failure.input) } } : report,
  )
}

function inputText(input: FuzzInput): string {
  return JSON.stringify({ ...input, bytes: Buffer.from(input.bytes).toString('base64') })
}

class Fuzzing {
  readonly #end: number
  readonly #jobs: number
  readonly #started = Date.now()
  readonly #reasons = new Map<string, number>()
  readonly #totals = new Map<number, Progress>()

  constructor(jobs: number, end: number) {
    this.#jobs = jobs
    this.#end = end
  }

  run(seed: number): void {
    console.log(`seed ${seed}, ${this.#jobs} jobs, until ${new Date(this.#end).toISOString()}`)
    for (let job = 0; job < this.#jobs; job++) this.#start(job, seed + job * 1_000_000)
    const ticker = setInterval(() => this.#print(), 30_000)
    process.on('exit', () => {
      clearInterval(ticker)
      this.#print()
      for (const [reason, count] of this.#reasons) console.log(`${count} x ${reason}`)
      if (this.#reasons.size > 0) process.exitCode = 1
    })
    setTimeout(() => clearInterval(ticker), this.#end - Date.now()).unref()
    ticker.unref()
  }

  #start(job: number, seed: number): void {
    const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-fuzz-'))
    const minutes = String((this.#end - Date.now()) / 60_000)
    const child = fork(
      fileURLToPath(import.meta.url),
      ['--child', folder, '--seed', String(seed), '--minutes', minutes],
      {
        execArgv: [...process.execArgv, `--max-old-space-size=${HEAP_MIB}`],
      },
    )
    let lastSeed = seed
    let timer = this.#watch(child)
    const before = this.#totals.get(job)
    child.on('message', (message) => {
      clearTimeout(timer)
      timer = this.#watch(child)
      const report = message as Report
      if ('failure' in report) return this.#found(report.failure.reason, String(report.failure.input))
      lastSeed = report.progress.seed
      this.#totals.set(job, {
        tried: report.progress.tried + (before?.tried ?? 0),
        refused: report.progress.refused + (before?.refused ?? 0),
        seed: lastSeed,
      })
    })
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      const last = join(folder, 'input.json')
      const ended = code === 0 && signal === null
      if (!ended && existsSync(last)) {
        this.#found(signal === 'SIGKILL' ? 'hang' : `crash (exit ${code ?? signal})`, readFileSync(last, 'utf8'))
      }
      rmSync(folder, { recursive: true })
      if (!ended && Date.now() < this.#end) this.#start(job, lastSeed + 2)
    })
  }

  #watch(child: ChildProcess): NodeJS.Timeout {
    return setTimeout(() => child.kill('SIGKILL'), HANG_MS)
  }

  #found(reason: string, input: string): void {
    const kind = reason.split('\n')[0]?.replace(/\d+/g, 'N').slice(0, 160) ?? ''
    const count = (this.#reasons.get(kind) ?? 0) + 1
    this.#reasons.set(kind, count)
    if (count > 1) return
    const { bytes, ...how } = JSON.parse(input) as { bytes: string }
    const document = Buffer.from(bytes, 'base64')
    const name = createHash('sha256').update(document).digest('hex').slice(0, 12)
    mkdirSync(FOUND, { recursive: true })
    writeFileSync(join(FOUND, `${name}.bin`), document)
    writeFileSync(join(FOUND, `${name}.how.json`), `${JSON.stringify({ reason: kind, ...how }, null, 2)}\n`)
    console.log(`fixtures/found/${name}.bin: ${reason.slice(0, 1500)}`)
  }

  #print(): void {
    const all = [...this.#totals.values()]
    const sum = (pick: (progress: Progress) => number) => all.reduce((total, progress) => total + pick(progress), 0)
    const minutes = ((Date.now() - this.#started) / 60_000).toFixed(1)
    const failures = [...this.#reasons.values()].reduce((total, count) => total + count, 0)
    console.log(
      `${minutes} min: ${sum((p) => p.tried)} inputs, ${sum((p) => p.refused)} of them refused, ${failures} failures of ${this.#reasons.size} kinds`,
    )
  }
}

main()
