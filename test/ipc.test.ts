import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { DataType, type Dictionary, Field, type RecordBatch, Schema, tableFromIPC } from 'apache-arrow'
import { afterAll, describe, expect, test } from 'vitest'
import { openReader, readExport } from '../src/reader.ts'
import { type IpcFormat, writeIpc } from '../src/sinks/ipc.ts'
import { writeParquet } from '../src/sinks/parquet.ts'
import { batchOf, columnData, dictionaryType, FLOAT64, labelVector, UTF8 } from './arrow-columns.ts'
import { plainTable } from './plain-table.ts'
import { readOnce } from './reading.ts'
import { surveyJson } from './survey.ts'

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FORMATS: IpcFormat[] = ['arrow', 'arrows']

/** Keeps what it is given, one chunk at a time, each after a while. */
class SlowSink extends Writable {
  bytes = 0
  mostQueued = 0
  readonly chunks: Buffer[] = []
  readonly #delay: number

  constructor(delay: number) {
    super({ highWaterMark: 1 })
    this.#delay = delay
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.mostQueued = Math.max(this.mostQueued, this.writableLength)
    this.bytes += chunk.length
    this.chunks.push(Buffer.from(chunk))
    setTimeout(done, this.#delay)
  }
}

function batchesOf(schema: Schema, batches: RecordBatch[]) {
  return Object.assign(
    (async function* () {
      yield* batches
    })(),
    { schema },
  )
}

describe('format', () => {
  test.for<[string, IpcFormat | undefined, IpcFormat]>([
    ['x.arrow', undefined, 'arrow'],
    ['x.feather', undefined, 'arrow'],
    ['x.arrows', undefined, 'arrows'],
    ['y.arrow', 'arrows', 'arrows'],
    ['y.arrows', 'arrow', 'arrow'],
  ])('%s with %s is %s', async ([name, format, expected]) => {
    const path = join(folder, name)
    const { outputBytes } = await writeIpc(await readExport(surveyJson(3)), path, { format })
    const file = readFileSync(path)
    expect(file.length).toBe(outputBytes)
    expect(file.subarray(0, 6).toString() === 'ARROW1').toBe(expected === 'arrow')
  })

  test('is a stream for a stream', async () => {
    const sink = new SlowSink(0)
    await writeIpc(await readExport(surveyJson(3)), sink)
    expect(tableFromIPC(Buffer.concat(sink.chunks)).numRows).toBe(3)
    expect(sink.chunks[0]?.subarray(0, 6).toString()).not.toBe('ARROW1')
  })
})

describe('the traps of arrow-js', () => {
  test.for(FORMATS)('no batches still give a file with a schema: %s', async (format) => {
    const reader = await readExport(surveyJson(0))
    const path = join(folder, `empty.${format}`)
    expect((await writeIpc(reader, path, { format })).outputBytes).toBeGreaterThan(500)
    const table = tableFromIPC(readFileSync(path))
    expect(table.numRows).toBe(0)
    expect(table.schema.fields.map(({ name }) => name)).toEqual(reader.schema.fields.map(({ name }) => name))
  })

  test.for(FORMATS)('a batch of another schema is an error, not a silent end: %s', async (format) => {
    const schemas = [true, false].map((nullable) => new Schema([new Field('a', FLOAT64, nullable)]))
    const [schema, stricter] = schemas as [Schema, Schema]
    const batch = (of: Schema) => batchOf(of, [columnData(FLOAT64, [1, 2])])
    const path = join(folder, `schema.${format}`)
    writeFileSync(path, 'older')
    const writing = writeIpc(batchesOf(schema, [batch(schema), batch(stricter)]), path, { format })
    await expect(writing).rejects.toThrow(/expected batches of one schema/)
    expect(readFileSync(path, 'utf8')).toBe('older')
    const renamed = new Schema([new Field('b', FLOAT64, true)])
    await expect(writeIpc(batchesOf(schema, [batch(renamed)]), path, { format })).rejects.toThrow(/one schema/)
  })

  test('column names and dictionary ids are unique, whatever the definition says', async () => {
    const names = ['', 'A', 'a', 'A_2', 'ownerId', 'SKIPPED', 'A', '']
    const fields = names.flatMap((name, i) =>
      ['enum', 'set', 'string'].map((dataType) => ({ id: `${dataType}${i}`, name, type: { dataType } })),
    )
    const { schema } = await readExport(Buffer.from(JSON.stringify({ definition: { fields }, records: [] })))
    const unique = new Set(schema.fields.map(({ name }) => name.toLowerCase()))
    expect(unique.size).toBe(fields.length + 3)
    expect(unique.has('')).toBe(false)
    const dictionaries = schema.fields.flatMap(({ type }) => {
      const inner = DataType.isList(type) ? type.children[0]?.type : type
      return DataType.isDictionary(inner) ? [inner as Dictionary] : []
    })
    expect(new Set(dictionaries.map(({ id }) => id)).size).toBe(2 * names.length + 1)
    expect(new Set(dictionaries.map(({ dictionary }) => dictionary)).size).toBe(1)
  })

  test.for(FORMATS)('a column that is shorter than its batch is no column: %s', async (format) => {
    const schema = new Schema([new Field('a', UTF8, true), new Field('b', FLOAT64, false)])
    const short = batchOf(schema, [columnData(UTF8, ['x', 'y']), columnData(FLOAT64, [1])])
    await expect(writeIpc(batchesOf(schema, [short]), join(folder, 'short'), { format })).rejects.toThrow(/one schema/)
  })

  test('nothing is compressed', async () => {
    const text = 'compressible '.repeat(10_000)
    const document = { definition: { fields: [{ id: 'f', name: 'F', type: { dataType: 'string' } }] } }
    const records = [{ ownerId: 'p', fields: [{ id: 'f', values: [text] }] }]
    const path = join(folder, 'plain.arrow')
    await writeIpc(await readExport(Buffer.from(JSON.stringify({ ...document, records }))), path)
    expect(readFileSync(path).includes(text)).toBe(true)
  })

  test.for(FORMATS)('a dictionary that grows is written whole, not as a delta: %s', async (format) => {
    const type = dictionaryType(16, 0)
    const schema = new Schema([new Field('a', type, true)])
    const labels = ['x', 'y', 'z']
    const batches = labels.map((label, i) =>
      batchOf(schema, [columnData(type, [label, null, 'x'], labelVector(labels.slice(0, i + 1)))]),
    )
    const path = join(folder, `grown.${format}`)
    await writeIpc(batchesOf(schema, batches), path, { format })
    const table = tableFromIPC(readFileSync(path))
    expect(plainTable(table.schema, table.batches).rows.map(([cell]) => cell)).toEqual([
      ...['x', null, 'x'],
      ...['y', null, 'x'],
      ...['z', null, 'x'],
    ])
  })

  test('batches share one dictionary as long as it does not grow', async () => {
    const reader = await readExport(surveyJson(30), { batchSize: 10 })
    const dictionaries = new Set<unknown>()
    for await (const batch of reader) dictionaries.add(batch.data.children[2]?.dictionary)
    expect(dictionaries.size).toBe(1)
  })
})

describe('a slow consumer', () => {
  test.for<[string, (reader: Awaited<ReturnType<typeof readExport>>, sink: Writable) => Promise<unknown>]>([
    ['arrows', (reader, sink) => writeIpc(reader, sink)],
    ['arrow', (reader, sink) => writeIpc(reader, sink, { format: 'arrow' })],
    ['parquet', (reader, sink) => writeParquet(reader, sink, { rowGroupSize: 100 })],
  ])('is waited for: no more than one chunk is queued, and the input is not read ahead: %s', async ([, write]) => {
    const document = surveyJson(2000)
    let pulled = 0
    const source = (async function* () {
      for (let at = 0; at < document.length; at += 4096) {
        pulled += Math.min(4096, document.length - at)
        yield document.subarray(at, at + 4096)
      }
    })()
    const reader = await openReader(source, { batchSize: 100 }, { windowBytes: 4096 })
    let blocked: (() => void) | undefined
    let mostQueued = 0
    const chunks: Buffer[] = []
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        mostQueued = Math.max(mostQueued, this.writableLength - chunk.length)
        chunks.push(Buffer.from(chunk))
        if (chunks.length === 1) blocked = done
        else done()
      },
    })
    const writing = write(reader, sink)
    await expect.poll(() => blocked).toBeDefined()
    await sleep(50)
    expect(pulled).toBeLessThan(document.length / 2)
    blocked?.()
    expect(await writing).toEqual({ outputBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0) })
    expect(mostQueued).toBe(0)
    expect(pulled).toBe(document.length)
  })
})

test('batches end early where texts are long, so that no column reaches 2 GiB', async () => {
  const text = 'x'.repeat(2 ** 20)
  const definition = { fields: [{ id: 'f', name: 'F', type: { dataType: 'string' } }] }
  const source = (async function* () {
    yield Buffer.from(`{"definition":${JSON.stringify(definition)},"records":[`)
    for (let n = 0; n < 150; n++) {
      yield Buffer.from(`${n > 0 ? ',' : ''}{"ownerId":"${n}","fields":[{"id":"f","values":["${text}"]}]}`)
    }
    yield Buffer.from(']}')
  })()
  const rows: number[] = []
  for await (const batch of await readExport(source)) {
    rows.push(batch.numRows)
    expect(batch.data.children[2]?.values.byteLength).toBeLessThan(70 * 2 ** 20)
  }
  expect(rows.length).toBeGreaterThan(1)
  expect(rows.reduce((sum, n) => sum + n)).toBe(150)
})

test('written and read again, an export is the same table', async () => {
  const bytes = surveyJson(300)
  const { columns, rows, dictionaries } = await readOnce(bytes)
  for (const format of FORMATS) {
    const path = join(folder, `whole.${format}`)
    await writeIpc(await readExport(bytes, { batchSize: 70 }), path, { format })
    const table = tableFromIPC(readFileSync(path))
    expect(plainTable(table.schema, table.batches)).toEqual({ columns, rows, dictionaries })
  }
  expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([])
})
