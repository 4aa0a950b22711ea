/**
 * Writes a synthetic export of a given shape and size, and beside it what a reader must find in it:
 * `tsx bench/generate.ts --shape typical --records 100000 --out FILE [--seed 1]`
 */
import { once } from 'node:events'
import { createWriteStream, renameSync, statSync, writeFileSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Random } from '../fixtures/random.ts'
import { addCell, type ColumnSum, textHash, timeHash } from './checksum.ts'
import { type Layout, layoutOf } from './layout.ts'
import { makeQuestion, type Question } from './questions.ts'
import { type QuestionType, type Shape, shapeNamed } from './shapes.ts'

/** What is in a generated file. Kept as `<file>.tally.json`. */
export interface Tally {
  shape: string
  bytes: number
  records: number
  /** Entries of `fields` over all records; some of them are skips (`values: null`). */
  answers: number
  skipped: number
  /** Elements of all `values`. */
  values: number
  /** `ownerId`, `lastUpdateDate`, then the questions. */
  columns: ColumnSum[]
}

const CHUNK_CHARACTERS = 1 << 20
const FIRST_UPDATE_MS = Date.UTC(2026, 0, 1)

/** Yields the export as pieces of JSON and fills the tally on the way. */
export function* exportJson(shape: Shape, records: number, seed: number, tally: Tally): Generator<string> {
  const random = new Random(seed)
  const layout = layoutOf(shape)
  const questions = dealtOut(shape).map((type, i) => makeQuestion(type, i + 1, shape, layout, random))
  tally.columns = ['ownerId', 'lastUpdateDate', ...questions.map((q) => q.name)].map((name) => ({
    name,
    count: 0,
    sum: 0,
  }))
  const head = header(questions, random)
  const headJson =
    shape.layout === 'pretty' ? JSON.stringify(head, null, 2).slice(0, -2) : JSON.stringify(head).slice(0, -1)
  let chunk = shape.layout === 'pretty' ? `${headJson},\n  "records": [` : `${headJson},"records":[`
  for (let row = 0; row < records; row++) {
    chunk += (row === 0 ? '' : ',') + recordJson(row, shape, layout, questions, random, tally)
    if (chunk.length < CHUNK_CHARACTERS) continue
    yield chunk
    chunk = ''
  }
  yield `${chunk}${shape.layout === 'pretty' ? '\n  ]\n}\n' : ']}'}`
}

function recordJson(
  row: number,
  shape: Shape,
  layout: Layout,
  questions: readonly Question[],
  random: Random,
  tally: Tally,
): string {
  const { columns } = tally
  const ownerId = random.guid()
  const updatedMs = FIRST_UPDATE_MS + row * 1000 + random.below(1000)
  addCell(columns[0] as ColumnSum, row, textHash(ownerId))
  addCell(columns[1] as ColumnSum, row, timeHash(updatedMs))
  const asked = row < shape.firstAnswer ? 1 : questions.length
  let answers = ''
  for (let i = 0; i < asked; i++) {
    const fate = random.unit()
    const isSkipped = fate >= shape.answered
    if (fate >= shape.answered + shape.skipped) continue
    const question = questions[i] as Question
    if (answers !== '') answers += layout.answerSeparator
    tally.answers++
    if (isSkipped) {
      tally.skipped++
      answers += question.skip
      continue
    }
    const answer = question.draw(random)
    answers += answer.text
    tally.values += answer.values
    addCell(columns[i + 2] as ColumnSum, row, answer.hash)
  }
  tally.records++
  return layout.record(ownerId, new Date(updatedMs).toISOString(), answers)
}

/** The data types of the questions in survey order: every type is spread over the whole survey. */
function dealtOut(shape: Shape): QuestionType[] {
  const types = Object.entries(shape.questions) as [QuestionType, number][]
  const places = types.flatMap(([type, count]) =>
    Array.from({ length: count }, (_, i) => ({ type, place: (i + 0.5) / count })),
  )
  return places.sort((a, b) => a.place - b.place).map(({ type }) => type)
}

function header(questions: readonly Question[], random: Random): object {
  return {
    id: random.guid(),
    datasetId: random.guid(),
    exportOptions: {
      fieldIds: questions.map((question) => question.id),
      sinceDatetime: '2026-01-01T00:00:00Z',
      untilDatetime: '2026-12-31T00:00:00Z',
    },
    exportDate: '2027-01-01T06:00:00.000Z',
    lastSyncDate: '2027-01-01T05:58:41.120Z',
    definition: { fields: questions.map((question) => question.definition), fieldGroups: [] },
  }
}

/** Writes `file` and `<file>.tally.json`; the file appears under its name only when it is complete. */
export async function generateExport(shape: Shape, records: number, file: string, seed = 1): Promise<Tally> {
  const tally: Tally = { shape: shape.name, bytes: 0, records: 0, answers: 0, skipped: 0, values: 0, columns: [] }
  const partial = `${file}.partial`
  const stream = createWriteStream(partial)
  for (const chunk of exportJson(shape, records, seed, tally)) {
    if (!stream.write(chunk)) await once(stream, 'drain')
  }
  stream.end()
  await finished(stream)
  tally.bytes = statSync(partial).size
  writeFileSync(`${file}.tally.json`, JSON.stringify(tally))
  renameSync(partial, file)
  return tally
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      shape: { type: 'string', default: 'typical' },
      records: { type: 'string' },
      out: { type: 'string' },
      seed: { type: 'string', default: '1' },
    },
  })
  if (values.out === undefined) throw new Error('--out FILE is missing')
  const shape = shapeNamed(values.shape)
  const startMs = performance.now()
  const tally = await generateExport(shape, Number(values.records ?? shape.records), values.out, Number(values.seed))
  const seconds = (performance.now() - startMs) / 1000
  const megabytes = tally.bytes / 1e6
  console.log(
    `${values.out}: ${tally.records} records, ${megabytes.toFixed(1)} MB, ${(tally.bytes / tally.records / 1000).toFixed(2)} kB a record, ` +
      `${seconds.toFixed(1)} s, ${(megabytes / seconds).toFixed(0)} MB/s`,
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
