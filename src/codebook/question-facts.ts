/** Reads what a table says about its questions, from the metadata of its schema only. */

import { DataType, type Field, type Schema } from 'apache-arrow'
import { SourceError } from '../errors.ts'
import { QUESTIONS_METADATA_KEY, ROLE_METADATA_KEY } from '../shape/metadata.ts'

export interface OptionFacts {
  readonly id: string
  /** Name in the definition. */
  readonly name: string
  /** Name in the table. */
  readonly label: string
}

export interface QuestionFacts {
  /** Name of its column; `group.member` inside a struct. */
  readonly column: string
  readonly id: string
  readonly name: string
  readonly dataType: string
  /** The question text, without HTML if the table was written with `stripHtml`. */
  readonly text: string
  readonly group: string
  readonly isSensitive: boolean
  readonly isSystem: boolean
  readonly isRequired: boolean
  readonly visibility: string
  /** Whether the answers are keyed hashes. */
  readonly isHashed: boolean
  readonly options: readonly OptionFacts[]
}

/**
 * Returns the questions of a table, in column order.
 * @throws SourceError `ERR_SOURCE` when the schema does not describe its columns.
 */
export function questionFacts(schema: Schema): QuestionFacts[] {
  const shaped = schema.metadata.get(QUESTIONS_METADATA_KEY)
  if (shaped !== undefined) {
    const questions = JSON.parse(shaped) as Record<string, string>[]
    return questions.map((question) => factsOf(question.column ?? '', (key) => question[key]))
  }
  const questions = schema.fields.filter(({ metadata }) => metadata.has('alida:id') && !metadata.has(ROLE_METADATA_KEY))
  if (questions.length === 0 && !schema.metadata.has('alida:export')) {
    throw new SourceError('ERR_SOURCE', 'expected a file that alida-arrow wrote, found none of its metadata')
  }
  return questions.map(({ name, metadata }) => factsOf(name, (key) => metadata.get(key)))
}

function factsOf(column: string, read: (key: string) => string | undefined): QuestionFacts {
  const text = (key: string) => read(`alida:${key}`) ?? ''
  const group = text('group')
  const options = text('options')
  return {
    column,
    id: text('id'),
    name: text('name'),
    dataType: text('dataType'),
    text: read('alida:text') ?? text('description'),
    group: group === '' ? '' : (JSON.parse(group) as { name: string }).name,
    isSensitive: text('isSensitive') === 'true',
    isSystem: text('isSystem') === 'true',
    isRequired: text('isRequired') === 'true',
    visibility: text('visibility'),
    isHashed: text('hashed') === 'true',
    options: options === '' ? [] : (JSON.parse(options) as OptionFacts[]),
  }
}

/** Path of a column: its index, and those of its ancestors, among their siblings. */
export type ColumnPath = readonly number[]

/** The columns that hold data of one question. */
export interface QuestionColumns {
  answers?: ColumnPath
  state?: ColumnPath
  ids?: ColumnPath
  /** By option id. */
  readonly flags: Map<string, ColumnPath>
}

/** Returns the columns of each question by field id, including members of structs. */
export function columnsByQuestion(schema: Schema): Map<string, QuestionColumns> {
  const columns = new Map<string, QuestionColumns>()
  visit(schema.fields, [])
  return columns

  function visit(fields: readonly Field[], above: ColumnPath): void {
    for (const [i, { type, metadata }] of fields.entries()) {
      const path = [...above, i]
      const role = metadata.get(ROLE_METADATA_KEY)
      const id = metadata.get('alida:id')
      if (role === 'group' && DataType.isStruct(type)) visit(type.children, path)
      else if (id !== undefined) add(id, role, metadata.get('alida:option') ?? '', path)
    }
  }

  function add(id: string, role: string | undefined, option: string, path: ColumnPath): void {
    const known = columns.get(id) ?? { flags: new Map<string, ColumnPath>() }
    columns.set(id, known)
    if (role === undefined) known.answers = path
    else if (role === 'state') known.state = path
    else if (role === 'id') known.ids = path
    else if (role === 'option') known.flags.set(option, path)
  }
}
