/** Options of what the table looks like, the same for every command that reads an export. */

import { type Command, Option } from 'commander'
import { OptionError } from '../errors.ts'
import type { InputLimits } from '../limits.ts'
import { requireOneForm, resolveShape, SHAPE_WORDS, type ShapeOptions } from '../shape/options.ts'
import { option, worded } from '../wording.ts'
import { collect } from './collect.ts'
import { addLimitOptions, limitsOf } from './limit-options.ts'

/** As commander gives them: lists not split yet, and a layout more than the library's readers have. */
export interface ShapeCommandOptions extends Omit<ShapeOptions, 'layout' | 'hashKey'>, InputLimits {
  layout?: 'wide' | 'long' | 'star'
}

/** Environment variable with the key of hashes: a key on the command line would stand in the list of processes. */
const HASH_KEY_VARIABLE = 'ALIDA_HASH_KEY'

export function addShapeOptions(command: Command): Command {
  addSelectionOptions(command)
  command.optionsGroup('What the table looks like:')
  choice(
    command,
    '--answer-states <form>',
    'skipped and not asked: column "skipped", a column a question, or nothing',
    SHAPE_WORDS.answerStates,
  )
  choice(command, '--sets <form>', 'multiple choices: lists, a true/false column an option, or both', SHAPE_WORDS.sets)
  choice(command, '--values <form>', 'chosen options: their labels, their ids, or both', SHAPE_WORDS.values)
  choice(
    command,
    '--names <form>',
    'columns are called by name, id, question text, or SQL-safe name',
    SHAPE_WORDS.names,
  )
  choice(command, '--groups <form>', 'grids: a column a row, or one struct column', SHAPE_WORDS.groups)
  choice(command, '--layout <form>', 'a row a record; a row an answer; or a folder of tables', [
    ...SHAPE_WORDS.layout,
    'star',
  ])
  choice(command, '--timezone <form>', 'times in UTC, or without a zone', SHAPE_WORDS.timezone)
  command.option('--strip-html', 'clean labels and question texts of HTML')
  choice(
    command,
    '--on-invalid <policy>',
    'values that do not fit their question: error, or null and a count',
    SHAPE_WORDS.onInvalid,
  )
  command.option('--keep-unknown', 'answers to questions that the definition does not have, in a column "_extra"')
  command.optionsGroup('Privacy:')
  choice(
    command,
    '--sensitive <policy>',
    'questions flagged as sensitive: keep, drop, or keyed hash',
    SHAPE_WORDS.sensitive,
  )
  command.option('--hash-owner', `ownerId as a keyed hash; the key is taken from ${HASH_KEY_VARIABLE}`)
  return addLimitOptions(command)
    .optionsGroup('Options:')
    .hook('preAction', (_, action) => void shapeOf(action.opts()))
}

function addSelectionOptions(command: Command): void {
  command
    .optionsGroup('Which questions:')
    .option(
      '--fields <names>',
      'only these: names, ids or globs ("Brand*"), commas between them; may be repeated',
      collect,
    )
    .option('--exclude <names>', 'all but these', collect)
    .option('--no-hidden', 'without hidden questions')
    .option('--no-system', 'without system questions, such as dates, status and device')
}

function choice(command: Command, flags: string, description: string, words: readonly string[]): void {
  command.addOption(new Option(flags, description).choices([...words]).default(words[0]))
}

/**
 * The options as the library takes them, checked.
 * @throws OptionError `ERR_OPTION` when they contradict each other, or a hash has no key.
 */
export function shapeOf(options: ShapeCommandOptions): ShapeOptions & InputLimits & { readonly isStar: boolean } {
  const { layout, fields, exclude, ...rest } = options
  const isStar = layout === 'star'
  const shape: ShapeOptions = {
    ...pickShape(rest),
    ...(layout === undefined || isStar ? {} : { layout }),
    fields: fields && splitNames('fields', fields),
    exclude: exclude && splitNames('exclude', exclude),
  }
  if (shape.sensitive === 'hash' || shape.hashOwner === true) {
    const hashKey = hashKeyOf(process.env)
    if (hashKey === undefined) {
      const hashing = shape.hashOwner === true ? '--hash-owner' : '--sensitive hash'
      throw new OptionError('ERR_OPTION', `${hashing} needs a key: expected one in ${HASH_KEY_VARIABLE}, found none`)
    }
    shape.hashKey = hashKey
  }
  const resolved = resolveShape(shape)
  if (isStar) requireOneForm(resolved, worded`${option('layout', 'star')}`)
  return { ...shape, ...limitsOf(options), isStar }
}

/** The key of hashes in an environment; undefined where there is none. */
export function hashKeyOf(environment: NodeJS.ProcessEnv): string | undefined {
  return environment[HASH_KEY_VARIABLE] || undefined
}

/** Leaves out whatever else a command has. */
function pickShape(options: ShapeCommandOptions): ShapeOptions {
  const { hidden, system, names, stripHtml, onInvalid, keepUnknown, sensitive, hashOwner } = options
  const { answerStates, sets, values, groups, timezone } = options
  return {
    hidden,
    system,
    names,
    stripHtml,
    onInvalid,
    keepUnknown,
    sensitive,
    hashOwner,
    answerStates,
    sets,
    values,
    groups,
    timezone,
  }
}

/** Several names may stand in one option, with commas between them. */
function splitNames(option: 'fields' | 'exclude', words: readonly string[]): string[] {
  const names = words
    .flatMap((word) => word.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '')
  // A variable that is empty would else leave out all questions, or none.
  if (names.length === 0)
    throw new OptionError('ERR_OPTION', `--${option}: expected names or ids of questions, found none`)
  return names
}
