/** What each shape must give, said row by row with plain values; and how to see what it gives. */

import { type Data, DataType, type RecordBatch } from 'apache-arrow'
import type { ColumnPlan } from '../src/plan/schema.ts'
import { type ExportReader, type ReadOptions, readExport } from '../src/reader.ts'

export type Value = string | number | bigint | boolean | null | readonly Value[] | { readonly [member: string]: Value }

export interface Shown {
  readonly names: string[]
  readonly rows: Value[][]
}

/** Reads cells from Arrow's buffers, validity first. */
function valueAt(data: Data, row: number): Value {
  const at = data.offset + row
  if (data.nullCount > 0 && (data.nullBitmap[at >> 3]! & (1 << (at & 7))) === 0) return null
  const { type, values } = data
  if (DataType.isStruct(type)) {
    return Object.fromEntries(type.children.map((member, i) => [member.name, valueAt(data.children[i]!, row)]))
  }
  if (DataType.isList(type)) {
    const [start, end] = [data.valueOffsets[row]!, data.valueOffsets[row + 1]!]
    return Array.from({ length: end - start }, (_, i) => valueAt(data.children[0]!, start + i))
  }
  if (DataType.isDictionary(type)) return data.dictionary!.get(Number(values[row])) as string
  if (DataType.isBool(type)) return (values[at >> 3] & (1 << (at & 7))) !== 0
  if (DataType.isUtf8(type)) {
    return Buffer.from(values.subarray(data.valueOffsets[row], data.valueOffsets[row + 1])).toString()
  }
  return values[row] as number | bigint
}

export async function shown(reader: ExportReader): Promise<Shown> {
  const rows: Value[][] = []
  const add = ({ data, numRows }: RecordBatch) => {
    for (let row = 0; row < numRows; row++) rows.push(data.children.map((column) => valueAt(column, row)))
  }
  for await (const batch of reader) add(batch)
  return { names: reader.schema.fields.map((field) => field.name), rows }
}

export async function shapedRows(bytes: Uint8Array, options: ReadOptions): Promise<Shown> {
  return shown(await readExport(bytes, options))
}

/** One answer of a record, before any shape. */
interface Answer {
  readonly plan: ColumnPlan
  readonly state: 'answered' | 'skipped' | 'not asked'
  readonly value: Value
}

interface PlainRecord {
  readonly ownerId: Value
  readonly lastUpdateDate: Value
  readonly answers: readonly Answer[]
}

/** The records in the default shape, which other tests have checked. */
async function plainRecords(bytes: Uint8Array, options: ReadOptions): Promise<PlainRecord[]> {
  const reader = await readExport(bytes, { fields: options.fields })
  const { rows } = await shown(reader)
  return rows.map((cells) => {
    const skipped = cells.at(-1) as readonly string[]
    const answers = reader.columns.slice(2, -1).map((plan, i): Answer => {
      const value = cells[i + 2] ?? null
      const state = value !== null ? 'answered' : skipped.includes(plan.name) ? 'skipped' : 'not asked'
      return { plan, state, value }
    })
    return { ownerId: cells[0] ?? null, lastUpdateDate: cells[1] ?? null, answers }
  })
}

/** The id behind a label; labels of options that are not in the definition are ids. */
function idOf(plan: ColumnPlan, label: Value): string {
  const option = plan.labels.indexOf(label as string)
  return option < 0 ? (label as string) : plan.field!.options[option]!.id
}

function idsOf(plan: ColumnPlan, value: Value): Value {
  return Array.isArray(value) ? value.map((label) => idOf(plan, label)) : value === null ? null : idOf(plan, value)
}

type Cells = [name: string, value: Value][]

/** Columns of one question of a wide table; the names are those of an export whose names do not clash. */
function wideCells({ plan, state, value }: Answer, name: string, options: ReadOptions): Cells {
  const { sets = 'list', values = 'label', answerStates = 'list' } = options
  const hasOptions = plan.type === 'dictionary' || plan.type === 'list'
  const isFlagged = plan.type === 'list' && sets !== 'list' && plan.labels.length > 0
  const cells: Cells = []
  if (!isFlagged || sets === 'both') {
    cells.push([name, hasOptions && values === 'id' ? idsOf(plan, value) : value])
    if (hasOptions && values === 'both') cells.push([`${name}__id`, idsOf(plan, value)])
  }
  if (isFlagged) {
    for (const label of plan.labels) {
      const flag = values === 'id' ? idOf(plan, label) : label
      cells.push([`${name}: ${flag}`, value === null ? null : (value as Value[]).includes(label)])
    }
  }
  if (answerStates === 'columns') cells.push([`${name}__state`, state])
  return cells
}

export async function expectedWide(bytes: Uint8Array, options: ReadOptions): Promise<Shown> {
  let names: string[] = []
  const rows = (await plainRecords(bytes, options)).map((record) => {
    const cells: Cells = [
      ['ownerId', record.ownerId],
      ['lastUpdateDate', record.lastUpdateDate],
    ]
    const structs = new Map<string, Record<string, Value>>()
    const skipped: string[] = []
    const others: string[] = []
    for (const answer of record.answers) {
      const { plan, state, value } = answer
      const group = options.groups === 'struct' ? plan.group?.name : undefined
      const prefix = `${group}_`
      const name = group !== undefined && plan.name.startsWith(prefix) ? plan.name.slice(prefix.length) : plan.name
      const path = group === undefined ? name : `${group}.${name}`
      if (state === 'skipped') skipped.push(path)
      if (Array.isArray(value) && options.sets === 'columns' && plan.labels.length > 0) {
        others.push(...value.filter((label) => !plan.labels.includes(label)).map((label) => `${path}: ${label}`))
      }
      const own = wideCells(answer, name, options)
      if (group === undefined) cells.push(...own)
      else if (structs.has(group)) Object.assign(structs.get(group)!, Object.fromEntries(own))
      else {
        structs.set(group, Object.fromEntries(own))
        cells.push([group, structs.get(group)!])
      }
    }
    const hasSets = record.answers.some(({ plan }) => plan.type === 'list' && plan.labels.length > 0)
    if (options.sets === 'columns' && hasSets) cells.push(['otherOptions', others])
    if ((options.answerStates ?? 'list') === 'list') cells.push(['skipped', skipped])
    names = cells.map(([name]) => name)
    return cells.map(([, value]) => value)
  })
  return { names, rows }
}

export async function expectedLong(bytes: Uint8Array, options: ReadOptions): Promise<Value[][]> {
  const rows: Value[][] = []
  for (const [i, record] of (await plainRecords(bytes, options)).entries()) {
    for (const { plan, state, value } of record.answers) {
      if (state === 'not asked') continue
      const { type } = plan
      const start = [record.ownerId, record.lastUpdateDate, i + 1, plan.field!.id, plan.name, plan.group?.name ?? null]
      const row = (option: Value, position: Value) => {
        const isOption = type === 'dictionary' || type === 'list'
        const scalar = (kind: boolean) => (kind ? value : null)
        rows.push([
          ...start,
          state,
          option === null ? null : idOf(plan, option),
          option,
          scalar(type === 'double'),
          scalar(type === 'timestamp'),
          scalar(!isOption && type !== 'double' && type !== 'timestamp'),
          position,
        ])
      }
      if (!Array.isArray(value)) row(type === 'dictionary' ? value : null, null)
      else if (value.length === 0) row(null, null)
      else for (const [k, option] of value.entries()) row(option, k + 1)
    }
  }
  return rows
}
