/** Gets the rivals on demand: npm packages into `bench/node_modules`, Python packages into `bench/.venv`. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BENCH, PYTHON } from './paths.ts'

const run = promisify(execFile)

/** Installs what `bench/package-lock.json` names, unless that has been done. */
export async function installNpmRivals(): Promise<void> {
  await onceFor(join(BENCH, 'package-lock.json'), join(BENCH, 'node_modules', '.installed'), async () => {
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: BENCH })
  })
}

/** Makes the virtual environment of `bench/requirements.txt`, unless that has been done. */
export async function installPythonRivals(): Promise<void> {
  const requirements = join(BENCH, 'requirements.txt')
  await onceFor(requirements, join(BENCH, '.venv', '.installed'), async () => {
    await run('python3', ['-m', 'venv', join(BENCH, '.venv')])
    await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements])
  })
}

/** Runs a step unless its mark holds the very list that is to be installed. */
async function onceFor(list: string, mark: string, step: () => Promise<void>): Promise<void> {
  const wanted = readFileSync(list, 'utf8')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return
  await step()
  writeFileSync(mark, wanted)
}
