/** `alida-arrow codebook`: writes what each question is and how it was answered to a file of its own. */

import { readCodebook } from '../codebook/codebook.ts'
import { type CodebookFormat, codebookFormatOf, writeCodebook } from '../codebook/write-codebook.ts'
import { OptionError } from '../errors.ts'
import { counted } from './figures.ts'
import { aboutInput } from './input-failure.ts'
import { type ShapeCommandOptions, shapeOf } from './shape-options.ts'
import { STANDARD_STREAM, sourceOf, targetOf } from './standard-stream.ts'

export interface CodebookCommandOptions extends ShapeCommandOptions {
  output: string
  format?: CodebookFormat
  quiet?: boolean
}

export async function codebook(input: string, options: CodebookCommandOptions, signal: AbortSignal): Promise<void> {
  const { isStar: _, ...shape } = shapeOf(options)
  const { output, quiet } = options
  const isToStream = output === STANDARD_STREAM
  const format = options.format ?? codebookFormatOf(isToStream ? process.stdout : output)
  const target = targetOf(output, format !== 'parquet')
  if (input !== STANDARD_STREAM && output === input) {
    throw new OptionError('ERR_OPTION', `the codebook would overwrite the file that it is made from: ${output}`)
  }
  const found = await aboutInput(input, () => readCodebook(sourceOf(input), { ...shape, signal }))
  await writeCodebook(found, target, format)
  if (quiet === true || isToStream) return
  const { questions, records } = found
  process.stderr.write(`${output}: ${counted(questions.length, 'question')} of ${counted(records, 'record')}\n`)
}
