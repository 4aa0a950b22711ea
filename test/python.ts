/**
 * Readers that only Python has (pandas, pyarrow, polars), for tests. The interpreter is `ALIDA_ARROW_PYTHON`, or that of
 * `.venv`; `python3 -m venv .venv && .venv/bin/pip install -r test/requirements.txt` makes it.
 */

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const VENV_PYTHON = fileURLToPath(new URL('../.venv/bin/python', import.meta.url))

/** Path of the interpreter, if there is one. */
export function pythonPath(): string | undefined {
  return process.env.ALIDA_ARROW_PYTHON ?? (existsSync(VENV_PYTHON) ? VENV_PYTHON : undefined)
}

/** A `describe` for tests that call `runPython`: skipped aloud without Python, failed when `CI` is set. */
export function describeWithPython(name: string, tests: () => void): void {
  if (pythonPath() !== undefined) {
    describe(name, tests)
  } else if (process.env.CI) {
    test(`${name}: Python is there`, () => expect(pythonPath(), 'set ALIDA_ARROW_PYTHON or make .venv').toBeDefined())
  } else {
    console.warn(`SKIPPED: ${name} (no Python: set ALIDA_ARROW_PYTHON or make .venv)`)
    describe.skip(name, tests)
  }
}

/** Printing turns what JSON lacks into text: dates and times as ISO 8601. */
const PRELUDE = `
import json, sys
path = sys.argv[1]
def show(value):
    print(json.dumps(value, default=lambda x: x.isoformat() if hasattr(x, 'isoformat') else x.tolist() if hasattr(x, 'tolist') else str(x)))
`

/** Runs a script that finds its file as `path` and hands its result to `show(…)`, once; gives that result. */
export function runPython(script: string, path: string): unknown {
  const python = pythonPath()
  if (python === undefined) throw new Error('expected Python: set ALIDA_ARROW_PYTHON or make .venv')
  const output = execFileSync(python, ['-c', PRELUDE + script, path], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  return JSON.parse(output)
}
