import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { RecordBatch } from 'apache-arrow'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { type ErrorCode, isExportError } from '../src/errors.ts'
import { readExport } from '../src/reader.ts'
import type { ShapeOptions } from '../src/shape/options.ts'
import type { BatchReader } from '../src/sinks/batch-reader.ts'
import { writeIpc } from '../src/sinks/ipc.ts'
import { writeParquet } from '../src/sinks/parquet.ts'
import { typeName } from '../src/verify/arrow-cells.ts'
import { verifyOutput } from '../src/verify/compare.ts'
import { openReference } from '../src/verify/reference-reader.ts'
import { exportArbitrary, exportBytes } from './export-arbitrary.ts'
import { chunked } from './json-layout.ts'
import { TABLE_DAMAGES } from './table-damage.ts'
import { modelReading, referenceReading } from './three-readings.ts'

const FIXTURES = new URL('../fixtures/', import.meta.url)
const SAMPLE = fileURLToPath(new URL('sample-export.json', FIXTURES))
const execute = promisify(execFile)
const FOLDER = mkdtempSync(join(tmpdir(), 'alida-arrow-verify-'))

afterAll(() => rmSync(FOLDER, { recursive: true }))

function cases(folder: 'valid' | 'invalid', ending: string): [string, Buffer, unknown][] {
  const url = new URL(`${folder}/`, FIXTURES)
  return readdirSync(url)
    .filter((file) => !file.endsWith(ending))
    .map((file) => {
      const name = file.replace(/\.\w+$/, '')
      return [name, readFileSync(new URL(file, url)), JSON.parse(readFileSync(new URL(name + ending, url), 'utf8'))]
    })
}

interface Expected {
  columns: [string, string][]
  rows: unknown[][]
  state: string[]
  dictionaries?: Record<string, string[]>
  warnings?: { kind: string; count: number; fieldName?: string; fieldId?: string }[]
}

function isoText(micros: bigint): string {
  const seconds = (micros - (((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n
  const fraction = String(micros - seconds * 1_000_000n).padStart(6, '0')
  return new Date(Number(seconds) * 1000).toISOString().replace(/\.000Z$/, `.${fraction}Z`)
}

function fixtureCell(cell: unknown): unknown {
  if (Object.is(cell, -0)) return '-0.0'
  return typeof cell === 'bigint' ? isoText(cell) : cell
}

async function referenceOf(bytes: Uint8Array) {
  const reader = await openReference(async function* () {
    yield* chunked(bytes, 7)
  })
  const rows: unknown[][] = []
  for await (const { cells } of reader.rows()) rows.push([...cells])
  return { reader, rows }
}

describe('the reference reader', () => {
  test.each(cases('valid', '.expected.json'))('reads %s', async (_, bytes, expectation) => {
    const expected = expectation as Expected
    const { reader, rows } = await referenceOf(bytes)
    const questions = reader.columns.slice(2, -1).map(({ name }) => name)
    const columns = reader.schema.fields.slice(0, -1).map((field) => [field.name, typeName(field.type)])
    expect(columns).toEqual(expected.columns)
    expect(rows.map((row) => row.slice(0, -1).map(fixtureCell))).toEqual(expected.rows)
    const states = rows.map((row) =>
      questions.map((name, i) => ((row.at(-1) as string[]).includes(name) ? 'S' : row[i + 2] === null ? 'N' : 'A')),
    )
    expect(states.map((letters) => letters.join(''))).toEqual(expected.state)
    for (const [name, labels] of Object.entries(expected.dictionaries ?? {})) {
      expect(reader.labelsOf(reader.columns.findIndex((column) => column.name === name))).toEqual(labels)
    }
    expect(reader.warnings).toHaveLength(expected.warnings?.length ?? 0)
    for (const warning of expected.warnings ?? [])
      expect(reader.warnings).toContainEqual(expect.objectContaining(warning))
  })

  /** stream-json says less about what is no JSON, and notices some of it only at the end. */
  const NO_JSON: readonly ErrorCode[] = ['ERR_JSON_SYNTAX', 'ERR_JSON_TRUNCATED', 'ERR_JSON_ENCODING', 'ERR_NOT_JSON']

  test.each(cases('invalid', '.error.json'))('refuses %s', async (_, bytes, expectation) => {
    const { code, record } = expectation as { code?: ErrorCode; record?: number }
    const error: unknown = await referenceOf(bytes).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!isExportError(error)) throw error ?? new Error('expected an error, found a table')
    if (code !== undefined) expect(NO_JSON.includes(code) ? NO_JSON : [code]).toContain(error.code)
    if (error.record !== undefined) expect(error.record).toBe(record)
  })

  test('gives what the model gives for random exports', async () => {
    await fc.assert(
      fc.asyncProperty(exportArbitrary(), fc.constantFrom(1, 3, 7, 64, 0), async (generated, chunkBytes) => {
        const bytes = exportBytes(generated)
        const options = { fields: generated.fields }
        let expected: unknown
        try {
          expected = modelReading(bytes, options)
        } catch {
          await expect(referenceReading(bytes, options, chunkBytes)).rejects.toSatisfy((error) => isExportError(error))
          return
        }
        expect(await referenceReading(bytes, options, chunkBytes)).toEqual(expected)
      }),
      { numRuns: 100 },
    )
  })
})

const FORMATS = ['parquet', 'arrow', 'arrows'] as const

async function written(reader: BatchReader, format: (typeof FORMATS)[number], rowGroupSize?: number): Promise<string> {
  const path = join(FOLDER, `output.${format}`)
  if (format === 'parquet') await writeParquet(reader, path, { rowGroupSize })
  else await writeIpc(reader, path)
  return path
}

/** The sample without most of its records, for the many tests that read it again and again. */
function shortSample(): Buffer {
  const whole = JSON.parse(readFileSync(SAMPLE, 'utf8')) as { records: unknown[] }
  return Buffer.from(JSON.stringify({ ...whole, records: whole.records.slice(0, 120) }))
}

const SHORT_SAMPLE = shortSample()

async function* shortSource() {
  yield SHORT_SAMPLE
}

async function sampleBatches(): Promise<{ reader: BatchReader; batches: RecordBatch[] }> {
  const reader = await readExport(SHORT_SAMPLE, { batchSize: 40 })
  const batches: RecordBatch[] = []
  for await (const batch of reader) batches.push(batch)
  return { reader, batches }
}

const SHAPES: ShapeOptions[] = [
  { answerStates: 'columns' },
  { answerStates: 'none' },
  { sets: 'columns' },
  { sets: 'both', values: 'id' },
  { values: 'both', groups: 'struct' },
  { names: 'snake', timezone: 'naive', stripHtml: true },
  { layout: 'long' },
  { layout: 'long', sensitive: 'hash', hashOwner: true, timezone: 'naive' },
  { sensitive: 'drop', exclude: ['Q*'] },
  { sensitive: 'hash', hashOwner: true, answerStates: 'columns', sets: 'both', groups: 'struct', values: 'both' },
]

describe.each(FORMATS)('verifying .%s', (format) => {
  test('finds no difference in the sample, and counts what it compared', async () => {
    const output = await written(await readExport(SAMPLE, { batchSize: 70 }), format, 100)
    const report = await verifyOutput({ source: SAMPLE, output })
    expect(report).toMatchObject({ format, records: 300, rows: 300, differences: [], differenceCount: 0 })
    expect(report.cells).toBe(report.columns * 300)
    expect(report.questions.every(({ answered, skipped, notAsked }) => answered + skipped + notAsked === 300)).toBe(
      true,
    )
  })

  test.each(cases('valid', '.expected.json'))('finds no difference in %s', async (_, bytes) => {
    const output = await written(await readExport(bytes), format)
    const source = async function* () {
      yield bytes
    }
    const report = await verifyOutput({ source, output })
    expect(report.differences).toEqual([])
    expect(report.cells).toBe(report.columns * report.records)
  })

  test('understands a selection of questions', async () => {
    const whole = await readExport(SHORT_SAMPLE)
    await whole.close()
    const fields = whole.definition.fields.filter((_, i) => i % 3 === 0).map(({ id }) => id)
    const output = await written(await readExport(SHORT_SAMPLE, { fields }), format)
    expect(await verifyOutput({ source: shortSource, output, options: { fields } })).toMatchObject({
      differenceCount: 0,
    })
    expect(await verifyOutput({ source: shortSource, output })).toMatchObject({ differenceCount: 0 })
  })

  test.each(SHAPES)('understands %j', async (shape) => {
    const options = { ...shape, hashKey: 'a key' }
    const output = await written(await readExport(SHORT_SAMPLE, options), format)
    const report = await verifyOutput({ source: shortSource, output, options })
    expect(report.differences).toEqual([])
    expect(report.cells).toBe(report.columns * report.rows)
    if (shape.hashOwner !== true) return
    const other = await verifyOutput({ source: shortSource, output, options: { ...shape, hashKey: 'another key' } })
    expect(other.differenceCount).toBeGreaterThanOrEqual(report.rows)
  })

  test.each(TABLE_DAMAGES.filter(({ formats }) => formats === undefined || formats.includes(format)))(
    'finds $name',
    async ({ damage, kind }) => {
      const { reader, batches } = await sampleBatches()
      const output = await written(damage(reader.schema, batches), format)
      const report = await verifyOutput({ source: shortSource, output, options: { maxDifferences: 5 } })
      expect(report.differences.map((difference) => difference.kind)).toContain(kind)
      expect(report.differences.length).toBeLessThanOrEqual(5)
      expect(report.differenceCount).toBeGreaterThanOrEqual(report.differences.length)
    },
  )

  test('says where a difference is, and what both sides say', async () => {
    const { reader, batches } = await sampleBatches()
    const damage = TABLE_DAMAGES.find(({ name }) => name === 'a time that is off by a microsecond')
    if (damage === undefined) throw new Error('unreachable: the damage is in the list')
    const output = await written(damage.damage(reader.schema, batches), format)
    const { differences, differenceCount } = await verifyOutput({ source: shortSource, output })
    expect(differenceCount).toBe(1)
    const [difference] = differences
    // The first record of the second batch.
    const record = (JSON.parse(SHORT_SAMPLE.toString()) as { records: { ownerId: string; lastUpdateDate: string }[] })
      .records[40]
    expect(difference).toMatchObject({ kind: 'cell', record: 41, ownerId: record?.ownerId, column: 'lastUpdateDate' })
    expect(difference?.expected).toContain(new Date(record?.lastUpdateDate ?? '').toISOString())
    expect(difference?.found).not.toBe(difference?.expected)
  })

  test('survives flipped bits: a difference or a clear error, unless they mean nothing', async () => {
    const source = join(FOLDER, 'short.json')
    writeFileSync(source, SHORT_SAMPLE)
    const output = await written(await readExport(SHORT_SAMPLE), format)
    const script = fileURLToPath(new URL('damaged-outputs.ts', import.meta.url))
    const { stdout } = await execute(process.execPath, ['--import', 'tsx', script, source, output, '40'])
    const outcomes = JSON.parse(stdout) as string[]
    expect(outcomes).toHaveLength(40)
    expect(outcomes.filter((outcome) => !['same', 'different', 'ERR_OUTPUT'].includes(outcome))).toEqual([])
    expect(outcomes.filter((outcome) => outcome !== 'same').length).toBeGreaterThan(20)
  })

  test('refuses a file that is cut off', async () => {
    const output = await written(await readExport(SAMPLE), format)
    writeFileSync(output, readFileSync(output).subarray(0, -20))
    await expect(verifyOutput({ source: SAMPLE, output })).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
  })
})
