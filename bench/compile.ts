/** The benchmarks and what they measure, as JavaScript: no rival pays for a translation while it runs. */

import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { BENCH, ROOT } from './paths.ts'

/** Needs `dist`, whose kernels are used. */
export function compileBench(): void {
  execFileSync('npx', ['tsc', '--noCheck', '-p', join(BENCH, 'tsconfig.json')], { cwd: ROOT, stdio: 'inherit' })
  for (const kernel of ['decode/kernel/records.wasm', 'sinks/parquet/kernel/pages.wasm']) {
    cpSync(join(ROOT, 'dist', kernel), join(BENCH, '.build', 'src', kernel))
  }
}
