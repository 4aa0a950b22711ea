/**
 * Converts the export's `definition`, unknown JSON, to typed questions. Lenient where the vendor is: missing optional
 * members, `"true"` for `true`, unknown keys, unknown data types.
 */

import { DefinitionError, quoted } from './errors.ts'
import { type InputLimits, limitError, limitOf } from './limits.ts'
import type { WarningLog } from './warnings.ts'

/** One allowed answer of an `enum` or `set` question (`type.values[]`). */
export interface OptionDefinition {
  readonly id: string
  /** Name as shown to participants; the option's id if the export has no name. */
  readonly name: string
}

/** One question, or one row of a grid (`definition.fields[]`). */
export interface FieldDefinition {
  readonly id: string
  /** May be empty, and need not be unique. */
  readonly name: string
  /** `enum`, `set`, `double`, `datetime`, `string`, `identifier`, or a type not known yet. */
  readonly dataType: string
  /** In the definition's order; empty for all other data types. */
  readonly options: readonly OptionDefinition[]
  readonly isSensitive: boolean
  /** The question text; may contain HTML. */
  readonly description: string
  readonly visibility: string
  readonly isSystem: boolean
  readonly isRequired: boolean
}

/** Fields that belong together, such as the rows of a grid (`definition.fieldGroups[]`). */
export interface FieldGroup {
  readonly id: string
  readonly name: string
  readonly fieldIds: readonly string[]
  readonly description: string
  readonly isRequired: boolean
}

export interface Definition {
  readonly fields: readonly FieldDefinition[]
  readonly fieldGroups: readonly FieldGroup[]
}

/** The document's members other than `definition` and `records`, if they came before the records. */
export interface ExportHeader {
  /** GUID of the batch export. */
  readonly id?: string
  /** GUID of the activity's dataset. */
  readonly datasetId?: string
  /** UTC text, as the API wrote it. */
  readonly exportDate?: string
  /** UTC text, as the API wrote it. */
  readonly lastSyncDate?: string
  readonly exportOptions?: unknown
}

type JsonObject = Readonly<Record<string, unknown>>

/**
 * Converts the JSON value of `definition`.
 * @throws DefinitionError `ERR_DEFINITION` with the path of what cannot be used; LimitError for too many options.
 */
export function definitionFromJson(value: unknown, warnings: WarningLog, limits: InputLimits = {}): Definition {
  const definition = objectAt(value, 'definition')
  requireFewOptions(definition, limitOf(limits, 'maxOptions'))
  const fields: FieldDefinition[] = []
  const byId = new Map<string, FieldDefinition>()
  for (const [i, entry] of arrayAt(definition.fields, 'definition.fields').entries()) {
    const field = fieldFromJson(entry, `definition.fields[${i}]`, warnings)
    const earlier = byId.get(field.id)
    if (earlier === undefined) {
      byId.set(field.id, field)
      fields.push(field)
    } else if (earlier.dataType === field.dataType) {
      warnings.add('definition-field-repeated', field)
    } else {
      throw unusableError(
        `definition.fields[${i}]`,
        `the data type of field ${field.id} as listed before, ${quoted(earlier.dataType)}`,
        field.dataType,
      )
    }
  }
  const fieldGroups = arrayAt(definition.fieldGroups, 'definition.fieldGroups').map((entry, i) =>
    groupFromJson(entry, `definition.fieldGroups[${i}]`, warnings),
  )
  return { fields, fieldGroups }
}

/** Counts the options before any objects are made of them. Throws LimitError above `maxOptions`. */
function requireFewOptions(definition: JsonObject, maxOptions: number): void {
  let options = 0
  for (const field of arrayAt(definition.fields, 'definition.fields')) {
    const { values } = optionalObject(optionalObject(field).type)
    options += Array.isArray(values) ? values.length : 0
  }
  if (options <= maxOptions) return
  throw limitError('maxOptions', `a definition of at most ${maxOptions} options`, String(options))
}

/** Returns the members of the document that describe the export; those of an unexpected type are left out. */
export function headerFromJson(members: ReadonlyMap<string, unknown>): ExportHeader {
  const header: Record<string, unknown> = {}
  for (const key of ['id', 'datasetId', 'exportDate', 'lastSyncDate']) {
    const value = members.get(key)
    if (typeof value === 'string') header[key] = value.toWellFormed()
  }
  const exportOptions = members.get('exportOptions')
  if (exportOptions !== undefined && exportOptions !== null) header.exportOptions = exportOptions
  return header
}

function fieldFromJson(value: unknown, path: string, warnings: WarningLog): FieldDefinition {
  const field = objectAt(value, path)
  const id = idAt(field.id, `${path}.id`)
  const name = textOf(field.name, warnings)
  const type = typeof field.type === 'string' ? { dataType: field.type } : optionalObject(field.type)
  const dataType = textOf(type.dataType, warnings)
  const meta = optionalObject(field.meta)
  const known = dataType.toLowerCase()
  return {
    id,
    name,
    dataType: isFieldDataType(known) ? known : dataType,
    options:
      known === 'enum' || known === 'set'
        ? optionsFromJson(type.values, `${path}.type.values`, { id, name }, warnings)
        : [],
    isSensitive: isTrue(field.isSensitive),
    description: textOf(meta.description, warnings),
    visibility: textOf(meta.visibility, warnings),
    isSystem: isTrue(meta.isSystem),
    isRequired: isTrue(meta.isRequired),
  }
}

function optionsFromJson(
  value: unknown,
  path: string,
  field: { id: string; name: string },
  warnings: WarningLog,
): OptionDefinition[] {
  const options = new Map<string, OptionDefinition>()
  for (const [i, entry] of arrayAt(value, path).entries()) {
    const option = objectAt(entry, `${path}[${i}]`)
    const id = idAt(option.id, `${path}[${i}].id`)
    const name = textOf(option.name, warnings)
    if (options.has(id)) warnings.add('definition-option-repeated', field, id)
    else options.set(id, { id, name: name === '' ? id : name })
  }
  return [...options.values()]
}

function groupFromJson(value: unknown, path: string, warnings: WarningLog): FieldGroup {
  const group = objectAt(value, path)
  const meta = optionalObject(group.meta)
  return {
    id: textOf(group.id),
    name: textOf(group.name, warnings),
    fieldIds: arrayAt(group.fieldIds, `${path}.fieldIds`).map((id) => textOf(id)),
    description: textOf(meta.description, warnings),
    isRequired: isTrue(meta.isRequired),
  }
}

/** The data types that the API documents. */
export type FieldDataType = 'enum' | 'set' | 'double' | 'datetime' | 'string' | 'identifier'

const FIELD_DATA_TYPES: ReadonlySet<string> = new Set(['enum', 'set', 'double', 'datetime', 'string', 'identifier'])

function isFieldDataType(dataType: string): dataType is FieldDataType {
  return FIELD_DATA_TYPES.has(dataType)
}

function objectAt(value: unknown, path: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw unusableError(path, 'an object', value)
}

/** Returns an optional object; empty if it is missing or of another type. */
function optionalObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

function arrayAt(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  throw unusableError(path, 'an array', value)
}

function idAt(value: unknown, path: string): string {
  if (typeof value === 'string' && value !== '') return value.toWellFormed()
  if (Number.isSafeInteger(value)) return String(value)
  throw unusableError(path, 'an id (a text that is not empty)', value)
}

function textOf(value: unknown, warnings?: WarningLog): string {
  if (typeof value === 'string') {
    if (value.isWellFormed()) return value
    warnings?.add('lone-surrogate')
    return value.toWellFormed()
  }
  if (typeof value === 'object' && value !== null) warnings?.add('definition-text-left-out')
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

/** Whether a value is `true`, or `"true"` as in the vendor's own example. */
function isTrue(value: unknown): boolean {
  return value === true || value === 'true'
}

function unusableError(path: string, expected: string, found: unknown): DefinitionError {
  return new DefinitionError('ERR_DEFINITION', `${path}: expected ${expected}, found ${describe(found)}`)
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'string' ? quoted(value) : String(value)
}
