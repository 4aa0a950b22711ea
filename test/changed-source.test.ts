import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { convertExport } from '../src/convert/convert.ts'
import { openReader } from '../src/reader.ts'
import { writeStar } from '../src/star/star.ts'
import { verifyOutput } from '../src/verify/compare.ts'
import { verifyStar } from '../src/verify/star.ts'
import { runCli } from './cli.ts'
// Worker threads run compiled code.
import { convertCompiled } from './compiled.ts'
import { surveyJson } from './survey.ts'

let folder: string
let path: string

const DOCUMENT = surveyJson(3000)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
  path = join(folder, 'in.json')
  writeFileSync(path, DOCUMENT)
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

/** What may happen to a file of which the first megabyte or so has been read. */
const CHANGES: Readonly<Record<string, (path: string) => void>> = {
  grows: (path) => appendFileSync(path, '\n'),
  'grows by another document': (path) => appendFileSync(path, DOCUMENT),
  shrinks: (path) => truncateSync(path, statSync(path).size - 100_000),
  'is emptied': (path) => truncateSync(path, 0),
  'is written over': (path) => overwrite(path, 'x'),
  'is written over, its time set back': (path) => {
    const { atime, mtime } = statSync(path)
    overwrite(path, ' ')
    utimesSync(path, atime, mtime)
  },
  'is replaced': (path) => {
    copyFileSync(path, `${path}.new`)
    renameSync(`${path}.new`, path)
  },
  'is removed': (path) => rmSync(path),
}

function overwrite(path: string, text: string): void {
  writeSync(openSync(path, 'r+'), text, statSync(path).size - 1000)
}

const CHANGED = { code: 'ERR_SOURCE_CHANGED', message: expect.stringMatching(/changed while it was read/) }

describe.each(Object.entries(CHANGES))('an export that %s while it is read is an error', (_, change) => {
  test('of the reader', async () => {
    const reader = await openReader(path, { batchSize: 10 }, { windowBytes: 4096 })
    const reading = (async () => {
      let batches = 0
      for await (const _ of reader) if (++batches === 5) change(path)
    })()
    await expect(reading).rejects.toMatchObject(CHANGED)
  })

  test('of a conversion, compressed or with its records first', async () => {
    for (const bytes of [gzipSync(DOCUMENT), surveyJson(3000, { recordsFirst: true })]) {
      writeFileSync(path, bytes)
      const converting = convertExport(path, join(folder, 'out.arrow'), {
        batchSize: 10,
        onProgress: () => change(path),
      })
      await expect(converting).rejects.toMatchObject(CHANGED)
      expect(readdirSync(folder).filter((name) => name.includes('out'))).toEqual([])
    }
  })

  test('of the star layout', async () => {
    const star = writeStar(path, join(folder, 'out'), { onProgress: () => change(path) })
    await expect(star).rejects.toMatchObject(CHANGED)
    expect(readdirSync(folder).filter((name) => name.includes('out'))).toEqual([])
  })
})

test('an export that is replaced by another one while threads read it is an error, or the whole other one', async () => {
  const other = surveyJson(2000)
  const replaced = join(folder, 'out.parquet')
  const internals = { minPoolBytes: 0, minRecordsToCut: 0 }
  const change = () => {
    writeFileSync(`${path}.new`, other)
    renameSync(`${path}.new`, path)
  }
  const converting = convertCompiled(path, replaced, { threads: 2, rowGroupSize: 100, onProgress: change }, internals)
  const outcome = await converting.then(
    ({ summary }) => summary.records,
    (error: unknown) => (error as { code: string }).code,
  )
  expect(['ERR_SOURCE_CHANGED', 2000]).toContain(outcome)
})

test.each(Object.entries(CHANGES))(
  'an export that %s while threads begin with it is an error of the export',
  async (_, change) => {
    const internals = { minPoolBytes: 0, minRecordsToCut: 0 }
    // Told first when the export is open, then when threads are to open it, too.
    for (const when of [1, 2]) {
      writeFileSync(path, DOCUMENT)
      let told = 0
      const onProgress = () => {
        if (++told === when) change(path)
      }
      const options = { threads: 2, rowGroupSize: 100, onProgress }
      await expect(convertCompiled(path, join(folder, 'out.parquet'), options, internals)).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_(SOURCE|JSON|NOT_JSON)/),
      })
      expect(readdirSync(folder).filter((name) => name.includes('out'))).toEqual([])
    }
  },
)

test('a file on standard input that grows meanwhile is an error', async () => {
  const output = join(folder, 'out.parquet')
  const change = `process.once('exit', () => undefined); require('node:fs').appendFileSync(${JSON.stringify(path)}, '\\n')`
  const preload = join(folder, 'preload.cjs')
  // The file is changed when the process has opened its output.
  writeFileSync(
    preload,
    `const fs = require('node:fs/promises'); const { open } = fs
fs.open = async (...args) => { const file = await open(...args); if (args[1] === 'wx') { ${change} } return file }
require('node:module').syncBuiltinESMExports()`,
  )
  const { code, stderr } = await runCli(['convert', '-', '-o', output], {
    nodeArgs: ['--require', preload],
    stdinFile: path,
  })
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'alida-arrow: standard input: the export was changed while it was read; try again when it is complete\n',
  })
  expect(readdirSync(folder).sort()).toEqual(['in.json', 'preload.cjs'])
})

test.each([
  ['a file', 'out.arrow', convertExport, verifyOutput],
  ['a star folder', 'star', writeStar, verifyStar],
] as const)('an export that grows while %s is compared with it is an error, and no difference', async (...args) => {
  const [, name, write, verify] = args
  const output = join(folder, name)
  await write(path, output)
  const verifying = verify({ source: path, output })
  appendFileSync(path, '\n')
  await expect(verifying).rejects.toMatchObject(CHANGED)
})

test('a file that nothing happens to is read whatever the clock says', async () => {
  const future = new Date(Date.now() + 86_400_000)
  utimesSync(path, future, future)
  const { summary } = await convertExport(path, join(folder, 'out.parquet'))
  expect(summary.records).toBe(3000)
})

describe('a read error (EIO) is an error of the source, and no output is left:', () => {
  const EIO = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' })

  async function failReads(after: number): Promise<void> {
    const handle = await open(path, 'r')
    await handle.close()
    const prototype = Object.getPrototypeOf(handle) as FileHandle
    const read = prototype.read as (...args: unknown[]) => Promise<never>
    let reads = 0
    vi.spyOn(prototype, 'read').mockImplementation(function (this: FileHandle, ...args: unknown[]) {
      return ++reads > after ? Promise.reject(EIO) : read.call(this, ...args)
    })
  }

  test.each([0, 1, 2])('of a file, after %i reads', async (after) => {
    await failReads(after)
    await expect(convertExport(path, join(folder, 'out.parquet'))).rejects.toMatchObject({
      code: 'ERR_SOURCE',
      message: expect.stringMatching(/the disk or its connection has failed \(EIO\)/),
    })
    expect(readdirSync(folder)).toEqual(['in.json'])
  })

  test('of a compressed file', async () => {
    writeFileSync(path, gzipSync(DOCUMENT))
    await failReads(1)
    await expect(convertExport(path, join(folder, 'out.parquet'))).rejects.toMatchObject({ code: 'ERR_SOURCE' })
  })

  test('of a stream', async () => {
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield readFileSync(path).subarray(0, 200_000)
      throw EIO
    }
    await expect(convertExport(stream(), join(folder, 'out.arrow'))).rejects.toMatchObject({ code: 'ERR_SOURCE' })
    expect(readdirSync(folder)).toEqual(['in.json'])
  })
})
