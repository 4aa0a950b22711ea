/** Where things are: sources run from `bench/`, compiled code from `bench/.build/`, both find the same folders. */
import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's top folder. */
export const ROOT = rootAbove(dirname(fileURLToPath(import.meta.url)))

export const BENCH = join(ROOT, 'bench')

/** Compiled benchmark code, so that no measured process pays for a TypeScript loader. */
export const BUILD = join(BENCH, '.build', 'bench')

/** Python of the virtual environment that is made on demand. */
export const PYTHON = join(BENCH, '.venv', 'bin', 'python')

/** Generated inputs and outputs, outside the repository. */
export const CACHE = join(tmpdir(), 'alida-arrow-bench')
mkdirSync(CACHE, { recursive: true })

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'tsconfig.build.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('expected to run inside the repository of alida-arrow')
  return rootAbove(parent)
}
