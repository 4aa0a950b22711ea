/** The shape of everything that is measured: one small file each in `rivals/`. */
import type { ColumnSum } from './checksum.ts'

/** What is there at the end; only equal products may be compared. */
export type Product = 'nothing' | 'objects' | 'arrow' | 'ipc' | 'parquet'

/** What a run says about itself, for checking. */
export interface Outcome {
  records?: number
  /** Entries of `fields` over all records, where the rival sees them. */
  answers?: number
  /** Checksums of a table that is only in memory; asked for after the clock has stopped. */
  columns?(): Promise<ColumnSum[]>
}

/** Reads `file` and, if it makes a file, writes `out`. */
export type Run = (file: string, out: string) => Promise<Outcome>

interface RivalFacts {
  /** For `--only`. */
  readonly name: string
  readonly title: string
  readonly makes: Product
  /** What it does not do that alida-arrow does (beside what all lack, see README.md). */
  readonly lacks: string
  readonly isOurs?: boolean
  /** Work that is not counted and done once: compiling, splitting the input. Throws when it cannot be had here. */
  prepare?(file: string): Promise<void>
}

/** Runs in a Node process of its own: `load` imports what it needs (not timed), the function it gives is timed. */
export interface ModuleRival extends RivalFacts {
  load(file: string): Promise<Run>
}

/**
 * Any other program. It prints a `Measurement` as its last line, or, where `isWhole`, is timed from start to exit with
 * its CPU time and memory reported by `usage-at-exit`.
 */
export interface ProgramRival extends RivalFacts {
  command(file: string, out: string): readonly string[]
  readonly isWhole?: boolean
}

export type Rival = ModuleRival | ProgramRival

/** One run. */
export interface Measurement {
  records?: number
  answers?: number
  seconds: number
  /** User and system time. */
  cpuSeconds: number
  peakRssBytes: number
  columns?: ColumnSum[]
}
