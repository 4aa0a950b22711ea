import { readFileSync } from 'node:fs'
import type { ModuleRival } from '../rival.ts'
import type { ParsedRecord } from '../wide-table.ts'

export const jsonParse: ModuleRival = {
  name: 'json-parse',
  title: 'JSON.parse of the whole file',
  makes: 'objects',
  lacks: 'no table; needs the whole document in memory and fails beyond 512 MB',
  async load() {
    return async (file) => {
      const { records } = JSON.parse(readFileSync(file, 'utf8')) as { records: ParsedRecord[] }
      return { records: records.length, answers: records.reduce((sum, record) => sum + record.fields.length, 0) }
    }
  },
}
