/** `alida-arrow inspect`: lists the content of an export, one line per question. */

import type { InputLimits } from '../limits.ts'
import { questionFlags } from '../plan/selection.ts'
import { type QuestionSummary, type ReadSummary, readExport } from '../reader.ts'
import { sensitiveWarnings } from './convert.ts'
import { count, counted } from './figures.ts'
import { aboutInput } from './input-failure.ts'
import { limitsOf } from './limit-options.ts'
import { showProgress } from './progress.ts'
import { sourceOf } from './standard-stream.ts'
import { cut, emptyTable } from './text-table.ts'

interface InspectOptions extends InputLimits {
  quiet?: boolean
  json?: boolean
}

/** Batches are only counted, so they are small to save memory. */
const BATCH_ROWS = 16_384

export function inspect(input: string, options: InspectOptions, signal: AbortSignal): Promise<void> {
  return aboutInput(input, () => inspectInput(input, options, signal))
}

async function inspectInput(input: string, options: InspectOptions, signal: AbortSignal): Promise<void> {
  const reader = await readExport(sourceOf(input), {
    ...limitsOf(options),
    // The command for finding out what is wrong with a file must not fail on it.
    onInvalid: 'null',
    batchSize: BATCH_ROWS,
    signal,
  })
  const progress = await showProgress(options.quiet !== true && options.json !== true, () => reader.progress)
  try {
    for await (const _ of reader);
  } finally {
    progress.stop()
  }
  const { summary, header } = reader
  if (options.json === true) {
    const questions = summary.questions.map(questionFacts)
    const { records, invalid, warnings } = summary
    process.stdout.write(`${JSON.stringify({ ...header, records, invalid, questions, warnings })}\n`)
    return
  }
  const title = `${counted(summary.records, 'record')}, ${counted(summary.questions.length, 'question')}`
  const facts = [title, header.exportDate && `exported ${header.exportDate}`, header.id && `export ${header.id}`]
  process.stdout.write(`${facts.filter(Boolean).join(' · ')}\n\n${await questionTable(summary)}\n`)
  for (const message of [...sensitiveWarnings(reader.columns), ...summary.warnings.map((warning) => warning.message)]) {
    process.stdout.write(`warning: ${message}\n`)
  }
  const { total } = summary.invalid
  if (total > 0) process.stdout.write(`${counted(total, 'invalid value')}; convert needs --on-invalid null\n`)
}

function questionFacts({ column, answered, skipped, invalid, notAsked }: QuestionSummary): Record<string, unknown> {
  const { field, group } = column
  return {
    column: column.name,
    id: field?.id,
    name: field?.name,
    dataType: field?.dataType,
    description: field?.description,
    group: group?.name,
    flags: field === undefined ? [] : questionFlags(field),
    options: field?.options.map((option, i) => ({ id: option.id, name: option.name, label: column.labels[i] })),
    answered,
    skipped,
    invalid,
    notAsked,
  }
}

const BAR_CELLS = 10

async function questionTable(summary: ReadSummary): Promise<string> {
  const { colors } = await import('./colors.ts')
  const hasInvalid = summary.questions.some(({ invalid }) => invalid > 0)
  const table = await emptyTable(
    [
      ...['question', 'type', 'options', 'group', 'flags', 'answered', 'skipped'],
      ...(hasInvalid ? ['invalid'] : []),
      ...['not asked', ''],
    ],
    [
      ...(['left', 'left', 'right', 'left', 'left', 'right', 'right'] as const),
      ...(hasInvalid ? (['right'] as const) : []),
      ...(['right', 'left'] as const),
    ],
  )
  for (const question of summary.questions) {
    const { column, answered, skipped, invalid, notAsked } = question
    const { field, group } = column
    if (field === undefined) continue
    table.push([
      cut(column.name),
      cut(field.dataType),
      field.options.length === 0 ? '' : count(field.options.length),
      cut(group?.name ?? ''),
      questionFlags(field).join(' '),
      count(answered),
      count(skipped),
      ...(hasInvalid ? [count(invalid)] : []),
      count(notAsked),
      bar(question, summary.records),
    ])
  }
  const legend = colors.dim(`█ answered  ▒ skipped  ${hasInvalid ? '× invalid  ' : ''}· not asked`)
  return `${table.toString()}\n\n${legend}`
}

/** Draws the parts of all records in cells; a part that is not zero gets at least one cell. */
function bar({ answered, skipped, invalid, notAsked }: QuestionSummary, records: number): string {
  const cells = [answered, skipped, invalid, notAsked].map((part) => {
    if (part === 0) return 0
    return Math.max(1, Math.round((part / records) * BAR_CELLS))
  })
  const widest = cells.indexOf(Math.max(...cells))
  cells[widest]! += BAR_CELLS - cells.reduce((sum, n) => sum + n, 0)
  return records === 0 ? '' : cells.map((width, i) => '█▒×·'[i]!.repeat(width)).join('')
}
