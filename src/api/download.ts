/**
 * Downloads the file of an export as one uninterrupted document. Layers, from the bottom: one attempt (file-link), the
 * stored bytes over several attempts (here), gzip, and the document over several readings of the file (here).
 */

import { ApiError, isExportError, LimitError } from '../errors.ts'
import type { InputLimits } from '../limits.ts'
import type { OptionNames } from '../option-values.ts'
import { ThrottledReports } from '../progress-reports.ts'
import { option, worded } from '../wording.ts'
import { isForeign, passText } from './content-encoding.ts'
import { DocumentEnd } from './document-end.ts'
import { type FileAnswer, openFile, placeOf, type RestOfFile } from './file-link.ts'
import {
  changedError,
  checkSameVersion,
  contentRange,
  type FileVersion,
  HandedOut,
  strongEtag,
  versionOf,
} from './file-version.ts'
import { unpackGzip } from './gunzip.ts'
import { OPERATION_OPTION_NAMES, type Operation, type OperationOptions } from './operation.ts'
import { plainUrl } from './redaction.ts'
import { pauseAfter, requireTemporary, TemporaryFailure } from './retry.ts'
import type { Session } from './session.ts'

export interface DownloadProgress {
  /** Bytes received of the file as it is stored (compressed, if it is). Goes back when the file must be read again. */
  readonly receivedBytes: number
  /** Length of the stored file; undefined if the store does not send it. */
  readonly totalBytes: number | undefined
  /** Bytes of the decompressed document returned so far. */
  readonly documentBytes: number
  /** 1 for the first connection, plus one for each resumption or retry. */
  readonly attempt: number
}

export interface DownloadOptions extends OperationOptions, Pick<InputLimits, 'maxGzipRatio'> {
  /** Called at most ten times a second, when a connection ends, and at the end. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined
  /** Maximum bytes of the decompressed document; more is ERR_LIMIT. Default: no limit. */
  maxBytes?: number | undefined
}

export const DOWNLOAD_OPTION_NAMES: OptionNames<DownloadOptions> = {
  ...OPERATION_OPTION_NAMES,
  maxGzipRatio: true,
  onProgress: true,
  maxBytes: true,
}

/** Limits the connections spent on a file that advances by only a few bytes each time. */
const MAX_ATTEMPTS = 1000

/**
 * Yields the bytes of the JSON document, decompressed, in order, each once. Ends without an error only after the whole
 * file.
 */
export async function* documentBytes(
  session: Session,
  operation: Operation,
  fileUrl: URL,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reports = new ThrottledReports(options.onProgress)
  const attempts = new Attempts(session, operation, fileUrl, () => reports.flush())
  const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY
  try {
    let answer = await attempts.open()
    let begun: { version: FileVersion; handedOut: HandedOut } | undefined
    for (;;) {
      requireWhole(answer)
      const version = versionOf(answer)
      if (begun === undefined || begun.handedOut.byteLength === 0) {
        begun = { version, handedOut: new HandedOut(answer, version) }
      } else {
        checkSameVersion(begun.version, answer)
        begun.handedOut.startOver(answer)
      }
      const { handedOut } = begun
      const report = (receivedBytes: number, totalBytes: number | undefined) =>
        reports.add({ receivedBytes, totalBytes, documentBytes: handedOut.byteLength, attempt: attempts.count })
      try {
        for await (const chunk of wholeDocument(answer, version, attempts, options, report)) {
          const fresh = handedOut.take(chunk)
          if (handedOut.byteLength > maxBytes) throw tooLargeError(maxBytes)
          if (fresh.length > 0) yield fresh
        }
        handedOut.finish()
        if (handedOut.byteLength === 0) throw emptyFileError(answer)
        reports.flush()
        return
      } catch (error) {
        if (error instanceof StartOver) answer = error.answer
        else answer = await attempts.open(undefined, requireTemporary(error))
      }
    }
  } finally {
    reports.stop()
  }
}

/**
 * Yields the document from one reading of the file. If HTTP does not mark the end of the body, an unclosed document is
 * a temporary failure.
 */
async function* wholeDocument(
  answer: FileAnswer,
  version: FileVersion,
  attempts: Attempts,
  limits: Pick<InputLimits, 'maxGzipRatio'>,
  report: (receivedBytes: number, totalBytes: number | undefined) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const unpacked = unpackGzip(storedBytes(answer, version, attempts, report), limits)
  const { encoding, framed } = version
  const document = encoding !== undefined && isForeign(encoding) ? passText(unpacked, answer, encoding) : unpacked
  if (framed) {
    yield* document
    return
  }
  const end = new DocumentEnd()
  try {
    for await (const chunk of document) {
      end.push(chunk)
      yield chunk
    }
  } catch (error) {
    throw isExportError(error, 'ERR_GZIP') ? cutOffFailure(answer) : error
  }
  if (end.missing) throw cutOffFailure(answer)
}

/**
 * Yields the stored bytes. Resumes an interrupted attempt where it stopped; throws StartOver if that is not possible.
 */
async function* storedBytes(
  first: FileAnswer,
  version: FileVersion,
  attempts: Attempts,
  report: (receivedBytes: number, totalBytes: number | undefined) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const servedBy = placeOf(first.url)
  let { totalBytes } = version
  let position = 0
  /** Leading bytes of the answer that were already received: a cache may begin a range at its own block boundary. */
  let overlap = 0
  let answer: FileAnswer | undefined = first
  while (answer !== undefined) {
    let failure = cutOffFailure(answer)
    try {
      for await (const received of answer.chunks) {
        const chunk = received.subarray(overlap)
        overlap -= received.length - chunk.length
        if (chunk.length === 0) continue
        position += chunk.length
        if (totalBytes !== undefined && position > totalBytes)
          throw changedError(answer, `more than ${totalBytes} bytes`)
        attempts.reached(position)
        report(position, totalBytes)
        yield chunk
      }
      if (totalBytes === undefined || position === totalBytes) return
    } catch (error) {
      failure = requireTemporary(error)
    }
    const rest =
      position > 0 && version.etag !== undefined ? { startOffset: position, etag: version.etag, servedBy } : undefined
    answer = await attempts.open(rest, failure)
    if (rest === undefined || isWhole(answer)) throw new StartOver(answer)
    totalBytes = checkRest(answer, rest, totalBytes)
    if (answer.status === 416) answer = undefined
    else overlap = rest.startOffset - (contentRange(answer).start ?? rest.startOffset)
  }
}

/**
 * Whether an answer has the whole file. Some stores answer 200 to a range request, too; Content-Range then shows it.
 */
function isWhole(answer: FileAnswer): boolean {
  return answer.status === 200 && contentRange(answer).start === undefined
}

/** Throws unless the answer has the requested rest, or says that there is none. Returns the total length. */
function checkRest(answer: FileAnswer, rest: RestOfFile, totalBytes: number | undefined): number | undefined {
  const range = contentRange(answer)
  const etag = strongEtag(answer)
  if (etag !== undefined && etag !== rest.etag) throw changedError(answer, `ETag ${rest.etag}, now ${etag}`)
  if (totalBytes !== undefined && range.total !== undefined && range.total !== totalBytes) {
    throw changedError(answer, `${totalBytes} bytes, now ${range.total}`)
  }
  const start = answer.status === 416 ? range.total : range.start
  if (start === undefined || start > rest.startOffset || (answer.status === 416 && start < rest.startOffset)) {
    const found = start === undefined ? 'no place' : `byte ${start}`
    const problem = `expected the file from byte ${rest.startOffset} on, found ${found} in HTTP ${answer.status}`
    throw new ApiError('ERR_API_DOWNLOAD', problem, { status: answer.status, url: plainUrl(answer.url) })
  }
  return totalBytes ?? range.total
}

/**
 * Opens the file, retrying while that may help. Counts consecutive failures; each byte of progress resets the count.
 */
class Attempts {
  readonly #session: Session
  readonly #operation: Operation
  readonly #fileUrl: URL
  readonly #onFailure: () => void
  #failures = 0
  #furthest = 0
  count = 0

  constructor(session: Session, operation: Operation, fileUrl: URL, onFailure: () => void) {
    this.#session = session
    this.#operation = operation
    this.#fileUrl = fileUrl
    this.#onFailure = onFailure
  }

  async open(rest?: RestOfFile, after?: TemporaryFailure): Promise<FileAnswer> {
    let failure = after
    for (;;) {
      if (failure !== undefined) {
        this.#onFailure()
        this.#failures++
        const failures = this.count < MAX_ATTEMPTS ? this.#failures : MAX_ATTEMPTS
        await pauseAfter(failure, failures, this.#session.retry, this.#operation)
      }
      this.count++
      try {
        return await openFile(this.#session, this.#operation, this.#fileUrl, rest)
      } catch (error) {
        failure = requireTemporary(error)
      }
    }
  }

  reached(position: number): void {
    if (position <= this.#furthest) return
    this.#furthest = position
    this.#failures = 0
  }
}

/** Thrown when the file must be read from its start, from this answer. Caught in this module. */
class StartOver extends Error {
  readonly answer: FileAnswer

  constructor(answer: FileAnswer) {
    super('the file is read from its start again')
    this.answer = answer
  }
}

function requireWhole(answer: FileAnswer): void {
  const { start, end, total } = contentRange(answer)
  if (answer.status === 200 || (answer.status === 206 && start === 0 && end !== undefined && end + 1 === total)) return
  const problem = `expected the whole file (HTTP 200), found HTTP ${answer.status}`
  throw new ApiError('ERR_API_DOWNLOAD', problem, { status: answer.status, url: plainUrl(answer.url) })
}

function cutOffFailure(answer: FileAnswer): TemporaryFailure {
  const url = plainUrl(answer.url)
  return new TemporaryFailure(
    new ApiError('ERR_API_DOWNLOAD', `expected more of the file from ${url}, found its end: the download is cut off`, {
      url,
    }),
  )
}

function emptyFileError(answer: FileAnswer): ApiError {
  const url = plainUrl(answer.url)
  return new ApiError('ERR_API_DOWNLOAD', `expected an export from ${url}, found an empty file`, { url })
}

function tooLargeError(maxBytes: number): LimitError {
  return new LimitError(
    'ERR_LIMIT',
    worded`the export is larger than ${maxBytes} bytes, the limit that ${option('maxBytes')} sets`,
  )
}
