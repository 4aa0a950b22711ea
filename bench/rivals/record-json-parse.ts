import { sliceExport } from '../record-slices.ts'
import type { ModuleRival } from '../rival.ts'
import type { ParsedRecord } from '../wide-table.ts'

export const recordJsonParse: ModuleRival = {
  name: 'record-json-parse',
  title: 'JSON.parse of each record',
  makes: 'nothing',
  lacks: 'no table; trusts the layout of the document to cut it into records',
  async load() {
    return async (file) => {
      const sliced = sliceExport(file)
      let records = 0
      let answers = 0
      for (const slice of sliced.records()) {
        records++
        answers += (JSON.parse(slice.toString()) as ParsedRecord).fields.length
      }
      sliced.close()
      return { records, answers }
    }
  },
}

export const recordJsonParseParquet: ModuleRival = {
  name: 'record-json-parse-parquet',
  title: 'JSON.parse of each record, arrow-js, parquet-wasm',
  makes: 'parquet',
  lacks: 'trusts the layout of the document; an unknown option becomes null',
  async load() {
    const { writeWideTable } = await import('../wide-table.ts')
    return async (file, out) => {
      const sliced = sliceExport(file)
      const records = await writeWideTable(sliced.fields, parsed(sliced.records()), out)
      sliced.close()
      return { records }
    }
  },
}

function* parsed(slices: Iterable<Buffer>): Generator<ParsedRecord> {
  for (const slice of slices) yield JSON.parse(slice.toString()) as ParsedRecord
}
