/** Passes errors to another thread; cloning an ExportError would give a plain Error. */

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
import { Wording } from '../wording.ts'

export interface WireError {
  readonly name: string
  readonly code: ExportError['code']
  /** The message without its place. */
  readonly problem: Wording['parts']
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

/** Converts an ExportError to plain data; returns undefined for any other error, which is a bug. */
export function wireError(error: unknown): WireError | undefined {
  if (!isExportError(error)) return undefined
  const { name, code, wording, record, ownerId, fieldName, fieldId, member, byteOffset } = error
  return { name, code, problem: wording.parts, place: { record, ownerId, fieldName, fieldId, member, byteOffset } }
}

export function errorFromWire({ name, code, problem, place }: WireError): ExportError {
  return new (CLASSES[name] ?? ExportError)(code, new Wording(problem), place)
}
