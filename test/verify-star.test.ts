import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecordBatch } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OutputError } from '../src/errors.ts'
import { openOutputFile } from '../src/read-back/output-file.ts'
import { writeParquet } from '../src/sinks/parquet.ts'
import { type StarOptions, writeStar } from '../src/star/star.ts'
import { verifyStar } from '../src/verify/star.ts'
import { runCli } from './cli.ts'
import { STAR_DAMAGES } from './star-damage.ts'

const SAMPLE = 'fixtures/sample-export.json'
const FOLDER = mkdtempSync(join(tmpdir(), 'alida-arrow-verify-star-'))
const STAR = join(FOLDER, 'star')
const DAMAGED = join(FOLDER, 'damaged')

beforeAll(async () => {
  await writeStar(SAMPLE, STAR)
})
afterAll(() => rmSync(FOLDER, { recursive: true }))

describe('verifying the star layout', () => {
  test('finds no difference in the sample, and counts what it compared', async () => {
    const report = await verifyStar({ source: SAMPLE, output: STAR })
    expect(report).toMatchObject({ format: 'star', records: 300, differences: [], differenceCount: 0 })
    expect(report.rows).toBeGreaterThan(8000)
    expect(report.cells).toBeGreaterThan(8 * 8000)
    expect(report.questions.every(({ answered, skipped, notAsked }) => answered + skipped + notAsked === 300)).toBe(
      true,
    )
  })

  test.each<StarOptions>([
    { timezone: 'naive' },
    { names: 'id' },
    { names: 'snake', stripHtml: true },
    { names: 'description' },
    { sensitive: 'drop' },
    { sensitive: 'hash', hashOwner: true, hashKey: 'key' },
    { fields: ['Gender', 'Q*'], exclude: ['Quota*'] },
    { hidden: false, system: false },
    { compression: 'zstd', batchSize: 7 },
    { onInvalid: 'null' },
    { keepUnknown: true },
  ])('understands %j', async (options) => {
    const output = join(FOLDER, 'shaped')
    await writeStar(SAMPLE, output, options)
    const report = await verifyStar({ source: SAMPLE, output, options })
    expect(report.differences).toEqual([])
    expect(report.cells).toBeGreaterThan(1000)
    rmSync(output, { recursive: true })
  })

  test('understands unknown options, labels that clash with them, empty sets and no records', async () => {
    const values = [
      { id: '1', name: 'A' },
      { id: '2', name: 'B' },
      { id: '3', name: 'B' },
    ]
    const fields = [
      { id: 'e', name: 'E', type: { dataType: 'enum', values } },
      { id: 's', name: 'S', type: { dataType: 'set', values } },
    ]
    const answers = (e: unknown, s: unknown) => [
      { id: 'e', values: e },
      { id: 's', values: s },
    ]
    const all = [answers(['A'], ['x', 'A', '3']), answers(null, []), answers(['x'], null), answers(['3'], ['x'])]
    for (const records of [all.map((fields, i) => ({ ownerId: `o${i}`, fields })), []]) {
      const bytes = Buffer.from(JSON.stringify({ definition: { fields }, records }))
      const output = join(FOLDER, 'odd')
      await writeStar(bytes, output, { batchSize: 1 })
      const source = async function* () {
        yield bytes
      }
      const report = await verifyStar({ source, output })
      expect(report.differences).toEqual([])
      expect(report.records).toBe(records.length)
    }
  })

  test.each(STAR_DAMAGES)('finds $name in $table', async ({ table, damage, kind }) => {
    rmSync(DAMAGED, { recursive: true, force: true })
    cpSync(STAR, DAMAGED, { recursive: true })
    const path = join(DAMAGED, `${table}.parquet`)
    const file = await openOutputFile(path, (problem) => new OutputError('ERR_OUTPUT', problem))
    const batches: RecordBatch[] = []
    for await (const batch of file.batches((read) => read)) batches.push(batch)
    await writeParquet(damage(file.schema, batches), `${path}.new.parquet`)
    renameSync(`${path}.new.parquet`, path)
    const { differences, differenceCount } = await verifyStar({ source: SAMPLE, output: DAMAGED })
    expect(differences.map((difference) => [difference.kind, difference.table])).toContainEqual([kind, table])
    expect(differences.every((difference) => difference.table === table)).toBe(true)
    expect(differenceCount).toBeGreaterThan(0)
  })

  test('refuses a folder in which a table is missing or no table at all', async () => {
    rmSync(DAMAGED, { recursive: true, force: true })
    cpSync(STAR, DAMAGED, { recursive: true })
    writeFileSync(join(DAMAGED, 'options.parquet'), readFileSync(join(DAMAGED, 'options.parquet')).subarray(0, 100))
    await expect(verifyStar({ source: SAMPLE, output: DAMAGED })).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
    rmSync(join(DAMAGED, 'options.parquet'))
    await expect(verifyStar({ source: SAMPLE, output: DAMAGED })).rejects.toMatchObject({ code: 'ERR_OUTPUT' })
  })
})

describe('the command line', () => {
  test('verifies a folder, after convert and on its own, and says where it differs', async () => {
    const output = join(FOLDER, 'written')
    const converted = await runCli(['convert', SAMPLE, '-o', output, '--layout', 'star', '--verify'])
    expect(converted.code).toBe(0)
    expect(converted.stderr).toMatch(/verified {2}[\d,]+ cells/)
    const verified = await runCli(['verify', SAMPLE, output, '--layout', 'star'])
    expect(verified.code).toBe(0)
    expect(verified.stdout.toString()).toMatch(/no difference/)
    const other = join(FOLDER, 'other.json')
    writeFileSync(other, readFileSync(SAMPLE, 'utf8').replace(/"ownerId":\s*"[^"]*"/, '"ownerId":"somebody else"'))
    const { code, stdout } = await runCli(['verify', other, output])
    expect(code).toBe(1)
    expect(stdout.toString()).toMatch(/cell: expected "somebody else", found .* \(table responses, record 1,/)
  })
})
