/** Definition → columns: which there are, of what type, under what name, and the Arrow schema that says so. */

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
import type { Definition, ExportHeader, FieldDefinition, FieldGroup } from './definition.ts'
import { OptionError, quoted } from './errors.ts'
import { columnNames, optionLabels, SYSTEM_COLUMNS } from './names.ts'
import { VERSION } from './version.ts'
import type { WarningLog } from './warnings.ts'

/** How a column's answers are read and stored. `json` is utf8 that also takes any other JSON, as compact text. */
export type ColumnType = 'dictionary' | 'list' | 'double' | 'timestamp' | 'utf8' | 'json'

/** What fills a column: a member of the record, the answers of one field, or the names of the skipped questions. */
export type ColumnSource = 'ownerId' | 'lastUpdateDate' | 'field' | 'skipped'

export interface ColumnPlan {
  /** Unique in the table, without regard to case. */
  readonly name: string
  readonly type: ColumnType
  readonly source: ColumnSource
  /** The question; only of columns whose source is `field`. */
  readonly field?: FieldDefinition
  readonly group?: FieldGroup
  /** Dictionary labels known before the first record, in the definition's order; only of `dictionary` and `list`. */
  readonly labels: readonly string[]
}

export interface ColumnOptions {
  /** Names or ids of the questions to keep, in any order; all by default. Columns keep the definition's order. */
  fields?: readonly string[] | undefined
}

/**
 * Plans the table's columns: `ownerId`, `lastUpdateDate`, one per field in the definition's order, `skipped`.
 * @throws OptionError `ERR_OPTION` when `fields` names something that is not in the definition.
 */
export function planColumns(definition: Definition, options: ColumnOptions, warnings: WarningLog): ColumnPlan[] {
  const groups = groupByFieldId(definition.fieldGroups)
  const names = columnNames(definition.fields, Object.values(SYSTEM_COLUMNS))
  const kept = selectedFields(definition.fields, options.fields)
  const plans: ColumnPlan[] = [
    { name: SYSTEM_COLUMNS.ownerId, type: 'utf8', source: 'ownerId', labels: [] },
    { name: SYSTEM_COLUMNS.lastUpdateDate, type: 'timestamp', source: 'lastUpdateDate', labels: [] },
  ]
  for (const [i, field] of definition.fields.entries()) {
    if (!kept.has(field)) continue
    const group = groups.get(field.id)
    const labels = optionLabels(field.options)
    warnAboutField(field, labels, warnings)
    const name = names[i] ?? field.id
    plans.push({
      name,
      type: columnTypeOf(field),
      source: 'field',
      field,
      labels,
      ...(group === undefined ? {} : { group }),
    })
  }
  const questions = plans.filter((plan) => plan.source === 'field').map((plan) => plan.name)
  plans.push({ name: SYSTEM_COLUMNS.skipped, type: 'list', source: 'skipped', labels: questions })
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

function warnAboutField(field: FieldDefinition, labels: readonly string[], warnings: WarningLog): void {
  if (columnTypeOf(field) === 'json') warnings.add('unknown-data-type', field, field.dataType)
  for (const [i, option] of field.options.entries()) {
    if (labels[i] !== option.name) warnings.add('duplicate-option-name', field, option.name)
  }
}

function groupByFieldId(groups: readonly FieldGroup[]): Map<string, FieldGroup> {
  const byFieldId = new Map<string, FieldGroup>()
  for (const group of groups) {
    for (const id of group.fieldIds) if (!byFieldId.has(id)) byFieldId.set(id, group)
  }
  return byFieldId
}

function selectedFields(
  fields: readonly FieldDefinition[],
  wanted: readonly string[] | undefined,
): Set<FieldDefinition> {
  if (wanted === undefined) return new Set(fields)
  const byWord = new Map<string, FieldDefinition[]>()
  for (const field of fields) {
    for (const word of new Set([field.name, field.id])) byWord.set(word, [...(byWord.get(word) ?? []), field])
  }
  const selected = new Set<FieldDefinition>()
  for (const word of wanted) {
    const matches = byWord.get(word)
    if (matches === undefined) {
      throw new OptionError('ERR_OPTION', `fields: expected the name or id of a question, found ${quoted(word)}`)
    }
    for (const field of matches) selected.add(field)
  }
  return selected
}

/** What a file says of itself beside the rows, as one JSON text: the export's own members, its definition, this tool. */
export function exportMetadata(header: ExportHeader, definition: Definition): string {
  return JSON.stringify({ ...header, definition, tool: { name: 'alida-arrow', version: VERSION } })
}

/** Key of `exportMetadata` in the Arrow schema's metadata and in Parquet's key-value metadata. */
export const EXPORT_METADATA_KEY = 'alida:export'

/** The Arrow schema of the planned columns; every field and the schema itself carry their part of the definition. */
export function arrowSchema(plans: readonly ColumnPlan[], header: ExportHeader, definition: Definition): Schema {
  const fields = plans.map((plan, i) => new Field(plan.name, arrowType(plan, i), true, fieldMetadata(plan)))
  return new Schema(fields, new Map([[EXPORT_METADATA_KEY, exportMetadata(header, definition)]]))
}

/** arrow-js tells dictionaries of one id apart by this instance, so that there must be only one. */
const UTF8 = new Utf8()

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

/** Bits of a column's dictionary indices. Half of the range is left free for options that left the definition. */
export function indexBits(plan: ColumnPlan): 8 | 16 | 32 {
  if (plan.labels.length <= 64) return 8
  return plan.labels.length <= 16_384 ? 16 : 32
}

/** Most rows whose fixed-width buffers (values or offsets, and validity) stay within so many bytes. */
export function rowsWithin(bytes: number, plans: readonly ColumnPlan[]): number {
  let bytesPerRow = 0
  for (const plan of plans) bytesPerRow += fixedBytesPerRow(plan) + 1 / 8
  return Math.max(FEWEST_BATCH_ROWS, Math.floor(bytes / bytesPerRow))
}

const FEWEST_BATCH_ROWS = 1024

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
  switch (indexBits(plan)) {
    case 8:
      return new Int8()
    case 16:
      return new Int16()
    case 32:
      return new Int32()
  }
}

function fieldMetadata(plan: ColumnPlan): Map<string, string> {
  const { field, group } = plan
  const metadata = new Map<string, string>()
  if (field === undefined) return metadata
  metadata.set('alida:id', field.id)
  metadata.set('alida:name', field.name)
  metadata.set('alida:dataType', field.dataType)
  metadata.set('alida:description', field.description)
  if (group !== undefined) metadata.set('alida:group', JSON.stringify({ id: group.id, name: group.name }))
  metadata.set('alida:isSensitive', String(field.isSensitive))
  metadata.set('alida:visibility', field.visibility)
  metadata.set('alida:isSystem', String(field.isSystem))
  metadata.set('alida:isRequired', String(field.isRequired))
  if (plan.type === 'dictionary' || plan.type === 'list') {
    const options = field.options.map((option, i) => ({ id: option.id, name: option.name, label: plan.labels[i] }))
    metadata.set('alida:options', JSON.stringify(options))
  }
  return metadata
}
