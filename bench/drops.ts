/**
 * Downloads an export again and again over connections that break off at random, and converts it on the way:
 * `npm run bench:drops [-- --downloads N --seed N]`. Every file must be the one that an undisturbed download gives, or
 * the download must end with an error of ours. A wrong file is exit code 1.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { convertExport, ExportClient, isExportError } from '../dist/index.js'
import { Random } from '../fixtures/random.ts'
import { BATCH_ID, COMMUNITY } from '../test/fake-alida/api.ts'
import { FakeAlida } from '../test/fake-alida/fake-alida.ts'
import type { Fault } from '../test/fake-alida/fault.ts'
import { GIVEN_TOKEN } from '../test/fake-alida/test-client.ts'
import { exportJson, type Tally } from './generate.ts'
import { progress } from './progress.ts'
import { shapeNamed } from './shapes.ts'

/** Some 6 MB: enough for worker threads. */
const RECORDS = 1500
const MOST_DROPS = 6
const ANOTHER_FILE = 'ANOTHER FILE'

const { values } = parseArgs({ options: { downloads: { type: 'string' }, seed: { type: 'string' } } })
const random = new Random(Number(values.seed ?? 1))
const downloads = Number(values.downloads ?? 100)

const tally: Tally = { shape: '', bytes: 0, records: 0, answers: 0, skipped: 0, values: 0, columns: [] }
const document = Buffer.from([...exportJson(shapeNamed('typical'), RECORDS, 1, tally)].join(''))
const packed = gzipSync(document, { level: 1 })
const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-drops-'))
const output = join(folder, 'out.parquet')
const fake = await FakeAlida.start()
const outcomes = new Map<string, number>()
const examples = new Map<string, string>()
let drops = 0
try {
  const expected = await converted(document, 1)
  for (let i = 0; i < downloads; i++) {
    progress(`${i + 1} of ${downloads} …`)
    const outcome = await disturbed(i, expected)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  progress('')
  console.log(`${downloads} downloads of ${(document.length / 1e6).toFixed(1)} MB, ${drops} drops`)
  for (const [outcome, count] of outcomes) {
    console.log(
      `  ${String(count).padStart(3)}  ${outcome}${examples.has(outcome) ? `, such as: ${examples.get(outcome)}` : ''}`,
    )
  }
  if (outcomes.has(ANOTHER_FILE)) process.exitCode = 1
} finally {
  await fake.close()
  rmSync(folder, { recursive: true })
}

/** One download with a store, a framing and drops of its own. */
async function disturbed(i: number, expected: Buffer): Promise<string> {
  const bytes = random.unit() < 0.3 ? packed : document
  fake.file.contentEncoding = bytes === packed && random.unit() < 0.5 ? 'gzip' : undefined
  fake.file.etag = oneOf(['"version-1"', 'W/"version-1"', undefined])
  fake.file.framing = oneOf(['length', 'chunked', 'close'])
  fake.file.ranges = random.unit() < 0.7
  fake.linkForm = oneOf(['redirect', 'location', 'json', 'direct'])
  fake.linkUses = oneOf([1, Number.POSITIVE_INFINITY])
  fake.faults.store = Array.from({ length: random.below(MOST_DROPS + 1) }, () => fault(bytes.length))
  fake.faults.file = fake.linkForm === 'direct' ? fake.faults.store.splice(0) : []
  drops += fake.faults.store.length + fake.faults.file.length
  try {
    const file = await converted(bytes, 1 + (i % 2))
    return file.equals(expected) ? 'identical file' : ANOTHER_FILE
  } catch (error) {
    if (!isExportError(error)) throw error
    examples.set(error.code, error.message)
    return error.code
  }
}

function fault(length: number): Fault {
  const afterBytes = random.below(length)
  return oneOf<Fault>([
    { kind: 'cut', afterBytes },
    { kind: 'cut', afterBytes },
    { kind: 'short', afterBytes },
    { kind: 'reset' },
    { kind: 'answer', status: 503 },
  ])
}

async function converted(bytes: Buffer, threads: number): Promise<Buffer> {
  fake.file.bytes = bytes
  const client = new ExportClient({
    baseUrl: fake.apiOrigin,
    community: COMMUNITY,
    token: GIVEN_TOKEN,
    retry: { baseDelayMs: 1, maxDelayMs: 5 },
  })
  try {
    await convertExport(client.download(BATCH_ID), output, { threads, rowGroupSize: 500 })
    return readFileSync(output)
  } finally {
    await client.close()
  }
}

function oneOf<T>(choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T
}
