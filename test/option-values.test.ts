import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { convertExport } from '../src/convert.ts'
import { readExport } from '../src/reader.ts'
import { writeIpc } from '../src/sinks/ipc.ts'
import { writeParquet } from '../src/sinks/parquet.ts'
import { writeStar } from '../src/star/star.ts'
import { surveyJson } from './survey.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

const source = () => surveyJson(3)

const WAYS: [string, (options: object) => Promise<unknown>][] = [
  ['convertExport', (options) => convertExport(source(), join(folder, 'out.parquet'), options)],
  ['writeParquet', async (options) => writeParquet(await readExport(source()), join(folder, 'out.parquet'), options)],
  ['writeStar', (options) => writeStar(source(), join(folder, 'star'), options)],
]

/** A program in JavaScript may say these; Parquet files with them could be read by nobody. */
const WRONG: [object, string][] = [
  [{ compression: 'ZSTD' }, 'compression: expected none, snappy, gzip, zstd, lz4, found "ZSTD"'],
  [{ compression: 'toString' }, 'compression: expected none, snappy, gzip, zstd, lz4, found "toString"'],
  [{ compression: null }, 'compression: expected none, snappy, gzip, zstd, lz4, found null'],
  [{ encodings: 'rle' }, 'encodings: expected delta, plain, found "rle"'],
]

test.for(WAYS.flatMap(([way, run]) => WRONG.map(([options, message]) => ({ way, run, options, message }))))(
  '$way refuses $options',
  async ({ run, options, message }) => {
    await expect(run(options)).rejects.toMatchObject({ code: 'ERR_OPTION', message })
    expect(readdirSync(folder)).toEqual([])
  },
)

test.for([0, -1, 1.5, Number.NaN, '7'])('a row group of %j rows is refused', async (rowGroupSize) => {
  const options = { rowGroupSize } as object
  for (const run of [WAYS[0]![1], WAYS[1]![1]]) {
    await expect(run(options)).rejects.toMatchObject({ code: 'ERR_OPTION', message: /^rowGroupSize: / })
  }
})

test('formats and threads that are none are refused', async () => {
  const path = join(folder, 'out')
  const convert = (options: object) => convertExport(source(), path, options)
  await expect(convert({ format: 'csv' })).rejects.toThrow('format: expected parquet, arrow, arrows, found "csv"')
  await expect(convert({ format: 'arrow', threads: 0 })).rejects.toThrow('threads: expected a whole number above 0')
  const ipc = readExport(source()).then((reader) => writeIpc(reader, path, { format: 'parquet' } as object))
  await expect(ipc).rejects.toThrow('format: expected file, stream, found "parquet"')
  expect(readdirSync(folder)).toEqual([])
})
