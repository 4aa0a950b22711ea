import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordBatchReader, type Schema, tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { readParquet } from 'parquet-wasm'
import { afterAll, describe, expect, test } from 'vitest'
import { type Codebook, readCodebook } from '../src/codebook/codebook.ts'
import { writeCodebook } from '../src/codebook/write-codebook.ts'
// Worker threads run compiled code, so these tests do: `npm test` builds first.
import type { ConvertOptions, ConvertResult } from '../src/convert/convert.ts'
import type { RejectedValue } from '../src/decode/rejects.ts'
import { RejectLines, rejectedValues } from '../src/parallel/reject-lines.ts'
import { writeStar } from '../src/star/star.ts'
import { verifyOutput } from '../src/verify/compare.ts'
import { openOutput } from '../src/verify/output-reader.ts'
import { runCli } from './cli.ts'
import { convertCompiled } from './compiled.ts'
import { guid, invalidExport, type RecordPlan, writtenExport } from './invalid-export.ts'
import { chunksOf } from './reading.ts'

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-rejects-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const newFolder = () => mkdtempSync(join(folder, 'x'))

const internals = { minPoolBytes: 0, minRecordsToCut: 0, minStreamBytes: 1 }

/** Every seventh number and every eleventh date does not fit, and some answers come twice. */
function recordPlan(i: number): RecordPlan {
  const number = i % 7 === 3 ? { json: `["n${i}"]`, code: 'ERR_VALUE' as const } : { json: `[${i}]` }
  const date = i % 11 === 5 ? { json: `"day ${i}"`, code: 'ERR_VALUE' as const } : { json: '"2026-03-01T10:00:00Z"' }
  return {
    ownerId: `person ${i}`,
    isOwnerLast: false,
    isIdLast: i % 50 === 0,
    date,
    answers: [
      { field: 0, first: { json: `["${i % 97 === 0 ? guid(9, i % 5) : guid(2, i % 3)}"]` } },
      { field: 2, first: number },
      { field: 4, first: { json: `["é ${i}"]` }, ...(i % 13 === 1 ? { again: { json: `["other ${i}"]` } } : {}) },
    ],
    ...(i % 31 === 0 ? { unknown: `["lost ${i}"]` } : {}),
  }
}

const RECORDS = Array.from({ length: 2000 }, (_, i) => recordPlan(i))
const WRITTEN = writtenExport(RECORDS)
const SPACED = writtenExport(RECORDS, { isSpaced: true })
const SMALL = writtenExport(RECORDS.slice(0, 60))

interface Conversion {
  output: Buffer
  rejects: Buffer
  result: ConvertResult
  paths: { output: string; rejects: string }
}

async function convert(
  source: Parameters<typeof convertCompiled>[0],
  more: ConvertOptions = {},
  { outputName = 'out.parquet', rejectsName = 'rejects.jsonl' } = {},
): Promise<Conversion> {
  const place = newFolder()
  const paths = { output: join(place, outputName), rejects: join(place, rejectsName) }
  const options = { onInvalid: 'null', rejects: paths.rejects, ...more } as const
  const result = await convertCompiled(source, paths.output, options, internals)
  return { output: readFileSync(paths.output), rejects: readFileSync(paths.rejects), result, paths }
}

function fileOf(bytes: Uint8Array): string {
  const path = join(newFolder(), 'export.json')
  writeFileSync(path, bytes)
  return path
}

function linesOf(rejects: Buffer): RejectedValue[] {
  return rejects
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RejectedValue)
}

const withoutReasons = (rejects: readonly RejectedValue[]) => rejects.map(({ reason: _, ...rest }) => rest)

describe('rejects are the same for any number of threads', () => {
  test.each([
    ['compact', WRITTEN],
    ['pretty-printed', SPACED],
  ])('of a file, %s', async (_, { bytes, rejects }) => {
    const input = fileOf(bytes)
    const one = await convert(input, { threads: 1, rowGroupSize: 300 })
    expect(withoutReasons(linesOf(one.rejects))).toEqual(rejects)
    for (const threads of [2, 3]) {
      const several = await convert(input, { threads, rowGroupSize: 300 })
      expect(several.result.threads).toBe(threads)
      expect(several.rejects.equals(one.rejects)).toBe(true)
      expect(several.output.equals(one.output)).toBe(true)
      expect(several.result.summary).toEqual(one.result.summary)
    }
  })

  test.each([
    ['compact', WRITTEN, 2],
    ['its records before the definition', writtenExport(RECORDS, { isRecordsFirst: true }), 1],
  ])('of a stream, %s', async (_, { bytes, rejects }, threads) => {
    const one = await convert(chunksOf(bytes, 10_007), { threads: 1, rowGroupSize: 300, keepUnknown: true })
    const two = await convert(chunksOf(bytes, 10_007), { threads: 2, rowGroupSize: 300, keepUnknown: true })
    expect(two.result.threads).toBe(threads)
    expect(withoutReasons(linesOf(one.rejects))).toEqual(rejects)
    expect(two.rejects.equals(one.rejects)).toBe(true)
    expect(two.output.equals(one.output)).toBe(true)
    expect(two.result.summary).toEqual(one.result.summary)
  })

  test('of random exports, in every layout', async () => {
    await fc.assert(
      fc.asyncProperty(
        invalidExport,
        fc.constantFrom('wide', 'long'),
        fc.constantFrom('parquet', 'arrow', 'arrows'),
        fc.constantFrom(1, 2),
        async ({ bytes, rejects }, layout, format, rowGroupSize) => {
          const input = fileOf(bytes)
          for (const threads of [1, 2]) {
            const options = { layout, threads, rowGroupSize, keepUnknown: layout === 'wide' }
            const found = await convert(input, options, { outputName: `out.${format}` })
            expect(withoutReasons(linesOf(found.rejects))).toEqual(rejects)
            const { output, rejects: path } = found.paths
            const report = await verifyOutput({
              source: input,
              output,
              rejects: path,
              options: { ...options, onInvalid: 'null' },
            })
            expect(report.differences).toEqual([])
          }
        },
      ),
      { numRuns: 12, interruptAfterTimeLimit: 15_000 },
    )
  })

  test('a caller is told the same, once', async () => {
    const told: RejectedValue[] = []
    const options = { threads: 2, rowGroupSize: 300, onReject: (value: RejectedValue) => void told.push(value) }
    const { result } = await convert(fileOf(WRITTEN.bytes), options)
    expect(result.threads).toBe(1)
    expect(withoutReasons(told)).toEqual(WRITTEN.rejects)
  })
})

describe('the file of rejects', () => {
  test('as Parquet holds the same', async () => {
    const input = fileOf(SMALL.bytes)
    const { paths } = await convert(input, {}, { rejectsName: 'rejects.parquet' })
    const lines = linesOf((await convert(input)).rejects)
    const file = await openOutput(paths.rejects)
    const rows: unknown[] = []
    const names = file.schema.fields.map(({ name }) => name)
    for await (const batch of file.batches()) {
      for (let row = 0; row < batch.rows; row++) {
        rows.push(Object.fromEntries(names.map((name, i) => [name, batch.cell(i, row)])))
      }
    }
    await file.close()
    expect(rows).toEqual(lines.map((line) => ({ ...line, byteOffset: BigInt(line.byteOffset) })))
    const options = { onInvalid: 'null' } as const
    const { differences } = await verifyOutput({ source: input, output: paths.output, rejects: paths.rejects, options })
    expect(differences).toEqual([])
  })

  test('is there, too, when nothing was rejected', async () => {
    const { bytes } = writtenExport(
      [RECORDS[1]!].map(({ answers, ...rest }) => ({ ...rest, answers: answers.slice(0, 1) })),
    )
    expect((await convert(bytes)).rejects.length).toBe(0)
    const { paths } = await convert(bytes, {}, { rejectsName: 'rejects.parquet' })
    const file = await openOutput(paths.rejects)
    expect(file.schema.fields.length).toBe(8)
    await file.close()
  })

  test('of the star layout stands beside its folder', async () => {
    const place = newFolder()
    const rejects = join(place, 'rejects.jsonl')
    const options = { onInvalid: 'null', keepUnknown: true, rejects } as const
    const { summary } = await writeStar(SMALL.bytes, join(place, 'star'), options)
    expect(withoutReasons(linesOf(readFileSync(rejects)))).toEqual(SMALL.rejects)
    expect(summary.invalid.total).toBe(SMALL.rejects.length)
    const responses = await tableOf(join(place, 'star', 'responses.parquet'))
    expect(responses.schema.fields.map(({ name }) => name).slice(-2)).toEqual(['invalid', '_extra'])
    const invalid = Array.from(responses.getChild('invalid') ?? [])
    expect(invalid).toEqual(SMALL.invalid.map((names) => names.filter((name) => name !== 'lastUpdateDate').length))
    expect(Array.from(responses.getChild('_extra') ?? [])).toEqual(SMALL.extra)
    const fields = await tableOf(join(place, 'star', 'fields.parquet'))
    expect(Array.from(fields.getChild('invalid') ?? [])).toEqual([0, 0, 9, 0, 0])
    const inside = { ...options, rejects: join(place, 'star', 'rejects.jsonl') }
    await expect(writeStar(SMALL.bytes, join(place, 'star'), inside)).rejects.toMatchObject({ code: 'ERR_OPTION' })
  })

  test('appears with the output or not at all', async () => {
    const place = newFolder()
    const [output, rejects] = [join(place, 'out.parquet'), join(place, 'rejects.jsonl')]
    const broken = fileOf(Buffer.concat([WRITTEN.bytes.subarray(0, -2), Buffer.from(',]}')]))
    const options = { onInvalid: 'null', rejects, rowGroupSize: 300 } as const
    for (const threads of [1, 2]) {
      const conversion = convertCompiled(broken, output, { ...options, threads }, internals)
      await expect(conversion).rejects.toMatchObject({ code: 'ERR_JSON_SYNTAX' })
      expect(readdirSync(place)).toEqual([])
    }
    writeFileSync(output, 'older output')
    writeFileSync(rejects, 'older rejects')
    await expect(convertCompiled(broken, output, options)).rejects.toMatchObject({ code: 'ERR_JSON_SYNTAX' })
    expect(readFileSync(output, 'utf8')).toBe('older output')
    expect(readFileSync(rejects, 'utf8')).toBe('older rejects')
    await convertCompiled(WRITTEN.bytes, output, options)
    expect(readdirSync(place).sort()).toEqual(['out.parquet', 'rejects.jsonl'])
    expect(linesOf(readFileSync(rejects)).length).toBe(WRITTEN.rejects.length)
  })

  test.each<[string, (paths: { input: string; output: string }) => ConvertOptions]>([
    ['over the output', ({ output }) => ({ rejects: output })],
    ['over the export', ({ input }) => ({ rejects: input })],
    ['where invalid values are errors', () => ({ rejects: join(folder, 'r.jsonl'), onInvalid: 'error' })],
    ['in an unknown format', () => ({ rejects: join(folder, 'r.csv') })],
  ])('is refused %s', async (_, optionsFor) => {
    const place = newFolder()
    const input = join(place, 'export.jsonl')
    writeFileSync(input, SMALL.bytes)
    const output = join(place, 'out.parquet')
    const options: ConvertOptions = { onInvalid: 'null', ...optionsFor({ input, output }) }
    await expect(convertCompiled(input, output, options)).rejects.toMatchObject({ code: 'ERR_OPTION' })
    expect(readFileSync(input).equals(SMALL.bytes)).toBe(true)
    expect(readdirSync(place)).toEqual(['export.jsonl'])
  })
})

async function tableOf(path: string) {
  return tableFromIPC(readParquet(readFileSync(path)).intoIPCStream())
}

describe('how many values were invalid', () => {
  const counts = async (schema: Schema) => JSON.parse(schema.metadata.get('alida:invalid') ?? 'null') as unknown
  const expected = (conversion: Conversion) => conversion.result.summary.invalid

  test('is in the metadata of Parquet, with threads too', async () => {
    const input = fileOf(WRITTEN.bytes)
    for (const threads of [1, 2]) {
      const conversion = await convert(input, { threads, rowGroupSize: 300 })
      const { schema } = await tableOf(conversion.paths.output)
      expect(expected(conversion).total).toBe(WRITTEN.rejects.length)
      expect(await counts(schema)).toEqual(expected(conversion))
    }
  })

  test('is in that of an Arrow file; a stream, which begins with it, has none', async () => {
    const file = await convert(SMALL.bytes, {}, { outputName: 'out.arrow' })
    expect(await counts(tableFromIPC(file.output).schema)).toEqual(expected(file))
    const stream = await convert(SMALL.bytes, {}, { outputName: 'out.arrows' })
    const reader = RecordBatchReader.from(stream.output).open()
    expect(await counts(reader.schema)).toBeNull()
  })

  test('is not said where invalid values are errors', async () => {
    const { bytes } = writtenExport([RECORDS[2]!])
    const { paths } = await convert(bytes, { onInvalid: 'null' })
    expect((await tableOf(paths.output)).schema.metadata.get('alida:invalid')).toBe('{"total":0,"codes":{}}')
    await convertCompiled(bytes, paths.output)
    expect((await tableOf(paths.output)).schema.metadata.has('alida:invalid')).toBe(false)
  })
})

describe('the codebook', () => {
  const counts = ({ questions }: Codebook) =>
    questions.map(({ name, answered, skipped, invalid, notAsked }) => ({ name, answered, skipped, invalid, notAsked }))

  test('counts them, from the export and from any file made of it', async () => {
    const { result } = await convert(SMALL.bytes)
    const expected = result.summary.questions.map(({ column, ...count }) => ({ name: column.name, ...count }))
    expect(expected.map(({ invalid }) => invalid)).toEqual([0, 0, 9, 0, 0])
    expect(counts(await readCodebook(SMALL.bytes, { onInvalid: 'null' }))).toEqual(expected)
    for (const shape of [{}, { answerStates: 'columns' }, { layout: 'long' }] as const) {
      const { paths } = await convert(SMALL.bytes, shape)
      expect(counts(await readCodebook(paths.output))).toEqual(expected)
    }
  })

  test('has a column for them only where there are any', async () => {
    const header = async (plans: readonly RecordPlan[]) => {
      const path = join(newFolder(), 'codebook.csv')
      await writeCodebook(await readCodebook(writtenExport(plans).bytes, { onInvalid: 'null' }), path, 'csv')
      return readFileSync(path, 'utf8').split('\n')[0]
    }
    expect(await header(RECORDS.slice(0, 60))).toContain('skipped,invalid,not_asked')
    expect(await header(RECORDS.slice(0, 1))).toContain('skipped,not_asked')
  })
})

describe('the verification', () => {
  test.each<[string, (lines: string[]) => string[]]>([
    ['a line that is missing', (lines) => lines.slice(1)],
    ['a line too many', (lines) => [...lines, lines.at(-1)!]],
    ['another record', (lines) => [lines[0]!.replace(/"record":\d+/, '"record":59'), ...lines.slice(1)]],
    ['another owner', (lines) => [lines[0]!.replace('person', 'persona'), ...lines.slice(1)]],
    ['another value', (lines) => [lines[0]!.replace('"raw":"', '"raw":" '), ...lines.slice(1)]],
    ['another place', (lines) => [lines[0]!.replace(/"byteOffset":\d+/, '"byteOffset":7'), ...lines.slice(1)]],
  ])('finds %s', async (_, change) => {
    const input = fileOf(SMALL.bytes)
    const { paths, rejects } = await convert(input)
    writeFileSync(paths.rejects, `${change(rejects.toString().trimEnd().split('\n')).join('\n')}\n`)
    const options = { onInvalid: 'null' } as const
    const report = await verifyOutput({ source: input, output: paths.output, rejects: paths.rejects, options })
    expect(report.differences[0]?.kind).toBe('reject')
  })

  test('finds a count that is wrong', async () => {
    const other = fileOf(writtenExport(RECORDS.slice(0, 60).map((plan) => ({ ...plan, answers: [] }))).bytes)
    const { paths } = await convert(other)
    const options = { onInvalid: 'null' } as const
    const report = await verifyOutput({ source: fileOf(SMALL.bytes), output: paths.output, options })
    expect(report.differenceCount).toBeGreaterThan(0)
  })
})

describe('values on their way from a thread', () => {
  const value: RejectedValue = {
    record: 2,
    ownerId: null,
    fieldId: 'f',
    fieldName: 'é\n',
    code: 'ERR_VALUE',
    reason: 'why',
    byteOffset: 10,
    raw: '["\n"]',
  }

  test('keep all, and get the number of their record', () => {
    const lines = new RejectLines()
    lines.add(value)
    lines.add({ ...value, record: 3 })
    expect([...rejectedValues(lines.take(), 100)]).toEqual([
      { ...value, record: 102 },
      { ...value, record: 103 },
    ])
    expect(lines.take().length).toBe(0)
  })

  test('are not gathered without limit', () => {
    const lines = new RejectLines(100_000)
    const addMany = () => {
      for (let i = 0; i < 2000; i++) lines.add(value)
    }
    expect(addMany).toThrow(expect.objectContaining({ code: 'ERR_LIMIT' }))
  })
})

describe('on the command line', () => {
  test('convert leaves out, tells, and verifies', async () => {
    const place = newFolder()
    const input = fileOf(SMALL.bytes)
    const rejects = join(place, 'rejects.jsonl')
    const words = ['convert', input, '-o', join(place, 'out.parquet')]
    const refused = await runCli([...words, '--quiet'])
    expect(refused.code).toBe(1)
    const more = ['--on-invalid', 'null', '--rejects', rejects, '--keep-unknown', '--verify']
    const { code, stderr } = await runCli([...words, ...more])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stderr).toContain(`; ${SMALL.rejects.length} invalid values left out`)
    expect(stderr).toContain('question "Number": 9 invalid values left out (ERR_VALUE 9)')
    expect(stderr).toContain(`${rejects}: ${SMALL.rejects.length} values`)
    expect(stderr).toContain('verified')
    expect(withoutReasons(linesOf(readFileSync(rejects)))).toEqual(SMALL.rejects)
    const verified = await runCli(['verify', input, words[3]!, ...more.slice(0, -1)])
    expect(verified.code).toBe(0)
    const json = await runCli([...words, '--on-invalid', 'null', '--json'])
    expect(JSON.parse(json.stdout.toString()).invalid).toMatchObject({ total: SMALL.rejects.length })
  })

  test('what cannot be is refused before anything is read', async () => {
    const place = newFolder()
    const words = ['convert', 'no-such-file.json', '-o', join(place, 'out.parquet')]
    for (const more of [
      ['--rejects', join(place, 'r.jsonl')],
      ['--on-invalid', 'null', '--rejects', join(place, 'out.parquet')],
      ['--on-invalid', 'nothing'],
      ['--keep-unknown', '--layout', 'long'],
      ['--keep-unknown', '--sensitive', 'drop'],
    ]) {
      expect((await runCli([...words, ...more])).code, more.join(' ')).toBe(2)
    }
  })

  test('fetch refuses rejects in the place of something else', async () => {
    const place = newFolder()
    const rejects = join(place, 'r.jsonl')
    const words = ['fetch', '--batch', 'b', '--region', 'na1', '--community', 'c', '-o', join(place, 'out.parquet')]
    const more = ['--on-invalid', 'null', '--rejects', rejects, '--save-json', rejects]
    const { code, stderr } = await runCli([...words, ...more], { env: { ALIDA_TOKEN: 'a token' } })
    expect({ code, stderr }).toMatchObject({ code: 2 })
    expect(stderr).toContain('the rejects would overwrite the saved document')
  })
})
