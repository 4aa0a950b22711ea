/** An error on its way to another thread: cloning would make a plain Error of it. */

import {
  DefinitionError,
  ExportError,
  isExportError,
  JsonSyntaxError,
  LimitError,
  OptionError,
  type Place,
  SourceError,
  ValueError,
} from '../errors.ts'

export interface WireError {
  readonly name: string
  readonly code: ExportError['code']
  /** Its place included. */
  readonly message: string
  readonly place: Place
}

const CLASSES: Readonly<Record<string, typeof ExportError>> = {
  DefinitionError,
  JsonSyntaxError,
  LimitError,
  OptionError,
  SourceError,
  ValueError,
}

/** @returns undefined for an error that is not one of ours: a fault of this program. */
export function wireError(error: unknown): WireError | undefined {
  if (!isExportError(error)) return undefined
  const { name, code, message, record, ownerId, fieldName, fieldId, byteOffset } = error
  return { name, code, message, place: { record, ownerId, fieldName, fieldId, byteOffset } }
}

export function errorFromWire({ name, code, message, place }: WireError): ExportError {
  const error = new (CLASSES[name] ?? ExportError)(code, message)
  return Object.assign(error, place)
}
