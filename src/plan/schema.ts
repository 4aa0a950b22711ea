/** Plans the columns of a definition (names, types, sources) and their Arrow schema. */

import {
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int8,
  Int16,
  Int32,
  List,
  Schema,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow'
import type { Definition, ExportHeader, FieldDefinition, FieldGroup, OptionDefinition } from '../definition.ts'
import { VERSION } from '../version.ts'
import type { WarningLog } from '../warnings.ts'
import { type NameMode, type Naming, questionNames } from './name-modes.ts'
import { folded, numberedNames, OPTIONAL_COLUMNS, optionLabels, SYSTEM_COLUMNS } from './names.ts'
import { plainText } from './plain-text.ts'
import { type SelectionOptions, selectedFields } from './selection.ts'

/** How a column's answers are read and stored. `json` is utf8 that also accepts any other JSON, as compact text. */
export type ColumnType = 'dictionary' | 'list' | 'double' | 'timestamp' | 'utf8' | 'json'

/**
 * What a column holds: a member of the record, the answers of one field, the names of the skipped questions, the names
 * of the columns whose value was invalid, or the answers to fields outside the definition.
 */
export type ColumnSource = 'ownerId' | 'lastUpdateDate' | 'field' | 'skipped' | 'invalid' | 'extra'

export interface ColumnPlan {
  /** Unique in the table, ignoring case. */
  readonly name: string
  readonly type: ColumnType
  readonly source: ColumnSource
  /** The question; only for columns with source `field`. */
  readonly field?: FieldDefinition
  readonly group?: FieldGroup
  /** Dictionary labels known before the first record, in the definition's order; only for `dictionary` and `list`. */
  readonly labels: readonly string[]
  /** The question text without HTML, if `stripHtml` is set. */
  readonly text?: string
  /** The answers are read as usual, but only a keyed hash of each may be written. */
  readonly isHashed?: boolean
}

export interface ColumnOptions extends SelectionOptions {
  /** What columns are called. Default: `name`. */
  names?: NameMode | undefined
  /** Removes HTML from labels and question texts; the originals stay in the metadata. Default: false. */
  stripHtml?: boolean | undefined
  /**
   * What to do with a value that does not fit its question: `error` (default), or `null`. With `null`, the column
   * `invalid` names the columns that are null for this reason.
   */
  onInvalid?: 'error' | 'null' | undefined
  /** Keeps answers to fields outside the definition as JSON, in the column `_extra`. Default: false. */
  keepUnknown?: boolean | undefined
}

/**
 * Plans the table's columns: `ownerId`, `lastUpdateDate`, one per field in the definition's order, `skipped`; then
 * `invalid` and `_extra` if requested.
 * @throws OptionError `ERR_OPTION` when `fields` or `exclude` name something that is not in the definition.
 */
export function planColumns(
  definition: Definition,
  options: ColumnOptions,
  naming: Naming,
  warnings: WarningLog,
): ColumnPlan[] {
  const groups = groupByFieldId(definition.fieldGroups)
  const taken = new Set(Object.values(SYSTEM_COLUMNS).map(folded))
  const names = questionNames(definition.fields, naming, taken)
  const kept = selectedFields(definition.fields, names, options)
  const plans: ColumnPlan[] = [
    { name: SYSTEM_COLUMNS.ownerId, type: 'utf8', source: 'ownerId', labels: [] },
    { name: SYSTEM_COLUMNS.lastUpdateDate, type: 'timestamp', source: 'lastUpdateDate', labels: [] },
  ]
  for (const [i, field] of definition.fields.entries()) {
    if (!kept.has(field)) continue
    const group = groups.get(field.id)
    const shownOptions = options.stripHtml === true ? field.options.map(cleanOption) : field.options
    const labels = optionLabels(shownOptions)
    warnAboutField(field, shownOptions, labels, warnings)
    const name = names[i] ?? field.id
    plans.push({
      name,
      type: columnTypeOf(field),
      source: 'field',
      field,
      labels,
      ...(group === undefined ? {} : { group }),
      ...(options.stripHtml === true ? { text: plainText(field.description) } : {}),
      ...(options.sensitive === 'hash' && field.isSensitive ? { isHashed: true } : {}),
    })
  }
  const questions = plans.filter((plan) => plan.source === 'field').map((plan) => plan.name)
  plans.push({ name: SYSTEM_COLUMNS.skipped, type: 'list', source: 'skipped', labels: questions })
  plans.push(...optionalColumns(questions, options, taken))
  return plans
}

/** @param taken Names in use, in lower case. */
function optionalColumns(
  questions: readonly string[],
  { onInvalid, keepUnknown }: ColumnOptions,
  taken: Set<string>,
): ColumnPlan[] {
  const [invalid, extra] = numberedNames(Object.values(OPTIONAL_COLUMNS), taken) as [string, string]
  const plans: ColumnPlan[] = []
  if (onInvalid === 'null') {
    const labels = [SYSTEM_COLUMNS.lastUpdateDate, ...questions]
    plans.push({ name: invalid, type: 'list', source: 'invalid', labels })
  }
  if (keepUnknown === true) plans.push({ name: extra, type: 'utf8', source: 'extra', labels: [] })
  return plans
}

function columnTypeOf(field: FieldDefinition): ColumnType {
  switch (field.dataType) {
    case 'enum':
      return 'dictionary'
    case 'set':
      return 'list'
    case 'double':
      return 'double'
    case 'datetime':
      return 'timestamp'
    case 'string':
    case 'identifier':
      return 'utf8'
    default:
      return 'json'
  }
}

/** Removes HTML from an option's name. A name of tags only stays as it is, because labels must be distinct. */
function cleanOption(option: OptionDefinition): OptionDefinition {
  return { id: option.id, name: plainText(option.name) || option.name }
}

function warnAboutField(
  field: FieldDefinition,
  options: readonly OptionDefinition[],
  labels: readonly string[],
  warnings: WarningLog,
): void {
  if (columnTypeOf(field) === 'json') warnings.add('unknown-data-type', field, field.dataType)
  for (const [i, option] of options.entries()) {
    if (labels[i] !== option.name) warnings.add('duplicate-option-name', field, option.name)
  }
}

/** Returns the group of each field; the first one if it is in several. */
export function groupByFieldId(groups: readonly FieldGroup[]): Map<string, FieldGroup> {
  const byFieldId = new Map<string, FieldGroup>()
  for (const group of groups) {
    for (const id of group.fieldIds) if (!byFieldId.has(id)) byFieldId.set(id, group)
  }
  return byFieldId
}

/** Key of `exportMetadata` in the metadata of the Arrow schema and in Parquet's key-value metadata. */
export const EXPORT_METADATA_KEY = 'alida:export'

/** Key of the policy on sensitive questions and owner ids, in the same places. */
export const PRIVACY_METADATA_KEY = 'alida:privacy'

/** Key of the number of invalid values, in the same places; only if they became null. */
export const INVALID_METADATA_KEY = 'alida:invalid'

/** Number of invalid values, in total and by error code. */
export interface InvalidCounts {
  readonly total: number
  readonly codes: Readonly<Record<string, number>>
}

/** Key of how the export was read, in the same places: see `readingMetadata`; missing if all of it is the default. */
export const READING_METADATA_KEY = 'alida:reading'

/** Key of what a column holds; missing on columns that hold the answers themselves. */
export const ROLE_METADATA_KEY = 'alida:role'

/** How personal data is treated before it is written. */
export interface PrivacyOptions extends Pick<SelectionOptions, 'sensitive'> {
  /** Whether `ownerId` is replaced by a keyed hash, which needs `hashKey`. Default: false. */
  hashOwner?: boolean | undefined
}

/** Returns a file's own description as JSON: the export's members, its definition, this tool. */
function exportMetadata(header: ExportHeader, definition: Definition, options: PrivacyOptions = {}): string {
  const shown = withoutSensitive(definition, options)
  return JSON.stringify({ ...header, definition: shown, tool: { name: 'alida-arrow', version: VERSION } })
}

/**
 * Removes dropped questions from the definition, and the options of hashed ones, so that a file does not name what it
 * hides.
 */
function withoutSensitive(definition: Definition, { sensitive = 'keep' }: PrivacyOptions): Definition {
  if (sensitive === 'keep') return definition
  const kept = definition.fields.filter((field) => sensitive === 'hash' || !field.isSensitive)
  const ids = new Set(kept.map((field) => field.id))
  return {
    fields: kept.map((field) => (field.isSensitive ? { ...field, options: [] } : field)),
    fieldGroups: definition.fieldGroups.map((group) => ({
      ...group,
      fieldIds: group.fieldIds.filter((id) => ids.has(id)),
    })),
  }
}

function privacyMetadata({ sensitive = 'keep', hashOwner = false }: PrivacyOptions): string {
  const isHashed = hashOwner || sensitive === 'hash'
  return JSON.stringify({ sensitive, hashOwner, ...(isHashed ? { hash: 'HMAC-SHA-256' } : {}) })
}

/**
 * Returns how an export was read, as a JSON object without defaults: the selection of questions, `onInvalid` and
 * `keepUnknown`; undefined if all are defaults. If sensitive questions were dropped, the selection is written as the
 * ids of those kept, because its words could name a dropped one.
 */
function readingMetadata(plans: readonly ColumnPlan[], options: ColumnOptions): string | undefined {
  const { fields, exclude, hidden, system, sensitive, onInvalid, keepUnknown } = options
  const ids = plans.flatMap(({ field }) => field?.id ?? [])
  const hasExcluded = exclude !== undefined && exclude.length > 0
  const hasWords = fields !== undefined || hasExcluded
  const facts = {
    ...(sensitive === 'drop' && hasWords ? { fields: ids } : { fields, ...(hasExcluded ? { exclude } : {}) }),
    ...(hidden === false ? { hidden } : {}),
    ...(system === false ? { system } : {}),
    ...(onInvalid === 'null' ? { onInvalid } : {}),
    ...(keepUnknown === true ? { keepUnknown } : {}),
  }
  const text = JSON.stringify(facts)
  return text === '{}' ? undefined : text
}

/**
 * Returns the Arrow schema of the planned columns; each field and the schema itself carry their part of the definition
 * as metadata.
 */
export function arrowSchema(
  plans: readonly ColumnPlan[],
  header: ExportHeader,
  definition: Definition,
  options: ColumnOptions & PrivacyOptions = {},
): Schema {
  const fields = plans.map((plan, i) => new Field(plan.name, arrowType(plan, i), true, fieldMetadata(plan)))
  const metadata = new Map([
    [EXPORT_METADATA_KEY, exportMetadata(header, definition, options)],
    [PRIVACY_METADATA_KEY, privacyMetadata(options)],
  ])
  const reading = readingMetadata(plans, options)
  if (reading !== undefined) metadata.set(READING_METADATA_KEY, reading)
  return new Schema(fields, metadata)
}

/** The only instance: arrow-js distinguishes dictionaries of the same id by it. */
export const UTF8 = new Utf8()

function arrowType(plan: ColumnPlan, dictionaryId: number): DataType {
  switch (plan.type) {
    case 'dictionary':
      return new Dictionary(UTF8, arrowIndexType(plan), dictionaryId, false)
    case 'list':
      return new List(new Field('item', new Dictionary(UTF8, arrowIndexType(plan), dictionaryId, false), true))
    case 'double':
      return new Float64()
    case 'timestamp':
      return new TimestampMicrosecond('UTC')
    case 'utf8':
    case 'json':
      return UTF8
  }
}

/**
 * Returns the bits of a column's dictionary indices. While records are read, a question's dictionary may grow by
 * options that are no longer in the definition, but its index type cannot change. So half of a question's range is kept
 * free for them, and it never gets 8 bits.
 */
export function indexBits(plan: ColumnPlan): 8 | 16 | 32 {
  const labels = plan.labels.length
  return bitsForLabels(plan.source === 'field' ? Math.max(2 * labels, maxDictionaryLabels(8) + 1) : labels)
}

/**
 * Returns how many labels signed indices of this many bits can have; one less than the range, because arrow-rs refuses
 * to read a full one.
 */
export function maxDictionaryLabels(bits: 8 | 16 | 32): number {
  return 2 ** (bits - 1) - 1
}

/** Returns the bits of signed indices for this many labels. */
export function bitsForLabels(labels: number): 8 | 16 | 32 {
  if (labels <= maxDictionaryLabels(8)) return 8
  return labels <= maxDictionaryLabels(16) ? 16 : 32
}

/**
 * Returns the maximum rows whose fixed-width buffers (values or offsets, and validity) fit in `bytes`; at least
 * MIN_BATCH_ROWS.
 */
export function rowsWithin(bytes: number, plans: readonly ColumnPlan[], moreBytesPerRow = 0): number {
  let bytesPerRow = moreBytesPerRow
  for (const plan of plans) bytesPerRow += fixedBytesPerRow(plan) + 1 / 8
  return Math.max(MIN_BATCH_ROWS, Math.floor(bytes / bytesPerRow))
}

const MIN_BATCH_ROWS = 1024

function fixedBytesPerRow(plan: ColumnPlan): number {
  switch (plan.type) {
    case 'dictionary':
      return indexBits(plan) / 8
    case 'double':
    case 'timestamp':
      return 8
    default:
      return 4
  }
}

function arrowIndexType(plan: ColumnPlan): Int8 | Int16 | Int32 {
  return indexTypeOf(indexBits(plan))
}

export function indexTypeOf(bits: 8 | 16 | 32): Int8 | Int16 | Int32 {
  switch (bits) {
    case 8:
      return new Int8()
    case 16:
      return new Int16()
    case 32:
      return new Int32()
  }
}

/** Returns the metadata of a question's column. */
export function fieldMetadata(plan: ColumnPlan): Map<string, string> {
  const { field, group, source } = plan
  const metadata = new Map<string, string>()
  if (source === 'invalid' || source === 'extra') metadata.set(ROLE_METADATA_KEY, source)
  if (field === undefined) return metadata
  metadata.set('alida:id', field.id)
  metadata.set('alida:name', field.name)
  metadata.set('alida:dataType', field.dataType)
  metadata.set('alida:description', field.description)
  if (plan.text !== undefined) metadata.set('alida:text', plan.text)
  if (group !== undefined) metadata.set('alida:group', JSON.stringify({ id: group.id, name: group.name }))
  metadata.set('alida:isSensitive', String(field.isSensitive))
  metadata.set('alida:visibility', field.visibility)
  metadata.set('alida:isSystem', String(field.isSystem))
  metadata.set('alida:isRequired', String(field.isRequired))
  if (plan.isHashed === true) {
    metadata.set('alida:hashed', 'true')
  } else if (plan.type === 'dictionary' || plan.type === 'list') {
    const options = field.options.map((option, i) => ({ id: option.id, name: option.name, label: plan.labels[i] }))
    metadata.set('alida:options', JSON.stringify(options))
  }
  return metadata
}
