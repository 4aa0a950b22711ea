/** Renders a codebook as text: JSON, CSV, Markdown, or a Frictionless table schema. */

import { createRequire } from 'node:module'
import { questionFlags } from '../plan/selection.ts'
import type { Codebook } from './codebook.ts'
import type { QuestionTally } from './tally.ts'

export type CodebookTextFormat = 'json' | 'csv' | 'md' | 'frictionless'

export function codebookText(codebook: Codebook, format: CodebookTextFormat): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify({ records: codebook.records, questions: codebook.questions.map(jsonRow) }, null, 2)}\n`
    case 'csv':
      return csvText(codebook)
    case 'md':
      return markdownText(codebook)
    case 'frictionless':
      return `${JSON.stringify(tableSchema(codebook), null, 2)}\n`
  }
}

/** Whether invalid answers were left out. Only then is there a column for their count. */
export function hasInvalid(questions: readonly QuestionTally[]): boolean {
  return questions.some((question) => question.invalid > 0)
}

function jsonRow(question: QuestionTally): Record<string, unknown> {
  const { column, id, name, dataType, text, group, answered, skipped, invalid, notAsked, options } = question
  return {
    column,
    id,
    name,
    type: dataType,
    text,
    group: group === '' ? null : group,
    flags: questionFlags(question),
    answered,
    skipped: skipped ?? null,
    ...(invalid > 0 ? { invalid } : {}),
    notAsked: notAsked ?? null,
    options,
  }
}

/**
 * Renders CSV. Options are one cell of JSON, in order, because any separator may occur in labels. Texts that a
 * spreadsheet would run as a formula get a leading apostrophe.
 */
function csvText({ questions }: Codebook): string {
  const { stringify } = createRequire(import.meta.url)('csv-stringify/sync') as typeof import('csv-stringify/sync')
  const showsInvalid = hasInvalid(questions)
  const rows = questions.map((question) => {
    const { column, id, name, dataType, text, group, answered, skipped, invalid, notAsked, options } = question
    const flags = questionFlags(question).join(' ')
    const optionCells = options.map(({ id, label, count }) => ({ id, label, count }))
    const optionText = options.length === 0 ? '' : JSON.stringify(optionCells)
    const counts = [answered, skipped ?? '', ...(showsInvalid ? [invalid] : []), notAsked ?? '']
    return [column, id, name, dataType, text, group, flags, ...counts, optionText]
  })
  const columns = CSV_COLUMNS.filter((name) => showsInvalid || name !== 'invalid')
  return stringify(rows, { header: true, columns, escape_formulas: true })
}

const CSV_COLUMNS = [
  'column',
  'id',
  'name',
  'type',
  'text',
  'group',
  'flags',
  'answered',
  'skipped',
  'invalid',
  'not_asked',
  'options',
]

function markdownText({ records, questions }: Codebook): string {
  const showsInvalid = hasInvalid(questions)
  const overview = questions.map((question) => {
    const { column, dataType, text, group, answered, skipped, invalid, notAsked } = question
    const cells = [column, dataType, text, group, questionFlags(question).join(', ')].map(cell)
    const counts = [answered, skipped ?? '', ...(showsInvalid ? [invalid] : []), notAsked ?? '']
    return `| ${[...cells, ...counts].join(' | ')} |`
  })
  const lines = [
    '# Codebook',
    '',
    `${records} records, ${questions.length} questions.`,
    '',
    `| column | type | question | group | flags | answered | skipped |${showsInvalid ? ' invalid |' : ''} not asked |`,
    `|---|---|---|---|---|--:|--:|${showsInvalid ? '--:|' : ''}--:|`,
    ...overview,
  ]
  for (const { column, id, text, options } of questions) {
    if (options.length === 0) continue
    lines.push('', `## ${cell(column)}`, '', ...(text === '' ? [] : [cell(text), '']), `Field \`${id}\``, '')
    lines.push('| # | option | id | chosen |', '|--:|---|---|--:|')
    for (const [i, option] of options.entries()) {
      const label = option.isInDefinition ? cell(option.label) : `${cell(option.label)} (not in the definition)`
      lines.push(`| ${i + 1} | ${label} | \`${cell(option.id)}\` | ${option.count} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** Escapes a text as one line without special characters of Markdown or HTML. */
function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>|#&]/g, (character) => `\\${character}`)
}

/** Frictionless type of each of the API's data types; others are strings. */
const FRICTIONLESS_TYPES: Readonly<Record<string, string>> = {
  enum: 'string',
  set: 'list',
  double: 'number',
  datetime: 'datetime',
  string: 'string',
  identifier: 'string',
}

/** Words for a missing answer, so that a table of texts distinguishes the two kinds. */
const MISSING_VALUES = [
  { value: '', label: 'skipped or not asked' },
  { value: 'skipped', label: 'skipped by the participant' },
  { value: 'not asked', label: 'not shown to the participant' },
]

function tableSchema({ questions }: Codebook): Record<string, unknown> {
  return {
    $schema: 'https://datapackage.org/profiles/2.0/tableschema.json',
    fields: [
      { name: 'ownerId', type: 'string', title: 'Participant' },
      { name: 'lastUpdateDate', type: 'datetime', title: 'Time of the last change (UTC)' },
      ...questions.map(frictionlessField),
    ],
    missingValues: MISSING_VALUES,
  }
}

function frictionlessField(question: QuestionTally): Record<string, unknown> {
  const { column, dataType, text, isHashed, isRequired, options } = question
  const categories = options.map(({ id, label }) => ({ value: label, label, 'alida:id': id }))
  const isSet = dataType === 'set' && !isHashed
  return {
    name: column,
    type: isHashed ? 'string' : (FRICTIONLESS_TYPES[dataType] ?? 'string'),
    title: text === '' ? question.name : text,
    ...(isSet ? { itemType: 'string' } : {}),
    ...(options.length === 0
      ? {}
      : isSet
        ? { 'alida:categories': categories }
        : { categories, categoriesOrdered: false }),
    'alida:id': question.id,
    'alida:dataType': dataType,
    ...(question.group === '' ? {} : { 'alida:group': question.group }),
    // Only required of those who were asked; the column is null for all others.
    'alida:required': isRequired,
    'alida:flags': questionFlags(question),
    'alida:answered': question.answered,
    'alida:skipped': question.skipped ?? null,
    'alida:notAsked': question.notAsked ?? null,
  }
}
