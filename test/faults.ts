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
  for (const signal of SIGNALS)
    printRow(
      signal,
      results.filter((result) => result.signal === signal),
    )
  console.log('')
  for (const { name } of forms)
    printRow(
      name,
      results.filter((result) => result.form === name),
    )
  printRow('all', results)
  process.exitCode = results.some(({ faults }) => faults.length > 0) ? 1 : 0
}

function printRow(name: string, results: readonly TryResult[]): void {
  const times = results.map(({ milliseconds }) => milliseconds).filter((milliseconds) => milliseconds > 0)
  times.sort((a, b) => a - b)
  const ends = new Map<number | string, number>()
  for (const { end } of results) ends.set(end, (ends.get(end) ?? 0) + 1)
  const facts = [
    `${results.length} tries`,
    `${results.filter(({ output }) => output === 'older').length} older output intact`,
    `${results.filter(({ output }) => output === 'new').length} new output complete`,
    `${results.filter(({ left }) => left > 0).length} left a temporary name`,
    `ended by ${[...ends].map(([end, count]) => `${end} (${count})`).join(', ')}`,
    `gone after ${times[times.length >> 1]?.toFixed(0) ?? '-'} ms (median), ${times.at(-1)?.toFixed(0) ?? '-'} ms (longest)`,
    `${results.filter(({ faults }) => faults.length > 0).length} faults`,
  ]
  console.log(`${name}: ${facts.join('; ')}`)
}

await main()
