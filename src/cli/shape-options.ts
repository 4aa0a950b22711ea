/** Options for the shape of the table, the same for every command that reads an export. */

import { type Command, Option } from 'commander'
import { OptionError } from '../errors.ts'
import type { InputLimits } from '../limits.ts'
import { requireOneForm, resolveShape, SHAPE_WORDS, type ShapeOptions } from '../shape/options.ts'
import { option, worded } from '../wording.ts'
import { collect } from './collect.ts'
import { addLimitOptions, limitsOf } from './limit-options.ts'

/** Options as commander returns them: lists not split yet, and with a layout that the library's readers do not have. */
export interface ShapeCommandOptions extends Omit<ShapeOptions, 'layout' | 'hashKey'>, InputLimits {
  layout?: 'wide' | 'long' | 'star'
}

/** Environment variable with the key of hashes; on the command line it would be visible in the list of processes. */
const HASH_KEY_VARIABLE = 'ALIDA_HASH_KEY'

/** Source of options that are not given: their defaults, or the file that is read. */
type ShapeDefaults = 'own' | 'of the file'

const CHOICES: Readonly<Record<string, string>> = {
  layout: 'wide: one row per record; long: one row per answer; star: a folder of tables that join by id',
  'answer-states':
    'skipped and not asked are distinguished by: list, the column "skipped"; columns, one column per question; none, not at all',
  sets: 'multiple choices as: list; columns, one true/false column per option; both',
  values: 'chosen options as: label; id; both, with the ids in columns of their own',
  names: 'columns are called by: name; id; description, the question text; snake, a name for SQL',
  groups: 'grids as: flat, one column per row of the grid; struct, one column per grid',
  timezone: 'times as: utc, instants; naive, without a zone',
}

/**
 * Adds the options of the table.
 * @param addMore Adds the option groups that come after these.
 */
export function addShapeOptions(
  command: Command,
  defaults: ShapeDefaults = 'own',
  addMore: (command: Command) => void = () => undefined,
): Command {
  const choice = (flags: string, description: string, words: readonly string[]) => {
    const option = new Option(flags, description).choices([...words])
    command.addOption(defaults === 'own' ? option.default(words[0]) : option)
  }
  addSelectionOptions(command)
  command.optionsGroup('What the table looks like:')
  for (const [name, description] of Object.entries(CHOICES)) {
    const words = SHAPE_WORDS[camelCase(name) as keyof typeof SHAPE_WORDS]
    choice(`--${name} <form>`, description, name === 'layout' ? [...words, 'star'] : words)
  }
  command.option('--strip-html', 'remove HTML from labels and question texts')
  command.optionsGroup('Values that do not fit:')
  choice(
    '--on-invalid <policy>',
    'a value that does not fit its question: error, ends the command; null, is left out and counted',
    SHAPE_WORDS.onInvalid,
  )
  command.option('--keep-unknown', 'keep answers to questions that the definition does not have, in a column "_extra"')
  command.optionsGroup('Privacy:')
  choice(
    '--sensitive <policy>',
    'questions flagged as sensitive: keep; drop; hash, a keyed hash of each answer',
    SHAPE_WORDS.sensitive,
  )
  command.option('--hash-owner', `write ownerId as a keyed hash; the key of hashes is taken from ${HASH_KEY_VARIABLE}`)
  addMore(command)
  return addLimitOptions(command)
    .optionsGroup('Options:')
    .hook('preAction', (_, action) => void shapeOf(action.opts()))
}

function addSelectionOptions(command: Command): void {
  command
    .optionsGroup('Which questions:')
    .option(
      '--fields <names>',
      'keep only these: names, ids or globs ("Brand*"), separated by commas; may be repeated',
      collect,
    )
    .option('--exclude <names>', 'leave out these, named in the same way', collect)
    .option('--no-hidden', 'leave out hidden questions')
    .option('--no-system', 'leave out system questions, such as dates, status and device')
}

/** Converts `answer-states` to `answerStates`. */
function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/**
 * Returns the options in the library's form, validated.
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

/** Returns the key of hashes from an environment; undefined if there is none. */
export function hashKeyOf(environment: NodeJS.ProcessEnv): string | undefined {
  return environment[HASH_KEY_VARIABLE] || undefined
}

/** Selects the table's options from those of a command. */
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

/** Splits the names of an option, which are separated by commas. */
function splitNames(option: 'fields' | 'exclude', words: readonly string[]): string[] {
  const names = words
    .flatMap((word) => word.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '')
  // An empty shell variable would otherwise select no questions, or exclude none.
  if (names.length === 0)
    throw new OptionError('ERR_OPTION', `--${option}: expected names or ids of questions, found none`)
  return names
}
