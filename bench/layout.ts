/** How records are written as JSON: white space and the order of keys. */
import type { Shape } from './shapes.ts'

export interface Layout {
  readonly answerSeparator: string
  readonly valueSeparator: string
  /** One answer; `values` are JSON tokens, joined with `valueSeparator` already, or null for a skip. */
  answer(fieldId: string, values: string | null): string
  record(ownerId: string, lastUpdateDate: string, answers: string): string
}

export function layoutOf(shape: Shape): Layout {
  if (shape.layout === 'pretty') return PRETTY
  return { usual: COMPACT, odd: ODD, more: MORE }[shape.members]
}

const COMPACT: Layout = {
  answerSeparator: ',',
  valueSeparator: ',',
  answer: (fieldId, values) => `{"id":"${fieldId}","values":${values === null ? 'null' : `[${values}]`}}`,
  record: (ownerId, date, answers) => `{"ownerId":"${ownerId}","lastUpdateDate":"${date}","fields":[${answers}]}`,
}

const ODD: Layout = {
  ...COMPACT,
  answer: (fieldId, values) => `{"values":${values === null ? 'null' : `[${values}]`},"id":"${fieldId}"}`,
  record: (ownerId, date, answers) => `{"fields":[${answers}],"lastUpdateDate":"${date}","ownerId":"${ownerId}"}`,
}

const MORE: Layout = {
  ...COMPACT,
  answer: (fieldId, values) => COMPACT.answer(fieldId, values).replace('{', '{"questionOrder":1,'),
  record: (ownerId, date, answers) => COMPACT.record(ownerId, date, answers).replace('{', '{"status":"complete",'),
}

/** Two spaces a level, as JSON.stringify(export, null, 2) writes it. */
const PRETTY: Layout = {
  answerSeparator: ',\n',
  valueSeparator: ',\n            ',
  answer(fieldId, values) {
    const list = values === null ? 'null' : values === '' ? '[]' : `[\n            ${values}\n          ]`
    return `        {\n          "id": "${fieldId}",\n          "values": ${list}\n        }`
  },
  record(ownerId, date, answers) {
    const fields = answers === '' ? '[]' : `[\n${answers}\n      ]`
    return `\n    {\n      "ownerId": "${ownerId}",\n      "lastUpdateDate": "${date}",\n      "fields": ${fields}\n    }`
  },
}
