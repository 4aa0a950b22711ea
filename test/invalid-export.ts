/** Random exports with values that do not fit, written by hand so that every place is known. */

import fc from 'fast-check'
import type { RejectedValue } from '../src/decode/rejects.ts'

export const guid = (kind: number, n: number) =>
  `${String(kind).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

const options = (kind: number) => [0, 1, 2].map((i) => ({ id: guid(kind, i), name: `Option ${kind}.${i}` }))

export const FIELDS = [
  { id: guid(1, 0), name: 'Pick', type: { dataType: 'enum', values: options(2) } },
  { id: guid(1, 1), name: 'Many', type: { dataType: 'set', values: options(3) } },
  { id: guid(1, 2), name: 'Number', type: { dataType: 'double' } },
  { id: guid(1, 3), name: 'When', type: { dataType: 'datetime' } },
  { id: guid(1, 4), name: 'Text', type: { dataType: 'string' } },
]

type Code = 'ERR_VALUE' | 'ERR_TOO_MANY_VALUES' | 'ERR_FIELD_REPEATED'

interface Values {
  /** As they are written; undefined leaves them out. */
  readonly json: string | undefined
  /** Why they do not fit. */
  readonly code?: Code
}

interface AnswerPlan {
  readonly field: number
  readonly first: Values
  /** The same field a second time. */
  readonly again?: Values
}

export interface RecordPlan {
  readonly ownerId: string | undefined
  readonly isOwnerLast: boolean
  readonly isIdLast: boolean
  readonly date: Values
  readonly answers: readonly AnswerPlan[]
  /** An answer to a field that the definition does not know. */
  readonly unknown?: string
}

const ok = (json: string | undefined): Values => ({ json })
const bad = (json: string): Values => ({ json, code: 'ERR_VALUE' })
const many = (json: string): Values => ({ json, code: 'ERR_TOO_MANY_VALUES' })

const FITTING: readonly (readonly Values[])[] = [
  [ok(`["${guid(2, 0)}"]`), ok(`["${guid(2, 1)}"]`), ok('["gone"]'), ok(`[null,"${guid(9, 1)}"]`)],
  [ok(`["${guid(3, 0)}","${guid(3, 2)}"]`), ok('[]'), ok(`["${guid(9, 2)}"]`)],
  [ok('[1.5]'), ok('["42"]'), ok('7')],
  [ok('["2026-03-01T10:00:00Z"]'), ok('["2026-03-01"]')],
  [ok('["text"]'), ok('["a \\"b\\" é"]'), ok('[1.50]'), ok('["\\ud800"]')],
]

const NOT_FITTING: readonly (readonly Values[])[] = [
  [bad('[{}]'), bad('[true]'), many('["new one","other"]'), many(`[ "${guid(2, 0)}" , "${guid(2, 1)}" ]`)],
  [bad('["newer",{"a":[1, 2]}]'), bad(`["${guid(3, 0)}", false ]`), bad('[["x"]]')],
  [bad('["many"]'), bad('[1e400]'), bad('"1,5"'), many('[1, 2]'), bad('[ {"a": "\\u00e9"} ]')],
  [bad('["2026-02-30"]'), bad('[12]'), many('["2026-03-01", "2026-03-02"]')],
  [bad('[{}]'), bad('[["é"]]'), many('["a","b"]')],
]

const SKIPS = [ok('null'), ok('[null]'), ok(undefined)]

const answerPlan = (field: number): fc.Arbitrary<AnswerPlan> => {
  const fitting = fc.constantFrom(...FITTING[field]!)
  const notFitting = fc.constantFrom(...NOT_FITTING[field]!)
  const any = fc.oneof(
    { weight: 5, arbitrary: fitting },
    { weight: 1, arbitrary: fc.constantFrom(...SKIPS) },
    { weight: 2, arbitrary: notFitting },
  )
  return fc
    .record({ field: fc.constant(field), first: any, again: fc.option(any, { nil: undefined, freq: 12 }) })
    .map(({ again, ...plan }) => (again === undefined ? plan : { ...plan, again }))
}

const recordPlan: fc.Arbitrary<RecordPlan> = fc
  .record({
    ownerId: fc.option(fc.string({ maxLength: 6 }), { nil: undefined, freq: 9 }),
    isOwnerLast: fc.boolean(),
    isIdLast: fc.nat(8).map((n) => n === 0),
    date: fc.oneof(
      { weight: 6, arbitrary: fc.constant(ok('"2026-03-01T10:00:00Z"')) },
      { weight: 1, arbitrary: fc.constantFrom(bad('"yesterday"'), bad('{"at": 1}'), bad('20260301')) },
    ),
    answers: fc
      .tuple(...FIELDS.map((_, field) => answerPlan(field)))
      .chain((answers) => fc.subarray(answers, { minLength: 1 })),
    unknown: fc.option(fc.constantFrom('null', '["lost"]', '{"a":[1.50,"\\u0041"]}'), { nil: undefined, freq: 4 }),
  })
  .map(({ unknown, ...plan }) => (unknown === undefined ? plan : { ...plan, unknown }))

export const invalidExport: fc.Arbitrary<WrittenExport> = fc
  .tuple(fc.array(recordPlan, { minLength: 1, maxLength: 14 }), fc.boolean(), fc.boolean())
  .map(([records, isSpaced, isRecordsFirst]) => writtenExport(records, { isSpaced, isRecordsFirst }))

export interface WrittenExport {
  readonly bytes: Buffer
  /** What must be left out, but for the reasons. */
  readonly rejects: Omit<RejectedValue, 'reason'>[]
  /** Per record the names that `invalid` must list. */
  readonly invalid: string[][]
  /** Per record what `_extra` must hold. */
  readonly extra: (string | null)[]
}

/** Writes the document and notes what must come of it. */
export function writtenExport(
  records: readonly RecordPlan[],
  { isSpaced = false, isRecordsFirst = false }: { isSpaced?: boolean; isRecordsFirst?: boolean } = {},
): WrittenExport {
  return new Writer(isSpaced, isRecordsFirst).write(records)
}

class Writer {
  readonly #comma: string
  readonly #colon: string
  readonly #isRecordsFirst: boolean
  #text = ''
  readonly #rejects: Omit<RejectedValue, 'reason'>[] = []
  readonly #invalid: string[][] = []
  readonly #extra: (string | null)[] = []

  constructor(isSpaced: boolean, isRecordsFirst: boolean) {
    this.#comma = isSpaced ? ' ,\n  ' : ','
    this.#colon = isSpaced ? ' : ' : ':'
    this.#isRecordsFirst = isRecordsFirst
  }

  write(records: readonly RecordPlan[]): WrittenExport {
    const definition = `"definition"${this.#colon}${JSON.stringify({ fields: FIELDS })}`
    this.#text = '{'
    if (!this.#isRecordsFirst) this.#text += definition + this.#comma
    this.#text += `"records"${this.#colon}[`
    for (const [i, record] of records.entries()) {
      if (i > 0) this.#text += this.#comma
      this.#record(record, i + 1)
    }
    this.#text += this.#isRecordsFirst ? `]${this.#comma}${definition}}` : ']}'
    return {
      bytes: Buffer.from(this.#text),
      rejects: this.#rejects,
      invalid: this.#invalid,
      extra: this.#extra,
    }
  }

  #record(plan: RecordPlan, record: number): void {
    const place = { record, ownerId: plan.ownerId ?? null }
    const invalid: string[] = []
    const owner = plan.ownerId === undefined ? [] : [() => this.#member('ownerId', JSON.stringify(plan.ownerId))]
    const date = () => {
      this.#key('lastUpdateDate')
      if (plan.date.code !== undefined) {
        this.#reject({ ...place, fieldId: null, fieldName: 'lastUpdateDate' }, plan.date.code, plan.date.json)
        invalid.push('lastUpdateDate')
      }
      this.#text += plan.date.json
    }
    const fields = () => {
      this.#key('fields')
      this.#text += '['
      const answers = plan.answers.flatMap((answer) => this.#answersOf(answer, place, plan.isIdLast, invalid))
      const unknown = plan.unknown
      if (unknown !== undefined) answers.push(() => this.#answer(guid(5, 0), ok(unknown), plan.isIdLast))
      this.#joined(answers)
      this.#text += ']'
    }
    this.#text += '{'
    this.#joined(plan.isOwnerLast ? [date, fields, ...owner] : [...owner, date, fields])
    this.#text += '}'
    this.#invalid.push(invalid)
    this.#extra.push(plan.unknown === undefined ? null : `{"${guid(5, 0)}":${plan.unknown}}`)
  }

  #answersOf(
    { field, first, again }: AnswerPlan,
    place: { record: number; ownerId: string | null },
    isIdLast: boolean,
    invalid: string[],
  ): (() => void)[] {
    const { id, name } = FIELDS[field]!
    const facts = { ...place, fieldId: id, fieldName: name }
    if (first.code !== undefined) invalid.push(name)
    const writeFirst = () => this.#answer(id, first, isIdLast, facts, first.code)
    if (again === undefined) return [writeFirst]
    const isAlike = first.code === undefined && meaning(first) === meaning(again)
    const code = again.code ?? (isAlike ? undefined : 'ERR_FIELD_REPEATED')
    return [writeFirst, () => this.#answer(id, again, isIdLast, facts, code)]
  }

  #answer(
    id: string,
    { json }: Values,
    isIdLast: boolean,
    facts?: Pick<RejectedValue, 'record' | 'ownerId' | 'fieldId' | 'fieldName'>,
    code?: Code,
  ): void {
    const idMember = () => this.#member('id', JSON.stringify(id))
    const valuesMember = () => {
      this.#key('values')
      if (facts !== undefined && code !== undefined) this.#reject(facts, code, json)
      this.#text += json
    }
    this.#text += '{'
    if (json === undefined) idMember()
    else this.#joined(isIdLast ? [valuesMember, idMember] : [idMember, valuesMember])
    this.#text += '}'
    if (json === undefined && facts !== undefined && code !== undefined) this.#reject(facts, code, json)
  }

  #reject(
    facts: Pick<RejectedValue, 'record' | 'ownerId' | 'fieldId' | 'fieldName'>,
    code: Code,
    raw: string | undefined,
  ): void {
    this.#rejects.push({ ...facts, code, byteOffset: Buffer.byteLength(this.#text), raw: raw ?? null })
  }

  #joined(parts: readonly (() => void)[]): void {
    for (const [i, write] of parts.entries()) {
      if (i > 0) this.#text += this.#comma
      write()
    }
  }

  #key(key: string): void {
    this.#text += `"${key}"${this.#colon}`
  }

  #member(key: string, json: string): void {
    this.#key(key)
    this.#text += json
  }
}

/** Answers of this file that mean the same are written alike, but for skips. */
function meaning({ json }: Values): string {
  return json === undefined || json === 'null' || json === '[null]' ? 'skipped' : json
}
