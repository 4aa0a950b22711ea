/** Compares the options that an output was written with, from its metadata, with those given to verify. */

import type { Schema } from 'apache-arrow'
import { OptionError } from '../errors.ts'
import { EXPORT_METADATA_KEY, PRIVACY_METADATA_KEY, READING_METADATA_KEY } from '../plan/schema.ts'
import { QUESTIONS_METADATA_KEY, SHAPE_METADATA_KEY } from '../shape/metadata.ts'
import { SHAPE_WORDS, type ShapeOptions } from '../shape/options.ts'
import { option, worded } from '../wording.ts'
import type { DifferenceLog } from './difference-log.ts'
import type { ReferenceReader } from './reference-reader.ts'

/** Metadata of a file, from each place where its format keeps it. */
type Places = readonly ReadonlyMap<string, string>[]

const FLAGS = ['stripHtml', 'hashOwner', 'keepUnknown'] as const
const SELECTION = ['fields', 'exclude', 'hidden', 'system'] as const
const WORDS = Object.keys(SHAPE_WORDS) as (keyof typeof SHAPE_WORDS)[]

/** Default value of each option. */
const DEFAULTS: ShapeOptions = {
  ...Object.fromEntries(WORDS.map((option) => [option, SHAPE_WORDS[option][0]])),
  stripHtml: false,
  hashOwner: false,
  keepUnknown: false,
  hidden: true,
  system: true,
}

/**
 * Returns the options that a file says it was written with, without the key of its hashes; undefined if it has no such
 * metadata. Unknown options are left out, so that they appear as a difference of the metadata.
 */
export function writtenOptions(places: Places): ShapeOptions | undefined {
  if (metadataOf(places, EXPORT_METADATA_KEY) === undefined) return undefined
  const keys = [SHAPE_METADATA_KEY, PRIVACY_METADATA_KEY, READING_METADATA_KEY]
  const said = Object.assign({}, ...keys.map((key) => jsonObject(metadataOf(places, key)))) as Record<string, unknown>
  const isWord = (option: (typeof WORDS)[number]) => (SHAPE_WORDS[option] as readonly unknown[]).includes(said[option])
  const isList = (value: unknown) => Array.isArray(value) && value.every((word) => typeof word === 'string')
  const isFlag = (option: string) => typeof said[option] === 'boolean'
  const known = [
    ...WORDS.filter(isWord),
    ...FLAGS.filter(isFlag),
    ...SELECTION.filter((option) => isFlag(option) || isList(said[option])),
  ]
  return Object.fromEntries(known.map((option) => [option, said[option]]))
}

/**
 * Merges options: those given take precedence over those the output was written with.
 * @throws OptionError `ERR_OPTION` when it has hashes, and their key is missing.
 */
export function expectedOptions<T extends ShapeOptions>(
  output: string,
  written: ShapeOptions | undefined,
  given: T,
): T {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  const options = { ...written, ...Object.fromEntries(entries) } as T
  const isHashed = options.sensitive === 'hash' || options.hashOwner === true
  if (isHashed && (options.hashKey ?? '') === '') {
    throw new OptionError(
      'ERR_OPTION',
      worded`${output} holds keyed hashes: expected their key in ${option('hashKey')}, found none`,
    )
  }
  return options
}

/**
 * Adds a difference of the kind `option` for each given option that differs from the file's; for the selection of
 * questions, see `compareSelection`.
 */
export function compareOptions(log: DifferenceLog, written: ShapeOptions | undefined, given: ShapeOptions): void {
  if (written === undefined) return
  for (const option of [...WORDS, ...FLAGS]) compareOption(log, option, written, given)
}

/**
 * Does the same for the options that select questions, unless they select the questions of the file, because a
 * selection can be written in several ways.
 * @param reference The export, opened with the given options.
 */
export function compareSelection(
  log: DifferenceLog,
  written: ShapeOptions | undefined,
  given: ShapeOptions,
  file: { schema: Schema; metadata: Places },
  reference: ReferenceReader,
): void {
  if (written === undefined || sameQuestions(questionIds(file), reference)) return
  for (const option of SELECTION) compareOption(log, option, written, given)
}

function compareOption(
  log: DifferenceLog,
  option: (typeof WORDS | typeof FLAGS | typeof SELECTION)[number],
  written: ShapeOptions,
  given: ShapeOptions,
): void {
  if (given[option] === undefined) return
  const text = (options: ShapeOptions) => JSON.stringify(options[option] ?? DEFAULTS[option])
  log.compare({ kind: 'option', key: option }, text(given), text(written))
}

function sameQuestions(ids: readonly string[], { columns }: ReferenceReader): boolean {
  const expected = columns.flatMap(({ field }) => field?.id ?? [])
  return expected.length === ids.length && expected.every((id, i) => id === ids[i])
}

/** Returns the ids of a file's questions, in column order. */
function questionIds({ schema, metadata }: { schema: Schema; metadata: Places }): string[] {
  const listed = jsonArray(metadataOf(metadata, QUESTIONS_METADATA_KEY))
  if (listed !== undefined) return listed.map((question) => String(question?.['alida:id']))
  return schema.fields.flatMap((field) => field.metadata.get('alida:id') ?? [])
}

function metadataOf(places: Places, key: string): string | undefined {
  return places.find((place) => place.has(key))?.get(key)
}

function jsonObject(text: string | undefined): object {
  const value = jsonValue(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

function jsonArray(text: string | undefined): Record<string, unknown>[] | undefined {
  const value = jsonValue(text)
  return Array.isArray(value) ? value : undefined
}

/** Parses JSON; undefined if it is missing or damaged. */
function jsonValue(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return undefined
  }
}
