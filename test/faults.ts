/**
 * Ends conversions by SIGINT, SIGTERM and SIGKILL at random moments: `npm run faults -- --tries 200 --seed 1`.
 *
 * The moments are evenly spread over the time that the conversion takes when nobody disturbs it. Takes half a gigabyte
 * in the folder for temporary files, unless `--small` leaves out the file that is cut for threads.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FORMS, KillTries, LARGE_FORM, SIGNALS, type TryResult } from './kill-tries.ts'

const INPUT_BYTES = 24 * 2 ** 20

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      tries: { type: 'string', default: '200' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      small: { type: 'boolean', default: false },
    },
  })
  const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-faults-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
  const seed = Number(values.seed)
  const tries = Number(values.tries)
  const forms = values.small ? FORMS : [...FORMS, LARGE_FORM]
  console.log(`seed ${seed}, ${tries} tries`)
  const kills = new KillTries(folder, seed, INPUT_BYTES)
  const results: TryResult[] = []
  for (let i = 0; i < tries; i++) {
    const form = forms[Math.floor(i / SIGNALS.length) % forms.length]
    const signal = SIGNALS[i % SIGNALS.length]
    if (form === undefined || signal === undefined) throw new Error('unreachable: no form or no signal')
    const result = await kills.try(form, signal)
    results.push(result)
    for (const fault of result.faults) console.log(`FAULT ${signal} ${form.name}: ${fault}`)
  }
  await kills.close()
  const rows = (key: 'signal' | 'form', names: readonly string[]) =>
    names.map((name) =>
      row(
        name,
        results.filter((result) => result[key] === name),
      ),
    )
  const bySignal = [...rows('signal', SIGNALS), row('all', results)]
  const byForm = rows(
    'form',
    forms.map(({ name }) => name),
  )
  for (const table of [bySignal, byForm]) {
    console.log(['', HEADER, ...table].join('\n'))
  }
  process.exitCode = results.some(({ faults }) => faults.length > 0) ? 1 : 0
}

const HEADER = `|   | tries | older output intact | new output complete | neither | left a temporary name | ended by | gone after ms: median, longest | faults |
| - | ----- | ------------------- | ------------------- | ------- | --------------------- | -------- | ------------------------------ | ------ |`

function row(name: string, results: readonly TryResult[]): string {
  const times = results.map(({ milliseconds }) => milliseconds).filter((milliseconds) => milliseconds > 0)
  times.sort((a, b) => a - b)
  const ends = new Map<number | string, number>()
  for (const { end } of results) ends.set(end, (ends.get(end) ?? 0) + 1)
  const count = (test: (result: TryResult) => boolean) => results.filter(test).length
  const cells = [
    name,
    results.length,
    count(({ output }) => output === 'older'),
    count(({ output }) => output === 'new'),
    count(({ output }) => output === 'broken'),
    count(({ left }) => left > 0),
    [...ends].map(([end, times]) => `${end} (${times})`).join(', '),
    `${times[times.length >> 1]?.toFixed(0) ?? '-'}, ${times.at(-1)?.toFixed(0) ?? '-'}`,
    count(({ faults }) => faults.length > 0),
  ]
  return `| ${cells.join(' | ')} |`
}

await main()
