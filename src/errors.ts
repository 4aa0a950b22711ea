/**
 * Every error that this package throws deliberately, and the wording of its place.
 *
 * Match on `code`, not on `instanceof`, because two copies of the package may be loaded. Records are numbered from 1;
 * byte offsets are 0-based positions in the decompressed document.
 */

import { type OptionWords, Wording } from './wording.ts'

/** Codes of errors in the input itself. */
export const INPUT_ERROR_CODES = [
  'ERR_JSON_SYNTAX',
  'ERR_JSON_TRUNCATED',
  'ERR_JSON_ENCODING',
  'ERR_NOT_JSON',
  'ERR_NOT_AN_EXPORT',
  'ERR_DEFINITION',
  'ERR_RECORD',
  'ERR_VALUE',
  'ERR_TOO_MANY_VALUES',
  'ERR_FIELD_REPEATED',
  'ERR_DICTIONARY_FULL',
  'ERR_LIMIT',
  'ERR_SOURCE',
  'ERR_SOURCE_CHANGED',
  'ERR_GZIP',
] as const

/** All codes; `docs/errors.md` lists them. */
export const ERROR_CODES = [
  ...INPUT_ERROR_CODES,
  'ERR_OUTPUT',
  'ERR_PARQUET',
  'ERR_WORKER',
  'ERR_MEMORY',
  'ERR_VERIFY',
  'ERR_OPTION',
  'ERR_ABORTED',
  'ERR_API_STATUS',
  'ERR_API_AUTH',
  'ERR_API_RESPONSE',
  'ERR_API_EXPORT_FAILED',
  'ERR_API_TIMEOUT',
  'ERR_API_NETWORK',
  'ERR_API_REDIRECT',
  'ERR_API_DOWNLOAD',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** A place in the export. Unknown parts are left out. */
export interface Place {
  /** 1-based number of the record. */
  record?: number | undefined
  ownerId?: string | undefined
  /** Name of the question (`definition.fields[].name`). */
  fieldName?: string | undefined
  fieldId?: string | undefined
  /** Member of the record other than a question: `lastUpdateDate`. */
  member?: string | undefined
  /** 0-based offset in the decompressed document. */
  byteOffset?: number | undefined
}

export interface ExportErrorOptions extends Place {
  cause?: unknown
}

export class ExportError extends Error implements Place {
  /** A literal in each class, because minified code has other class names. */
  override readonly name: string = 'ExportError'
  readonly code: ErrorCode
  readonly record: number | undefined
  readonly ownerId: string | undefined
  readonly fieldName: string | undefined
  readonly fieldId: string | undefined
  readonly member: string | undefined
  readonly byteOffset: number | undefined
  readonly #problem: Wording

  /** @param problem The message without its place, which is appended here so that the wording is always the same. */
  constructor(code: ErrorCode, problem: string | Wording, options: ExportErrorOptions = {}) {
    super(printable(problem + placeText(options)), options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.#problem = typeof problem === 'string' ? new Wording([problem]) : problem
    this.record = options.record
    this.ownerId = options.ownerId
    this.fieldName = options.fieldName
    this.fieldId = options.fieldId
    this.member = options.member
    this.byteOffset = options.byteOffset
  }

  /** The message without its place. */
  get problem(): string {
    return printable(String(this.#problem))
  }

  /** The message without its place, in the parts from which another thread, or `messageIn`, can word it. */
  get wording(): Wording {
    return this.#problem
  }

  /** Returns the message with its options named by `words` instead of by their names in the library. */
  messageIn(words: OptionWords): string {
    return printable(this.#problem.in(words) + placeText(this))
  }

  /** Returns the code, the message and every known part of the place, for JSON. */
  toJSON(): Record<string, unknown> {
    const { code, message, record, ownerId, fieldId, fieldName, member, byteOffset } = this
    return { code, message, record, ownerId, fieldId, fieldName, member, byteOffset }
  }
}

/** The bytes are not one complete JSON document (RFC 8259). */
export class JsonSyntaxError extends ExportError {
  override readonly name = 'JsonSyntaxError'
}

/** The JSON is valid, but it is not an export, or its definition cannot be used. */
export class DefinitionError extends ExportError {
  override readonly name = 'DefinitionError'
}

/** An answer does not fit the definition: a text in a `double`, an impossible date, two values in an `enum`. */
export class ValueError extends ExportError {
  override readonly name = 'ValueError'
}

/** The input cannot be read: no such file, a directory, a broken gzip stream. */
export class SourceError extends ExportError {
  override readonly name = 'SourceError'
}

/** The output cannot be written: no such folder, no permission, disk full. */
export class OutputError extends ExportError {
  override readonly name = 'OutputError'
}

/** The input exceeds a safety limit; the message names the option that raises it. */
export class LimitError extends ExportError {
  override readonly name = 'LimitError'
}

/** An option is unknown, contradicts another, or names something that is not there. CLI exit code 2. */
export class OptionError extends ExportError {
  override readonly name = 'OptionError'
}

/** The caller's AbortSignal fired, or the process was interrupted. */
export class AbortError extends ExportError {
  override readonly name = 'AbortError'
}

export interface ApiErrorOptions extends ExportErrorOptions {
  /** HTTP status code. */
  status?: number | undefined
  /** The API's own id of the failure, for its support. */
  errorId?: string | undefined
  developerMessage?: string | undefined
  /** URL of the request, without its query, which may contain a signature. */
  url?: string | undefined
}

/** The API or the file store reported a failure, or did not answer. CLI exit code 3. */
export class ApiError extends ExportError {
  override readonly name = 'ApiError'
  readonly status: number | undefined
  readonly errorId: string | undefined
  readonly developerMessage: string | undefined
  readonly url: string | undefined

  constructor(code: ErrorCode, problem: string | Wording, options: ApiErrorOptions = {}) {
    super(code, problem, options)
    this.status = options.status
    this.errorId = options.errorId
    this.developerMessage = options.developerMessage
    this.url = options.url
  }

  /** Also returns the details from the API. */
  override toJSON(): Record<string, unknown> {
    const { status, errorId, developerMessage, url } = this
    return { ...super.toJSON(), status, errorId, developerMessage, url }
  }
}

/** Whether an unknown error is an ExportError, optionally with one of some codes. */
export function isExportError(error: unknown, ...codes: ErrorCode[]): error is ExportError {
  if (!(error instanceof Error) || typeof (error as { code?: unknown }).code !== 'string') return false
  const code = (error as ExportError).code
  return codes.length === 0 ? code.startsWith('ERR_') && 'byteOffset' in error : codes.includes(code)
}

function placeText(place: Place): string {
  const parts: string[] = []
  if (place.record !== undefined) parts.push(`record ${place.record}`)
  if (place.ownerId !== undefined) parts.push(`owner ${place.ownerId}`)
  if (place.fieldName !== undefined) parts.push(`question ${quoted(place.fieldName)}`)
  if (place.fieldId !== undefined) parts.push(`field ${place.fieldId}`)
  if (place.member !== undefined) parts.push(`member ${quoted(place.member)}`)
  if (place.byteOffset !== undefined) parts.push(`byte ${place.byteOffset}`)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

const MAX_EXCERPT_CHARS = 60

/** Returns a text as a JSON string, truncated to fit on a line. */
export function quoted(text: string): string {
  return printable(JSON.stringify(cut(text, MAX_EXCERPT_CHARS)))
}

/** Returns a text truncated to fit on a line, without control characters, which could control a terminal. */
export function shortened(text: string, maxChars: number = MAX_EXCERPT_CHARS): string {
  return printable(cut(text, maxChars))
}

function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars).toWellFormed()}…`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the terminal
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g

/**
 * Returns a text with control characters escaped, which could control a terminal, break a line, or change the direction
 * of text. Invisible characters, such as a byte order mark, are escaped, too.
 */
export function printable(text: string): string {
  return text.replace(HIDDEN, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
