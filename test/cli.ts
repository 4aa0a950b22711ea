/** Runs the built command line in a process of its own. `npm test` builds it first. */

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))

export interface CliResult {
  /** Exit code; null when a signal ended the process. */
  code: number | null
  stdout: Buffer
  stderr: string
}

export interface CliOptions extends Pick<SpawnOptions, 'cwd' | 'uid' | 'gid'> {
  env?: Record<string, string | undefined>
  /** Options of Node itself. */
  nodeArgs?: readonly string[]
  /** What standard input gives; it stays open when `isStdinOpen` is set. */
  stdin?: Uint8Array
  isStdinOpen?: boolean
  /** Files that standard input, output and error are, as `<`, `>` and `2>` in a shell have it. */
  stdinFile?: string
  stdoutFile?: string
  stderrFile?: string
  /** Called with the running process. */
  watch?: (child: ChildProcess) => void
}

/** What the command loads from outside to write Parquet. */
const LOADED = ['parquet-wasm'].map((name) => `node_modules/${name}`)

/** Runs the command as another user, from a copy: a clone may be for its owner's eyes alone. */
async function runCopy(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-command-'))
  try {
    chmodSync(folder, 0o755)
    for (const path of ['dist', 'package.json', ...LOADED]) {
      cpSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), join(folder, path), { recursive: true })
    }
    return await run(join(folder, 'dist/bin.js'), args, options)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A process that takes longer hangs, and is killed. */
const LONGEST_RUN_MS = 30_000

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  if (!existsSync(BIN)) throw new Error(`expected ${BIN}: run npm run build first`)
  return options.uid === undefined ? run(BIN, args, options) : runCopy(args, options)
}

function run(bin: string, args: readonly string[], options: CliOptions): Promise<CliResult> {
  const { env, nodeArgs = [], stdin, isStdinOpen, stdinFile, stdoutFile, stderrFile, watch, ...spawnOptions } = options
  const child = spawn(process.execPath, [...nodeArgs, bin, ...args], {
    ...spawnOptions,
    env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
    stdio: [openFile(stdinFile, 'r'), openFile(stdoutFile, 'w'), openFile(stderrFile, 'w')],
    timeout: LONGEST_RUN_MS,
    killSignal: 'SIGKILL',
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin?.on('error', () => undefined)
  if (stdin !== undefined) child.stdin?.write(stdin)
  if (isStdinOpen !== true) child.stdin?.end()
  watch?.(child)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    )
  })
}

function openFile(path: string | undefined, flags: string): number | 'pipe' {
  return path === undefined ? 'pipe' : openSync(path, flags)
}
