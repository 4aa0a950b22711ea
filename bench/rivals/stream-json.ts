import { createReadStream } from 'node:fs'
import { sliceExport } from '../record-slices.ts'
import type { ModuleRival } from '../rival.ts'
import type { ParsedRecord } from '../wide-table.ts'

/** Without these, every text and number is sent in pieces and whole; with them it is about twice as fast. */
const TUNED = { packValues: true, streamValues: false }

async function loadPipeline(options: object): Promise<(file: string) => AsyncIterable<{ value: ParsedRecord }>> {
  const { chain } = await import('stream-chain')
  const { parser } = await import('stream-json')
  const { pick } = await import('stream-json/filters/pick.js')
  const { streamArray } = await import('stream-json/streamers/stream-array.js')
  return (file) =>
    chain([createReadStream(file), parser(options), pick({ filter: 'records' }), streamArray()]) as AsyncIterable<{
      value: ParsedRecord
    }>
}

function objects(name: string, title: string, lacks: string, options: object): ModuleRival {
  return {
    name,
    title,
    makes: 'nothing',
    lacks,
    async load() {
      const pipeline = await loadPipeline(options)
      return async (file) => {
        let records = 0
        let answers = 0
        for await (const { value } of pipeline(file)) {
          records++
          answers += value.fields.length
        }
        return { records, answers }
      }
    },
  }
}

export const streamJson = objects('stream-json', 'stream-json as its documentation shows', 'no table', {})

export const streamJsonTuned = objects('stream-json-tuned', 'stream-json with its fastest options', 'no table', TUNED)

export const streamJsonParquet: ModuleRival = {
  name: 'stream-json-parquet',
  title: 'stream-json (fastest options), arrow-js, parquet-wasm',
  makes: 'parquet',
  lacks: 'an unknown option becomes null; the definition is read by a separate hand-written step',
  async load() {
    const pipeline = await loadPipeline(TUNED)
    const { writeWideTable } = await import('../wide-table.ts')
    return async (file, out) => {
      const sliced = sliceExport(file)
      sliced.close()
      return { records: await writeWideTable(sliced.fields, values(pipeline(file)), out) }
    }
  },
}

async function* values(items: AsyncIterable<{ value: ParsedRecord }>): AsyncGenerator<ParsedRecord> {
  for await (const { value } of items) yield value
}
