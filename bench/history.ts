/** `history.jsonl`: one line a benchmark run, for the plot and for noticing that something got slower. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineName } from './machine.ts'
import type { Result } from './measure.ts'
import { BENCH, ROOT } from './paths.ts'
import { rivalNamed } from './rivals/index.ts'

export interface HistoryEntry {
  readonly date: string
  readonly commit: string
  /** The work tree had changes that the commit does not hold. */
  readonly isDirty: boolean
  readonly machine: string
  /** Share of the processor (0 to 1) that other programs used between the runs. */
  readonly busyShare: number
  readonly node: string
  readonly shape: string
  readonly records: number
  readonly megabytes: number
  readonly runs: number
  readonly results: readonly Result[]
}

export const HISTORY_FILE = join(BENCH, 'history.jsonl')

const REGRESSION_SHARE = 0.1

/** A run beside other work says nothing about ours. */
export const TOO_BUSY_SHARE = 0.15

export function readHistory(): HistoryEntry[] {
  if (!existsSync(HISTORY_FILE)) return []
  const lines = readFileSync(HISTORY_FILE, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as HistoryEntry)
}

export function appendHistory(entry: HistoryEntry): void {
  appendFileSync(HISTORY_FILE, `${JSON.stringify(entry)}\n`)
}

export function newEntry(facts: Omit<HistoryEntry, 'date' | 'commit' | 'isDirty' | 'machine' | 'node'>): HistoryEntry {
  return {
    date: new Date().toISOString().slice(0, 19).concat('Z'),
    commit: git('rev-parse', '--short', 'HEAD'),
    isDirty: git('status', '--porcelain', '--', 'src', 'bench', 'package.json') !== '',
    machine: machineName(),
    node: process.version,
    ...facts,
  }
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

/** Our own figures that fell by more than 10 % against the last comparable run of this machine; none when it was busy. */
export function regressions(entry: HistoryEntry, history: readonly HistoryEntry[]): string[] {
  if (entry.busyShare > TOO_BUSY_SHARE) return []
  const comparable = history.filter(
    (past) =>
      past.busyShare <= TOO_BUSY_SHARE &&
      past.machine === entry.machine &&
      past.node === entry.node &&
      past.shape === entry.shape &&
      past.records === entry.records,
  )
  return entry.results.flatMap((result) => {
    const now = result.figures?.megabytesPerSecond
    if (now === undefined || rivalNamed(result.name).isOurs !== true) return []
    for (const past of comparable.toReversed()) {
      const before = past.results.find(({ name }) => name === result.name)?.figures?.megabytesPerSecond
      if (before === undefined) continue
      if (now >= before * (1 - REGRESSION_SHARE)) return []
      const share = Math.round((1 - now / before) * 100)
      return [
        `${result.name}: ${now.toFixed(0)} MB/s, ${share} % less than ${before.toFixed(0)} MB/s at ${past.commit} (${past.date})`,
      ]
    }
    return []
  })
}
