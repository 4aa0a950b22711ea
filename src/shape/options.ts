/** Options for the shape of a table; the only place that refuses combinations of them. */

import { OptionError } from '../errors.ts'
import {
  type OptionNames,
  requireBoolean,
  requireSecret,
  requireTexts,
  requireWord,
  wrongValueError,
} from '../option-values.ts'
import { NAME_MODES, type NameMode } from '../plan/name-modes.ts'
import type { ColumnOptions, PrivacyOptions } from '../plan/schema.ts'
import { option, type Wording, worded } from '../wording.ts'

/** Options for the shape of a table. They can be cloned to a worker thread. */
export interface ShapeOptions extends ColumnOptions, PrivacyOptions {
  /**
   * How to distinguish skipped questions from those not asked: `list` (default), a column `skipped` with the names of
   * the questions that a record skipped; `columns`, a column `<name>__state` for every question; `none`.
   */
  answerStates?: AnswerStates | undefined
  /** Sets (multiple choices) as `list` (default), as boolean `columns` named `<question>: <option>`, or as `both`. */
  sets?: Sets | undefined
  /** Chosen options by `label` (default), by `id`, or `both`: the ids in columns `<name>__id`. */
  values?: Values | undefined
  /** Grids as one column per question (`flat`, default), or as one `struct` column. */
  groups?: Groups | undefined
  /** `wide` (default): one row per record; `long`: one row per record, question and chosen option. */
  layout?: Layout | undefined
  /** Times as instants (`utc`, default), or without a zone (`naive`) for tools that would shift them. */
  timezone?: Timezone | undefined
  /** Key of the hashes that `sensitive: 'hash'` and `hashOwner` write. Equal keys give equal hashes. */
  hashKey?: string | undefined
}

export type AnswerStates = 'list' | 'columns' | 'none'
export type Sets = 'list' | 'columns' | 'both'
export type Values = 'label' | 'id' | 'both'
export type Groups = 'flat' | 'struct'
export type Layout = 'wide' | 'long'
export type Timezone = 'utc' | 'naive'

/** The values that each option accepts; the first is the default. */
export const SHAPE_WORDS = {
  answerStates: ['list', 'columns', 'none'],
  sets: ['list', 'columns', 'both'],
  values: ['label', 'id', 'both'],
  names: NAME_MODES,
  groups: ['flat', 'struct'],
  layout: ['wide', 'long'],
  timezone: ['utc', 'naive'],
  sensitive: ['keep', 'drop', 'hash'],
  onInvalid: ['error', 'null'],
} as const satisfies Partial<Record<keyof ShapeOptions, readonly string[]>>

type WordOption = keyof typeof SHAPE_WORDS

const SWITCHES = ['hidden', 'system', 'stripHtml', 'hashOwner', 'keepUnknown'] as const

const LISTS = ['fields', 'exclude'] as const

export const SHAPE_OPTION_NAMES: OptionNames<ShapeOptions> = {
  fields: true,
  exclude: true,
  hidden: true,
  system: true,
  sensitive: true,
  hashOwner: true,
  hashKey: true,
  names: true,
  stripHtml: true,
  onInvalid: true,
  keepUnknown: true,
  answerStates: true,
  sets: true,
  values: true,
  groups: true,
  layout: true,
  timezone: true,
}

/** The options with all defaults filled in. */
export interface ResolvedShape {
  readonly answerStates: AnswerStates
  readonly sets: Sets
  readonly values: Values
  readonly names: NameMode
  readonly groups: Groups
  readonly layout: Layout
  readonly timezone: Timezone
  readonly stripHtml: boolean
  readonly sensitive: 'keep' | 'drop' | 'hash'
  readonly hashOwner: boolean
  readonly hashKey: string
  readonly onInvalid: 'error' | 'null'
  readonly keepUnknown: boolean
}

/**
 * Checks the options against each other and fills in the defaults.
 * @throws OptionError `ERR_OPTION` for an unknown value, options that contradict each other, or a hash without a key.
 */
export function resolveShape(options: ShapeOptions): ResolvedShape {
  requireValues(options)
  const shape: ResolvedShape = {
    answerStates: options.answerStates ?? 'list',
    sets: options.sets ?? 'list',
    values: options.values ?? 'label',
    names: options.names ?? 'name',
    groups: options.groups ?? 'flat',
    layout: options.layout ?? 'wide',
    timezone: options.timezone ?? 'utc',
    stripHtml: options.stripHtml ?? false,
    sensitive: options.sensitive ?? 'keep',
    hashOwner: options.hashOwner ?? false,
    hashKey: options.hashKey ?? '',
    onInvalid: options.onInvalid ?? 'error',
    keepUnknown: options.keepUnknown ?? false,
  }
  if (shape.keepUnknown) requireRoomForUnknown(shape)
  if (shape.layout === 'long') requireOneForm(shape, worded`${option('layout', 'long')}`)
  if ((shape.sensitive === 'hash' || shape.hashOwner) && shape.hashKey === '') {
    const hashing = shape.hashOwner ? option('hashOwner') : option('sensitive', 'hash')
    throw contradictionError(worded`${hashing} needs a key: expected one in ${option('hashKey')}, found none`)
  }
  return shape
}

function requireRoomForUnknown({ layout, sensitive }: ResolvedShape): void {
  const keepUnknown = option('keepUnknown')
  if (layout === 'long') {
    throw contradictionError(
      worded`${option('layout', layout)} contradicts ${keepUnknown}: it has a row for each known question`,
    )
  }
  if (sensitive === 'keep') return
  throw contradictionError(
    worded`${option('sensitive', sensitive)} contradicts ${keepUnknown}: a field that is not in the definition may be sensitive`,
  )
}

/**
 * Refuses options that only the wide layout supports.
 * @param layout The requested layout, for the message.
 * @throws OptionError `ERR_OPTION`.
 */
export function requireOneForm(shape: ResolvedShape, layout: Wording): void {
  const { answerStates, sets, values, groups } = shape
  const refuse = (name: 'answerStates' | 'sets' | 'values' | 'groups', reason: string) =>
    contradictionError(worded`${layout} contradicts ${option(name, shape[name])}: ${reason}`)
  if (answerStates !== 'list') throw refuse('answerStates', 'each of its rows has a state')
  if (sets !== 'list') throw refuse('sets', 'it has a row for each chosen option')
  if (values !== 'label') throw refuse('values', 'it has both ids and labels')
  if (groups !== 'flat') throw refuse('groups', 'each of its rows names the group')
}

/** Checks each option by itself. */
function requireValues(options: ShapeOptions): void {
  if ((options.layout as string | undefined) === 'star') {
    throw wrongValueError(
      'layout',
      `${SHAPE_WORDS.layout.join(', ')} (writeStar writes the star layout)`,
      options.layout,
    )
  }
  for (const name of Object.keys(SHAPE_WORDS) as WordOption[]) {
    requireWord(name, options[name], SHAPE_WORDS[name])
  }
  for (const name of SWITCHES) requireBoolean(name, options[name])
  for (const name of LISTS) requireTexts(name, options[name])
  requireSecret('hashKey', options.hashKey)
}

function contradictionError(message: Wording): OptionError {
  return new OptionError('ERR_OPTION', message)
}
