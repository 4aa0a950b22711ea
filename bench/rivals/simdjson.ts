import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BENCH, CACHE } from '../paths.ts'
import type { ProgramRival } from '../rival.ts'

const SOURCE = join(BENCH, 'rivals', 'simdjson.cpp')
const LIBRARY = join(BENCH, 'node_modules', '@nozbe', 'simdjson', 'src')
const PROGRAM = join(CACHE, 'simdjson-reader')

export const simdjson: ProgramRival = {
  name: 'simdjson',
  title: 'simdjson 3.9 on-demand (C++), reads every value',
  makes: 'nothing',
  lacks: 'no table; holds the whole document in memory',
  async prepare() {
    if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > statSync(SOURCE).mtimeMs) return
    const library = join(LIBRARY, 'simdjson.cpp')
    await promisify(execFile)('g++', ['-O3', '-std=c++17', `-I${LIBRARY}`, SOURCE, library, '-o', PROGRAM])
  },
  command: (file) => [PROGRAM, file],
}
