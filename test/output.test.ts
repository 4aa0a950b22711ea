import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { codebookFormatOf } from '../src/codebook/write-codebook.ts'
import { formatOf } from '../src/convert/options.ts'
import { readExport } from '../src/reader.ts'
import { writeIpc } from '../src/sinks/ipc.ts'
import { type OutputTarget, writeOutput } from '../src/sinks/output.ts'
import { writeParquet } from '../src/sinks/parquet.ts'
import { rejectsFormatOf } from '../src/sinks/rejects-file.ts'
import { surveyJson } from './survey.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const NEW = Buffer.from('the new content')
const OLD = 'the old content'

const write = async (target: OutputTarget, bytes: Uint8Array = NEW): Promise<number> =>
  (await writeOutput(target, (output) => output.write([bytes]))).bytesWritten

/** A `fill` that fails the test when it is called: what is wrong must be found before. */
const mustNotRun = async () => {
  throw new Error('the input was read')
}

/** What all file handles inherit from. */
async function fileHandlePrototype(): Promise<FileHandle> {
  const handle = await open(folder, 'r')
  await handle.close()
  return Object.getPrototypeOf(handle) as FileHandle
}

describe('a file', () => {
  test('appears when it is complete, and not before', async () => {
    const path = join(folder, 'out.parquet')
    const { value, bytesWritten } = await writeOutput(path, async (output) => {
      await output.write([NEW.subarray(0, 4), NEW.subarray(4, 7)])
      expect(existsSync(path)).toBe(false)
      expect(readdirSync(folder)).toEqual([
        expect.stringMatching(/^\.out\.parquet\.\d+-[\da-f]{8}-[\da-f]{8}\.alida-arrow-partial$/),
      ])
      await output.write([NEW.subarray(7)])
      return 'written'
    })
    expect([value, bytesWritten]).toEqual(['written', NEW.length])
    expect(readFileSync(path)).toEqual(NEW)
    expect(readdirSync(folder)).toEqual(['out.parquet'])
  })

  test('may be named by a file URL', async () => {
    const path = join(folder, 'with space.arrow')
    await write(pathToFileURL(path))
    expect(readFileSync(path)).toEqual(NEW)
  })

  test('may be named relative to the working folder', async () => {
    const cwd = process.cwd()
    try {
      process.chdir(folder)
      await write('here.arrow')
    } finally {
      process.chdir(cwd)
    }
    expect(readdirSync(folder)).toEqual(['here.arrow'])
  })

  test('is flushed before it gets its name', async () => {
    const path = join(folder, 'out.arrow')
    const prototype = await fileHandlePrototype()
    const sync = vi.spyOn(prototype, 'sync').mockImplementation(async () => {
      if (sync.mock.calls.length === 1) expect(existsSync(path)).toBe(false)
    })
    await write(path)
    expect(sync).toHaveBeenCalled()
  })

  test('is complete when the system writes less than it was asked to', async () => {
    const prototype = await fileHandlePrototype()
    const whole = prototype.write as (...args: unknown[]) => Promise<{ bytesWritten: number }>
    vi.spyOn(prototype, 'write').mockImplementation(async function (this: FileHandle, ...args: unknown[]) {
      const [bytes, from, length] = args as [Uint8Array, number, number]
      return whole.call(this, bytes, from, Math.min(length, 3)) as never
    })
    const path = join(folder, 'out.arrow')
    expect(await write(path)).toBe(NEW.length)
    expect(readFileSync(path)).toEqual(NEW)
  })

  test.for([0o600, 0o640, 0o664, 0o777])('keeps the mode %i of the one it replaces', async (mode) => {
    const path = join(folder, 'out.arrow')
    writeFileSync(path, OLD)
    chmodSync(path, mode)
    await write(path)
    expect(statSync(path).mode & 0o777).toBe(mode)
    expect(readFileSync(path)).toEqual(NEW)
  })

  test.for(['EINVAL', 'ENOTSUP', 'ENOSYS'])('is complete on file systems that know no flushing: %s', async (code) => {
    const unknown = Object.assign(new Error(`${code}: fsync`), { code })
    const prototype = await fileHandlePrototype()
    vi.spyOn(prototype, 'sync').mockRejectedValue(unknown)
    vi.spyOn(prototype, 'datasync').mockRejectedValue(unknown)
    const path = join(folder, 'out.arrow')
    const many = Buffer.alloc(9 * 2 ** 20, 1)
    await writeOutput(path, (output) => output.write([many]))
    expect(readFileSync(path).equals(many)).toBe(true)
  })

  test.runIf(process.getuid?.() === 0)('keeps the owner and group of the one it replaces (needs root)', async () => {
    const path = join(folder, 'out.arrow')
    writeFileSync(path, OLD)
    chownSync(path, 1234, 5678)
    chmodSync(path, 0o660)
    await write(path)
    const { uid, gid, mode } = statSync(path)
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 1234, gid: 5678, mode: 0o660 })
  })

  test('gives no other group what was for the old one', async () => {
    const path = join(folder, 'out.arrow')
    writeFileSync(path, OLD)
    chmodSync(path, 0o664)
    const prototype = await fileHandlePrototype()
    const { stat } = prototype
    vi.spyOn(prototype, 'stat').mockImplementation(async function (this: FileHandle) {
      const found = await (stat as (this: FileHandle) => Promise<Stats>).call(this)
      return Object.assign(found, { gid: found.gid + 1 }) as never
    })
    vi.spyOn(prototype, 'chown').mockRejectedValue(Object.assign(new Error('EPERM'), { code: 'EPERM' }))
    await write(path)
    expect(statSync(path).mode & 0o777).toBe(0o604)
  })

  test('gets the mode that the umask leaves when it is new', async () => {
    await write(join(folder, 'out.arrow'))
    writeFileSync(join(folder, 'plain'), '')
    expect(statSync(join(folder, 'out.arrow')).mode).toBe(statSync(join(folder, 'plain')).mode)
  })

  test('may be written through a link, which stays a link', async () => {
    mkdirSync(join(folder, 'real'))
    const real = join(folder, 'real', 'data.arrow')
    writeFileSync(real, OLD)
    const link = join(folder, 'link.arrow')
    symlinkSync(join('real', 'data.arrow'), link)
    await write(link)
    expect(readlinkSync(link)).toBe(join('real', 'data.arrow'))
    expect(readFileSync(real)).toEqual(NEW)
    expect(lstatSync(real).isFile()).toBe(true)
    expect(readdirSync(join(folder, 'real'))).toEqual(['data.arrow'])
  })

  test('is made where a link leads whose target is not there yet, over more links and folders that are links', async () => {
    mkdirSync(join(folder, 'real', 'deep'), { recursive: true })
    symlinkSync(join('real', 'deep'), join(folder, 'folder'))
    symlinkSync(join('..', 'last.arrow'), join(folder, 'real', 'deep', 'second'))
    symlinkSync(join('folder', 'second'), join(folder, 'link.arrow'))
    await write(join(folder, 'link.arrow'))
    expect(readFileSync(join(folder, 'real', 'last.arrow'))).toEqual(NEW)
    expect(readlinkSync(join(folder, 'link.arrow'))).toBe(join('folder', 'second'))
    expect(readdirSync(join(folder, 'real')).sort()).toEqual(['deep', 'last.arrow'])
  })

  test('that a link names in a folder that does not exist is refused, naming that folder', async () => {
    symlinkSync(join('nowhere', 'data.arrow'), join(folder, 'link.arrow'))
    const missing = join(folder, 'nowhere')
    await expect(writeOutput(join(folder, 'link.arrow'), mustNotRun)).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: expect.stringContaining(`no such folder: ${missing}`),
    })
  })

  test('has the format of its name in capitals, too', () => {
    const names = ['A.PARQUET', 'a.Arrow', 'A.ARROWS', 'a.Feather']
    expect(names.map((name) => formatOf(name))).toEqual(['parquet', 'arrow', 'arrows', 'arrow'])
    expect(rejectsFormatOf('R.JSONL')).toBe('jsonl')
    expect(codebookFormatOf('C.CSV')).toBe('csv')
  })

  test.for([97, 255])('may have a name of %i bytes', async (length) => {
    const name = 'x'.repeat(length)
    await writeOutput(join(folder, name), async (output) => {
      const [temporary] = readdirSync(folder)
      expect(Buffer.byteLength(temporary ?? '')).toBeLessThanOrEqual(143)
      await output.write([NEW])
    })
    expect(readdirSync(folder)).toEqual([name])
  })
})

describe('after a failure nothing is left, and an older file is as it was:', () => {
  const failures: [string, (path: string) => Promise<unknown>][] = [
    [
      'of the input, before the first byte',
      (path) =>
        writeOutput(path, async () => {
          throw new Error('broken')
        }),
    ],
    [
      'of the input, half-way',
      (path) =>
        writeOutput(path, async (output) => {
          await output.write([NEW])
          throw new Error('broken')
        }),
    ],
    [
      'of a write',
      async (path) => {
        vi.spyOn(await fileHandlePrototype(), 'write').mockRejectedValue(
          Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
        )
        return write(path)
      },
    ],
    [
      'of the flush',
      async (path) => {
        vi.spyOn(await fileHandlePrototype(), 'sync').mockRejectedValue(
          Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' }),
        )
        return write(path)
      },
    ],
    [
      'of a flush on the way, of which the system tells just once',
      async (path) => {
        vi.spyOn(await fileHandlePrototype(), 'datasync').mockRejectedValueOnce(
          Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }),
        )
        return write(path, new Uint8Array(2 ** 23))
      },
    ],
    ['of an export, as Parquet', async (path) => writeParquet(await readExport(cutOff(), { batchSize: 5 }), path)],
    ['of an export, as Arrow', async (path) => writeIpc(await readExport(cutOff(), { batchSize: 5 }), path)],
  ]

  function cutOff(): Buffer {
    return surveyJson(50).subarray(0, -10)
  }

  test.for(failures)('%s', async ([, fail]) => {
    const path = join(folder, 'out.parquet')
    await expect(fail(path)).rejects.toThrow()
    vi.restoreAllMocks()
    expect(readdirSync(folder)).toEqual([])
    writeFileSync(path, OLD)
    const { ino, mtimeMs } = statSync(path)
    await expect(fail(path)).rejects.toThrow()
    vi.restoreAllMocks()
    expect(readdirSync(folder)).toEqual([basename(path)])
    expect(readFileSync(path, 'utf8')).toBe(OLD)
    expect(statSync(path)).toMatchObject({ ino, mtimeMs })
  })

  test('of the last step: a folder has taken the name', async () => {
    const path = join(folder, 'out.arrow')
    const writing = writeOutput(path, async (output) => {
      await output.write([NEW])
      mkdirSync(path)
    })
    await expect(writing).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
    expect(readdirSync(folder)).toEqual(['out.arrow'])
    expect(statSync(path).isDirectory()).toBe(true)
  })

  test('of the disk is said in words', async () => {
    vi.spyOn(await fileHandlePrototype(), 'write').mockRejectedValue(Object.assign(new Error('x'), { code: 'ENOSPC' }))
    await expect(write(join(folder, 'a'))).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: expect.stringContaining('the disk is full'),
    })
  })
})

describe('found before the input is read:', () => {
  test.for<[string, () => string, RegExp]>([
    ['a missing folder', () => join(folder, 'nowhere', 'out.arrow'), /no such folder: .*nowhere$/],
    ['a folder as output', () => folder, /expected a file to write, found a directory/],
    ['a file as folder', () => fileAsFolder(), /not a folder/],
    ['a name that is too long', () => join(folder, `${'x'.repeat(300)}.arrow`), /too long/],
  ])('%s', async ([, target, message]) => {
    const path = target()
    await expect(writeOutput(path, mustNotRun)).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: expect.stringMatching(message),
    })
    expect(readdirSync(folder).filter((name) => name.endsWith('partial'))).toEqual([])
  })

  function fileAsFolder(): string {
    writeFileSync(join(folder, 'plain'), '')
    return join(folder, 'plain', 'out.arrow')
  }

  test.skipIf(process.getuid?.() === 0)('a folder without permission', async () => {
    chmodSync(folder, 0o500)
    const writing = writeOutput(join(folder, 'out.arrow'), mustNotRun)
    await expect(writing).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: expect.stringContaining('no permission'),
    })
    chmodSync(folder, 0o700)
  })

  test.skipIf(process.getuid?.() === 0)('a file without permission', async () => {
    const path = join(folder, 'out.arrow')
    writeFileSync(path, OLD)
    chmodSync(path, 0o400)
    await expect(writeOutput(path, mustNotRun)).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
  })
})

describe('devices and pipes', () => {
  test('/dev/null takes everything and stays a device', async () => {
    expect(await write('/dev/null')).toBe(NEW.length)
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  })

  test.skipIf(!existsSync('/dev/full'))('a full device is an error', async () => {
    await expect(write('/dev/full')).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
  })

  test('a named pipe is written directly', async () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const reader = await open(path, 'r+')
    await write(path)
    const { buffer, bytesRead } = await reader.read(Buffer.alloc(100))
    await reader.close()
    expect(buffer.subarray(0, bytesRead)).toEqual(NEW)
    expect(lstatSync(path).isFIFO()).toBe(true)
  })
})

describe('a stream', () => {
  test('gets the bytes and stays open', async () => {
    const stream = new PassThrough()
    expect(await write(stream)).toBe(NEW.length)
    stream.end(' and more')
    expect(Buffer.concat(await stream.toArray()).toString()).toBe(`${NEW} and more`)
  })

  test('that its reader has closed is an error', async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    })
    await expect(write(stream)).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: expect.stringContaining('its reader has closed it'),
    })
  })

  test('that is destroyed is an error, not a wait for ever', async () => {
    const stream = new PassThrough()
    stream.destroy()
    await expect(write(stream)).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
    const later = new PassThrough({ highWaterMark: 1 })
    const writing = write(later)
    later.destroy()
    await expect(writing).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
  })

  test('may be given memory that is used again afterwards', async () => {
    const chunks: Buffer[] = []
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        setTimeout(() => {
          chunks.push(Buffer.from(chunk))
          done()
        }, 5)
      },
    })
    const memory = Buffer.from('first ')
    await writeOutput(stream, async (output) => {
      await output.write([memory])
      memory.write('second')
      await output.write([memory])
    })
    expect(Buffer.concat(chunks).toString()).toBe('first second')
  })
})
