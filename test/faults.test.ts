/** What the system may do to a conversion: what it says then, and what is left. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliOptions, type CliResult, runCli } from './cli.ts'
import { FORMS, KillTries, SIGNALS } from './kill-tries.ts'
import { surveyJson } from './survey.ts'

/** More than a pipe holds, and than the small disk does. */
const RECORDS = 8000

const root = mkdtempSync(join(tmpdir(), 'alida-arrow-faults-'))
chmodSync(root, 0o755)
const INPUT = join(root, 'in.json')
const RECORDS_FIRST = join(root, 'records-first.json')

beforeAll(() => {
  writeFileSync(INPUT, surveyJson(RECORDS))
  writeFileSync(RECORDS_FIRST, surveyJson(RECORDS, { recordsFirst: true }))
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

function newFolder(): string {
  const folder = mkdtempSync(join(root, 'x'))
  chmodSync(folder, 0o777)
  return folder
}

const isRoot = process.getuid?.() === 0

/** Expects one line, and a certain exit code. */
function expectLine({ code, stderr }: CliResult, line: RegExp, expected = 1): void {
  expect(stderr).toMatch(/^alida-arrow: [^\n]+\n$/)
  expect(stderr).toMatch(line)
  expect(code).toBe(expected)
}

interface Output {
  name: string
  args?: string[]
}

const OUTPUTS: readonly Output[] = [
  { name: 'out.parquet' },
  { name: 'out.arrow' },
  { name: 'out.arrows' },
  { name: 'star', args: ['--layout', 'star'] },
]

function makeOlder(folder: string, { name }: Output): void {
  if (name === 'star') mkdirSync(join(folder, name))
  writeFileSync(join(folder, name, name === 'star' ? 'answers.parquet' : ''), 'older')
}

function expectOlder(folder: string, { name }: Output): void {
  expect(readdirSync(folder)).toEqual([name])
  expect(readFileSync(join(folder, name, name === 'star' ? 'answers.parquet' : ''), 'utf8')).toBe('older')
}

const DISK = join(root, 'disk')

/** A file system of that size; undefined where this machine does not let us have one. */
function mountDisk(): boolean {
  mkdirSync(DISK, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k,mode=1777', 'tmpfs', DISK], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const hasDisk = isRoot && process.platform === 'linux' && mountDisk()
afterAll(() => {
  if (hasDisk) execFileSync('umount', [DISK])
})

describe.runIf(hasDisk)('what is mounted by itself (needs root, to mount it)', () => {
  test.each([
    ['a file', 'o ut.parquet', [], 'mount the folder that it is in'],
    ['a star folder', 'star', ['--layout', 'star'], 'choose a folder inside of it'],
  ])('%s is refused before the input is read, and stays as it was', async (_name, name, args, advice) => {
    const folder = newFolder()
    const [place, older] = [join(folder, name), join(folder, `older-${name}`)]
    for (const path of [place, older]) args.length === 0 ? writeFileSync(path, 'older') : mkdirSync(path)
    execFileSync('mount', ['--bind', older, place])
    try {
      const result = await runCli(['convert', join(folder, 'nowhere.json'), '-o', place, '-q', ...args])
      expectLine(result, new RegExp(`mounted by itself and cannot be replaced; ${advice}`))
      expect(readdirSync(folder).sort()).toEqual([`older-${name}`, name].sort())
      if (args.length === 0) expect(readFileSync(place, 'utf8')).toBe('older')
    } finally {
      execFileSync('umount', [place])
    }
  })
})

describe.runIf(hasDisk)('a full disk (needs root, to mount one)', () => {
  test.each(OUTPUTS)('is an error of the output: $name', async (output) => {
    const folder = mkdtempSync(join(DISK, 'x'))
    makeOlder(folder, output)
    const path = join(folder, output.name)
    const args = ['convert', INPUT, '-o', path, '--compression', 'none', ...(output.args ?? [])]
    expectLine(await runCli(args), new RegExp(`cannot write ${path}[^ ]*: the disk is full`))
    expectOlder(folder, output)
  })

  test('is an error of a stream that two threads convert', async () => {
    const folder = mkdtempSync(join(DISK, 'x'))
    const args = ['convert', '-', '-o', join(folder, 'out.parquet'), '--compression', 'none', '--threads', '2']
    expectLine(await runCli(args, { stdinFile: INPUT }), /the disk is full/)
    expect(readdirSync(folder)).toEqual([])
  })

  test('is an error of what must be kept meanwhile, and says how to help oneself', async () => {
    const [folder, temporary] = [newFolder(), mkdtempSync(join(DISK, 'x'))]
    const options = { stdinFile: RECORDS_FIRST, env: { TMPDIR: temporary } }
    const result = await runCli(['convert', '-', '-o', join(folder, 'out.parquet')], options)
    expectLine(result, /keeping them in .* the disk is full; set TMPDIR to a folder with enough room/)
    expect([...readdirSync(folder), ...readdirSync(temporary)]).toEqual([])
  })
})

describe.runIf(existsSync('/dev/full'))('standard output on a full device is an error', () => {
  test.each([
    ['convert', INPUT, '-o', '-'],
    ['inspect', INPUT],
    ['codebook', INPUT, '-o', '-', '--format', 'csv'],
    ['convert', INPUT, '-o', join(root, 'full.parquet'), '--json'],
    ['--help'],
    ['--version'],
  ])('%s %s', async (...args) => {
    const { code, stderr } = await runCli(args, { stdoutFile: '/dev/full' })
    expect(code).toBe(1)
    expect(stderr).toMatch(/: the disk is full"?[^\n]*\n$/)
  })

  test('but not standard error, where that would be said', async () => {
    const path = join(newFolder(), 'out.parquet')
    expect(await runCli(['convert', INPUT, '-o', path], { stderrFile: '/dev/full' })).toMatchObject({ code: 0 })
    expect(readFileSync(path).subarray(0, 4).toString()).toBe('PAR1')
  })
})

test('a file that grows beyond what the system allows is an error', async () => {
  const folder = newFolder()
  makeOlder(folder, { name: 'out.arrow' })
  const command = ['-c', 'ulimit -f 100; exec "$0" "$@"', process.execPath, 'dist/bin.js']
  const run = () =>
    execFileSync('bash', [...command, 'convert', INPUT, '-o', join(folder, 'out.arrow')], { stdio: 'pipe' })
  expect(run).toThrow(/larger than the system allows/)
  expectOlder(folder, { name: 'out.arrow' })
})

const FILE_AND_FOLDER = OUTPUTS.filter(({ name }) => ['out.parquet', 'star'].includes(name))

describe.each(FILE_AND_FOLDER)('what happens to the folder while $name is written:', ({ name, args = [] }) => {
  const bytes = surveyJson(RECORDS)

  /** Changes the folder when the conversion has begun to write into it. */
  async function changed(change: (folder: string) => void, options: CliOptions = {}) {
    const folder = join(newFolder(), 'folder')
    mkdirSync(folder)
    chmodSync(folder, 0o777)
    const result = await runCli(['convert', '-', '-o', join(folder, name), ...args], {
      ...options,
      stdin: bytes.subarray(0, 3e6),
      isStdinOpen: true,
      watch: async (child) => {
        while (readdirSync(folder).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
        change(folder)
        child.stdin?.end(bytes.subarray(3e6))
      },
    })
    return { folder, result }
  }

  test('it is removed', async () => {
    const { folder, result } = await changed((folder) => rmSync(folder, { recursive: true }))
    expectLine(result, /no such folder/)
    expect(existsSync(folder)).toBe(false)
  })

  test('it is made anew', async () => {
    const { folder, result } = await changed((folder) => {
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
    })
    expectLine(result, /its temporary file was removed|no such folder/)
    expect(readdirSync(folder)).toEqual([])
  })

  test('its permission is lost, and what cannot be removed then is removed by the next run', async () => {
    const user = isRoot ? { uid: 65534, gid: 65534 } : {}
    const { folder, result } = await changed((folder) => chmodSync(folder, 0o555), user)
    expectLine(result, /no permission/)
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.(out|star)\..*\.alida-arrow-partial$/)])
    chmodSync(folder, 0o777)
    await runCli(['convert', '-', '-o', join(folder, name), ...args], { ...user, stdin: surveyJson(3) })
    expect(readdirSync(folder)).toEqual([name])
  })
})

describe.concurrent('a reader that does not read', () => {
  const signals = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const

  /** Waits until a process listens to SIGINT, then a little longer; a signal before that would simply end it. */
  async function untilListening({ pid }: ChildProcess): Promise<void> {
    const status = `/proc/${pid}/status`
    const caught = () =>
      Number.parseInt(/SigCgt:\s*(\w+)/.exec(readFileSync(status, 'utf8'))?.[1]?.slice(-8) ?? '0', 16)
    if (existsSync(status)) while ((caught() & 2) === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }

  test.for(signals)(
    'of standard output does not keep %s from ending the process',
    async ([signal, code], { expect }) => {
      const result = await runCli(['convert', INPUT, '-o', '-', '--format', 'arrows'], {
        watch: (child) => {
          // Nothing is read of standard output before the signal.
          child.stdout?.removeAllListeners('data').pause()
          void untilListening(child).then(() => child.kill(signal))
        },
      })
      expect(result).toMatchObject({ code, stderr: 'alida-arrow: interrupted before it was done\n' })
    },
  )

  test.for([false, true])(
    'of a named pipe does not keep SIGINT from it (it is open: %s)',
    async (isOpen, { expect }) => {
      const path = join(newFolder(), 'pipe')
      execFileSync('mkfifo', [path])
      if (isOpen) openSync(path, constants.O_RDWR)
      const result = await runCli(['convert', INPUT, '-o', path, '--format', 'arrows'], {
        watch: (child) => void untilListening(child).then(() => child.kill('SIGINT')),
      })
      expect(result).toMatchObject({ code: 130, stderr: 'alida-arrow: interrupted before it was done\n' })
    },
  )

  test('of a named pipe gets everything when it begins to', async ({ expect }) => {
    const [path, file] = [join(newFolder(), 'pipe'), join(newFolder(), 'out.arrows')]
    execFileSync('mkfifo', [path])
    const [result] = await Promise.all([
      runCli(['convert', INPUT, '-o', path, '--format', 'arrows', '-q']),
      new Promise((resolve) => setTimeout(resolve, 500)).then(() => readPipe(path, file)),
    ])
    expect(result).toMatchObject({ code: 0, stderr: '' })
    await runCli(['convert', INPUT, '-o', `${file}.expected`, '--format', 'arrows'])
    expect(readFileSync(file).equals(readFileSync(`${file}.expected`))).toBe(true)
  })

  async function readPipe(path: string, file: string): Promise<void> {
    const child = spawn('cp', [path, file])
    await new Promise((resolve) => child.on('close', resolve))
  }

  test('of a named pipe that goes away is no error to talk about', async ({ expect }) => {
    const path = join(newFolder(), 'pipe')
    execFileSync('mkfifo', [path])
    spawn('head', ['-c', '10', path])
    const result = await runCli(['convert', INPUT, '-o', path, '--format', 'arrows'])
    expect(result).toMatchObject({ code: 141, stderr: '' })
  })
})

test('two runs for the same output at once both succeed, and leave one of both', async () => {
  const folder = newFolder()
  for (const { name, args = [] } of FILE_AND_FOLDER) {
    const run = () => runCli(['convert', INPUT, '-o', join(folder, name), '-q', ...args])
    for (const result of await Promise.all([run(), run()])) expect(result).toMatchObject({ code: 0, stderr: '' })
  }
  expect(readdirSync(folder).sort()).toEqual(['out.parquet', 'star'])
})

describe('too little memory', () => {
  // A page of WebAssembly memory is 64 KiB.
  test.each([2, 60])('for WebAssembly is an error, and the older file stays (%i pages)', async (pages) => {
    const folder = newFolder()
    for (const threads of ['1', '2']) {
      makeOlder(folder, { name: 'out.parquet' })
      const result = await runCli(['convert', '-', '-o', join(folder, 'out.parquet'), '--threads', threads], {
        nodeArgs: [`--wasm-max-mem-pages=${pages}`],
        stdinFile: INPUT,
      })
      expectLine(result, /memory/)
      expectOlder(folder, { name: 'out.parquet' })
    }
  })
})

test('signals at random moments: the older output or the new one, and nothing else (npm run faults does more)', async () => {
  const folder = newFolder()
  const kills = new KillTries(folder, 2026, 2 ** 21)
  try {
    const forms = FORMS.filter(({ name }) => ['Parquet', 'Arrow stream', 'star folder'].includes(name))
    for (const form of forms) {
      for (const signal of SIGNALS) expect((await kills.try(form, signal)).faults).toEqual([])
    }
  } finally {
    await kills.close()
  }
})
