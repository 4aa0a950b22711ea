/** Converts a codebook to a table. */

import { type DataType, Field, List, Struct } from 'apache-arrow'
import { questionFlags } from '../plan/selection.ts'
import type { BatchReader } from '../sinks/batch-reader.ts'
import type { Codebook } from './codebook.ts'
import { hasInvalid } from './render.ts'
import { COUNT, FLAG, TEXT, tableOfValues } from './value-table.ts'

const OPTION = new Struct([
  new Field('id', TEXT, true),
  new Field('label', TEXT, true),
  new Field('count', COUNT, true),
  new Field('in_definition', FLAG, true),
])

/** Returns a table with one row per question; its options are a list of structs. */
export function codebookTable({ questions }: Codebook): BatchReader {
  const column = (name: string, type: DataType, value: (question: Codebook['questions'][number]) => unknown) => {
    return { name, type, values: questions.map(value) }
  }
  return tableOfValues([
    column('column', TEXT, (question) => question.column),
    column('id', TEXT, (question) => question.id),
    column('name', TEXT, (question) => question.name),
    column('type', TEXT, (question) => question.dataType),
    column('text', TEXT, (question) => question.text),
    column('group', TEXT, (question) => (question.group === '' ? null : question.group)),
    column('flags', new List(new Field('item', TEXT, true)), questionFlags),
    column('answered', COUNT, (question) => question.answered),
    column('skipped', COUNT, (question) => question.skipped ?? null),
    ...(hasInvalid(questions) ? [column('invalid', COUNT, (question) => question.invalid)] : []),
    column('not_asked', COUNT, (question) => question.notAsked ?? null),
    column('options', new List(new Field('item', OPTION, true)), ({ options }) =>
      options.map(({ id, label, count, isInDefinition }) => ({ id, label, count, in_definition: isInDefinition })),
    ),
  ])
}
