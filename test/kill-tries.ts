/**
 * A conversion that is ended by a signal at a random moment, over and over: what stands at the output's path then, what
 * else is left beside it, and how long the process took to go. Used by `faults.ts` and, for some tries, by a test.
 */

import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Random } from '../fixtures/random.ts'
import { BIN } from './cli.ts'
import { API_KEY, BATCH_ID, COMMUNITY } from './fake-alida/api.ts'
import { FakeAlida } from './fake-alida/fake-alida.ts'
import { GIVEN_TOKEN } from './fake-alida/test-client.ts'
import { surveyJson } from './survey.ts'

export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGKILL'] as const

export type Signal = (typeof SIGNALS)[number]

/** A way to convert: which input, to which output. */
export interface Form {
  readonly name: string
  readonly input: 'plain' | 'large' | 'gzip' | 'records-first'
  readonly isStdin?: boolean
  /** From the API, which a server of the test plays. */
  readonly isFetched?: boolean
  readonly output: string
  readonly args?: readonly string[]
}

const TWO_THREADS = ['--threads', '2']

export const FORMS: readonly Form[] = [
  { name: 'Parquet', input: 'plain', output: 'out.parquet' },
  { name: 'Parquet, gzip', input: 'gzip', output: 'out.parquet' },
  {
    name: 'Parquet, standard input, 2 threads',
    input: 'plain',
    isStdin: true,
    output: 'out.parquet',
    args: TWO_THREADS,
  },
  { name: 'Parquet, records first, spooled', input: 'records-first', isStdin: true, output: 'out.parquet' },
  { name: 'Arrow file', input: 'plain', output: 'out.arrow' },
  { name: 'Arrow stream', input: 'plain', output: 'out.arrows' },
  { name: 'Parquet, fetched', input: 'plain', isFetched: true, output: 'out.parquet' },
  { name: 'star folder', input: 'plain', output: 'star', args: ['--layout', 'star'] },
]

/** Of more than 512 MiB, from where on a file is cut for threads. */
export const LARGE_FORM: Form = { name: 'Parquet, 2 threads', input: 'large', output: 'out.parquet', args: TWO_THREADS }

export interface TryResult {
  readonly form: string
  readonly signal: Signal
  readonly output: 'older' | 'new' | 'broken'
  /** Exit code, or the signal that ended the process. */
  readonly end: number | string
  /** Entries beside the output. */
  readonly left: number
  /** From the signal on. */
  readonly milliseconds: number
  /** What must not be. */
  readonly faults: readonly string[]
}

const TEMPORARY_NAME = /^\.(out\.\w+|star)\.\d+-[\da-f]{8}-[\da-f]{8}\.alida-arrow-partial$/

/** Runs that take longer than this hang. */
const HANG_MS = 60_000

export class KillTries {
  readonly #folder: string
  readonly #random: Random
  readonly #inputs: Record<Form['input'], string>
  /** Per form: what a run gives that nobody disturbs, and how long it takes. */
  readonly #undisturbed = new Map<string, { output: ReadonlyMap<string, Buffer>; milliseconds: number }>()
  #fake: FakeAlida | undefined
  #tries = 0

  /** `folder` is for all files; `inputBytes` is about the size of the small inputs. */
  constructor(folder: string, seed: number, inputBytes: number) {
    this.#folder = folder
    this.#random = new Random(seed)
    const name = (input: string) => join(folder, `${input}.json`)
    this.#inputs = {
      plain: name('plain'),
      large: name('large'),
      gzip: name('gzip'),
      'records-first': name('records-first'),
    }
    writeExport(this.#inputs.plain, inputBytes)
    writeExport(this.#inputs['records-first'], inputBytes, true)
    writeFileSync(this.#inputs.gzip, gzipSync(readFileSync(this.#inputs.plain), { level: 1 }))
    writeFileSync(join(folder, 'small.json'), surveyJson(3))
  }

  async try(form: Form, signal: Signal): Promise<TryResult> {
    const undisturbed = this.#undisturbed.get(form.name) ?? (await this.#runUndisturbed(form))
    const { folder, temporary } = this.#newFolders()
    const older = olderOutput(join(folder, form.output), form, undisturbed.output)
    const delayMs = this.#random.unit() * undisturbed.milliseconds * 1.05
    const { end, milliseconds, stderr } = await this.#run(form, folder, temporary, { signal, delayMs })
    const found = filesAt(join(folder, form.output))
    const output = isSame(found, older) ? 'older' : isSame(found, undisturbed.output) ? 'new' : 'broken'
    const beside = [...readdirSync(folder).filter((name) => name !== form.output), ...readdirSync(temporary)]
    const faults: string[] = []
    if (output === 'broken') faults.push(`neither the older nor the new output: ${[...found.keys()]}`)
    if (output === 'older' && end === 0) faults.push('exit code 0, and the older output')
    if (!expectedEnds(signal).includes(end)) faults.push(`ended by ${end}: ${stderr}`)
    if (/\n\s+at /.test(stderr)) faults.push(`a stack trace: ${stderr}`)
    if (signal !== 'SIGKILL' && beside.length > 0) faults.push(`left: ${beside}`)
    if (beside.length > 1 || beside.some((name) => !TEMPORARY_NAME.test(name))) faults.push(`left: ${beside}`)
    if (beside.length > 0) faults.push(...(await this.#faultsOfNextRun(form, folder, temporary)))
    rmSync(folder, { recursive: true })
    rmSync(temporary, { recursive: true })
    return { form: form.name, signal, output, end, left: beside.length, milliseconds, faults }
  }

  async close(): Promise<void> {
    await this.#fake?.close()
  }

  #newFolders(): { folder: string; temporary: string } {
    const folder = join(this.#folder, `try-${++this.#tries}`)
    const temporary = `${folder}-tmp`
    mkdirSync(folder)
    mkdirSync(temporary)
    return { folder, temporary }
  }

  async #runUndisturbed(form: Form) {
    if (form.input === 'large') writeExportOnce(this.#inputs.large, LARGE_BYTES)
    const { folder, temporary } = this.#newFolders()
    const started = performance.now()
    const { end, stderr } = await this.#run(form, folder, temporary)
    const milliseconds = performance.now() - started
    if (end !== 0) throw new Error(`${form.name}: expected exit code 0, found ${end}: ${stderr}`)
    const undisturbed = { output: filesAt(join(folder, form.output)), milliseconds }
    this.#undisturbed.set(form.name, undisturbed)
    rmSync(folder, { recursive: true })
    rmSync(temporary, { recursive: true })
    return undisturbed
  }

  /** The next run, of a small export, must leave nothing but its output. */
  async #faultsOfNextRun(form: Form, folder: string, temporary: string): Promise<string[]> {
    const small = { ...form, isStdin: false, isFetched: false }
    const { end, stderr } = await this.#run(small, folder, temporary, undefined, join(this.#folder, 'small.json'))
    const beside = readdirSync(folder).filter((name) => name !== form.output)
    const faults = end === 0 ? [] : [`the next run ended by ${end}: ${stderr}`]
    if (beside.length > 0) faults.push(`left by the next run: ${beside}`)
    return faults
  }

  async #startFake(): Promise<FakeAlida> {
    this.#fake ??= await FakeAlida.start()
    this.#fake.file.bytes = readFileSync(this.#inputs.plain)
    return this.#fake
  }

  async #run(
    { input, isStdin, isFetched, output, args = [] }: Form,
    folder: string,
    temporary: string,
    kill?: { signal: Signal; delayMs: number },
    path: string = this.#inputs[input],
  ): Promise<{ end: number | string; milliseconds: number; stderr: string }> {
    const stdin = isStdin === true ? openSync(path, 'r') : undefined
    const fake = isFetched === true ? await this.#startFake() : undefined
    const source = fake === undefined ? ['convert', stdin === undefined ? path : '-'] : ['fetch', '--batch', BATCH_ID]
    const child = spawn(process.execPath, [BIN, ...source, '-o', join(folder, output), '-q', ...args], {
      stdio: [stdin ?? 'ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...settings(fake), TMPDIR: temporary },
      timeout: HANG_MS,
      killSignal: 'SIGABRT',
    })
    if (stdin !== undefined) closeSync(stdin)
    let stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk
    })
    let killed = 0
    const timer = setTimeout(() => {
      killed = performance.now()
      if (kill !== undefined) child.kill(kill.signal)
    }, kill?.delayMs ?? HANG_MS)
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => {
        clearTimeout(timer)
        const milliseconds = killed === 0 ? 0 : performance.now() - killed
        resolve({ end: code ?? signal ?? 'unknown', milliseconds, stderr })
      })
    })
  }
}

function settings(fake: FakeAlida | undefined): Record<string, string> {
  if (fake === undefined) return {}
  return {
    ALIDA_BASE_URL: fake.apiOrigin,
    ALIDA_COMMUNITY: COMMUNITY,
    ALIDA_TOKEN: GIVEN_TOKEN,
    ALIDA_API_KEY: API_KEY,
  }
}

/** A process that listens to signals only after it has started is ended by the system before. */
function expectedEnds(signal: Signal): readonly (number | string)[] {
  return signal === 'SIGKILL' ? [0, signal] : [0, signal === 'SIGINT' ? 130 : 143, signal]
}

function olderOutput(path: string, { output }: Form, names: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> {
  if (output === 'star') mkdirSync(path)
  for (const name of names.keys()) writeFileSync(join(path, name), `the older output: ${name}`)
  return filesAt(path)
}

/** Contents by name; a file's own name is empty. */
function filesAt(path: string): ReadonlyMap<string, Buffer> {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return new Map()
  const names = stats.isDirectory() ? readdirSync(path) : ['']
  return new Map(names.map((name) => [name, readFileSync(join(path, name))]))
}

function isSame(found: ReadonlyMap<string, Buffer>, expected: ReadonlyMap<string, Buffer>): boolean {
  if (found.size !== expected.size) return false
  return [...expected].every(([name, bytes]) => found.get(name)?.equals(bytes))
}

const LARGE_BYTES = 540 * 2 ** 20

const REPEATED_RECORDS = 2000

function writeExportOnce(path: string, bytes: number): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) writeExport(path, bytes)
}

/** The same records over and over, until the file is that large. */
function writeExport(path: string, bytes: number, recordsFirst = false): void {
  const [head, tail] = surveyJson(0, { recordsFirst }).toString().split('"records":[]') as [string, string]
  const records = surveyJson(REPEATED_RECORDS, { recordsFirst: true }).toString()
  const start = records.indexOf('[') + 1
  const block = Buffer.from(`${records.slice(start, records.lastIndexOf('],"definition"'))},`)
  const file = openSync(path, 'w')
  writeFileSync(file, `${head}"records":[`)
  for (let written = 0; written < bytes; written += block.length) writeFileSync(file, block)
  writeFileSync(file, `${block.subarray(0, -1)}]${tail}`)
  closeSync(file)
}
