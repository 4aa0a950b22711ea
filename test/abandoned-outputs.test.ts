import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeOutput } from '../src/sinks/output.ts'
import { writeFolder } from '../src/sinks/output-folder.ts'
import { forgetTemporary, temporaryPath } from '../src/system/temporary-path.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string) => writeOutput(join(folder, name), (output) => output.write([Buffer.from('new')]))

const FILES = ['a', 'b']

const writeFiles = (name: string, text = 'new') =>
  writeFolder(join(folder, name), FILES, async (temporary) => {
    for (const file of FILES) writeFileSync(join(temporary, file), text)
  })

/** What a process calls the temporary file for a path. */
function partial(name: string, pid: number, { machine = '', suffix = 'partial' } = {}): string {
  const own = temporaryPath(join(folder, name))
  forgetTemporary(own)
  const [, before, , here = '', after] =
    /^(.*\.)(\d+)-([\da-f]{8})(-[\da-f]{8}\.alida-arrow-)partial$/.exec(basename(own)) ?? []
  return `${before}${pid}-${machine || here}${after}${suffix}`
}

function deadProcess(): number {
  return spawnSync('true').pid
}

const DAY_MS = 86_400_000

/** Leaves a file that was last written so long ago. */
function leave(name: string, agoMs = 0): void {
  const path = join(folder, name)
  writeFileSync(path, 'left')
  const at = new Date(Date.now() - agoMs)
  utimesSync(path, at, at)
}

describe('a temporary file', () => {
  test('of a killed process is removed by the next run for the same file, and by no other', async () => {
    const pid = deadProcess()
    const other = partial('other.parquet', pid)
    for (const name of [partial('out.parquet', pid), other]) leave(name)
    await write('out.parquet')
    expect(readdirSync(folder).sort()).toEqual([other, 'out.parquet'])
  })

  test('for a long name is found again, too', async () => {
    const [long, other] = ['a'.repeat(200), 'a'.repeat(201)]
    const pid = deadProcess()
    const kept = partial(other, pid)
    for (const name of [partial(long, pid), kept]) leave(name)
    await write(long)
    expect(readdirSync(folder).sort()).toEqual([kept, long])
  })

  test('is kept while its process lives, and so is whatever only looks alike', async () => {
    const kept = [
      partial('out.parquet', process.pid),
      partial('out.parquet', process.ppid),
      '.out.parquet.x-1.alida-arrow-partial',
      `.out.parquet.${deadProcess()}-0badcafe.partial`,
    ]
    for (const name of kept) leave(name)
    await write('out.parquet')
    expect(readdirSync(folder).sort()).toEqual([...kept, 'out.parquet'].sort())
  })

  test('of an earlier process with the id of this one is removed', async () => {
    leave(partial('out.parquet', process.pid), DAY_MS)
    await write('out.parquet')
    expect(readdirSync(folder)).toEqual(['out.parquet'])
  })

  test('of another machine is removed once it was not touched for a day', async () => {
    const machine = { machine: '0badcafe' }
    const young = partial('out.parquet', deadProcess(), machine)
    leave(young, DAY_MS / 2)
    leave(partial('out.parquet', process.pid, machine), DAY_MS * 1.1)
    await write('out.parquet')
    expect(readdirSync(folder).sort()).toEqual([young, 'out.parquet'].sort())
  })

  test('of a run that goes on at the same time is left to it: the last to finish stays', async () => {
    const path = join(folder, 'out.parquet')
    await writeOutput(path, async (output) => {
      await output.write([Buffer.from('slow')])
      await write('out.parquet')
      expect(readFileSync(path, 'utf8')).toBe('new')
    })
    expect(readFileSync(path, 'utf8')).toBe('slow')
    expect(readdirSync(folder)).toEqual(['out.parquet'])
  })
})

describe('a temporary folder', () => {
  test('of a killed process is removed by the next run', async () => {
    mkdirSync(join(folder, partial('star', deadProcess())))
    leave(join(partial('star', deadProcess() - 1), '..', 'x'))
    rmSync(join(folder, 'x'))
    await writeFiles('star')
    expect(readdirSync(folder)).toEqual(['star'])
  })

  test('and the older one are as they were when a run is killed between its two renames', async () => {
    const pid = deadProcess()
    const older = partial('star', pid, { suffix: 'older' })
    await writeFiles(older, 'older')
    await writeFiles(partial('star', pid), 'new')
    await expect(
      writeFolder(join(folder, 'star'), FILES, async () => {
        expect(readFileSync(join(folder, 'star', 'a'), 'utf8')).toBe('older')
        throw new Error('broken')
      }),
    ).rejects.toThrow('broken')
    expect(readdirSync(folder)).toEqual(['star'])
    expect(readFileSync(join(folder, 'star', 'b'), 'utf8')).toBe('older')
  })

  test('an older one that was not removed in time is removed by the next run', async () => {
    await writeFiles(partial('star', deadProcess(), { suffix: 'older' }), 'older')
    await writeFiles('star', 'newer')
    await writeFiles('star', 'newest')
    expect(readdirSync(folder)).toEqual(['star'])
    expect(readFileSync(join(folder, 'star', 'a'), 'utf8')).toBe('newest')
  })

  test('may be written through a link, which stays a link', async () => {
    mkdirSync(join(folder, 'real'))
    symlinkSync('real', join(folder, 'link'))
    await writeFiles('link')
    await writeFiles('link', 'newer')
    expect(readlinkSync(join(folder, 'link'))).toBe('real')
    expect(FILES.map((file) => readFileSync(join(folder, 'real', file), 'utf8'))).toEqual(['newer', 'newer'])
    expect(readdirSync(folder).sort()).toEqual(['link', 'real'])
  })

  test('of a run that goes on at the same time is left to it', async () => {
    await writeFolder(join(folder, 'star'), FILES, async (temporary) => {
      writeFileSync(join(temporary, 'a'), 'slow')
      await writeFiles('star')
    })
    expect(readdirSync(join(folder, 'star'))).toEqual(['a'])
    expect(readdirSync(folder)).toEqual(['star'])
  })
})
