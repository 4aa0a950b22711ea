/** Telling whether two answers are about the same file: nothing may be put together from two of them. */

import { createHash, type Hash } from 'node:crypto'
import { ApiError } from '../errors.ts'
import type { FileAnswer } from './file-link.ts'
import { plainUrl } from './redaction.ts'
import { byteCount, header } from './response.ts'

export interface FileVersion {
  /** Only a strong ETag: a weak one (`W/`) promises no equal bytes. */
  readonly etag: string | undefined
  /** Of the body as it is sent, packed or not. */
  readonly totalBytes: number | undefined
  readonly encoding: string | undefined
  /** Whether HTTP tells the end of the body: by Content-Length, or by chunks. */
  readonly framed: boolean
}

/** What a whole (200) answer says about the file. */
export function versionOf(answer: FileAnswer): FileVersion {
  const totalBytes = byteCount(header(answer.headers, 'content-length'))
  return {
    etag: strongEtag(answer),
    totalBytes,
    encoding: header(answer.headers, 'content-encoding')?.toLowerCase(),
    framed: totalBytes !== undefined || /chunked/i.test(header(answer.headers, 'transfer-encoding') ?? ''),
  }
}

export function strongEtag(answer: FileAnswer): string | undefined {
  const etag = header(answer.headers, 'etag')
  return etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined
}

/** `bytes 100-199/200`, with undefined for what is a star or missing. */
export function contentRange(answer: FileAnswer): { start?: number; end?: number; total?: number } {
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15}|\*)$/i.exec(
    header(answer.headers, 'content-range') ?? '',
  )
  const [, start, end, total] = match ?? []
  return {
    ...(start === undefined ? {} : { start: Number(start) }),
    ...(end === undefined ? {} : { end: Number(end) }),
    ...(total === undefined || total === '*' ? {} : { total: Number(total) }),
  }
}

export function changed(answer: FileAnswer, difference: string): ApiError {
  const problem = `the file changed while it was downloaded (${difference}); start the download again`
  return new ApiError('ERR_API_DOWNLOAD', problem, { url: plainUrl(answer.url) })
}

/** Throws if a new whole answer is not the file that was begun. */
export function checkSameVersion(begun: FileVersion, answer: FileAnswer): void {
  const now = versionOf(answer)
  if (begun.etag !== undefined && now.etag !== begun.etag) {
    throw changed(answer, `ETag ${begun.etag}, now ${now.etag ?? 'none'}`)
  }
  const comparable = begun.encoding === now.encoding && begun.totalBytes !== undefined && now.totalBytes !== undefined
  if (comparable && begun.totalBytes !== now.totalBytes) {
    throw changed(answer, `${begun.totalBytes} bytes, now ${now.totalBytes}`)
  }
}

/**
 * The document as far as it was handed out. When the file is read from the start again, the same bytes are taken out,
 * and compared by their SHA-256 unless a strong ETag vouches for them.
 */
export class HandedOut {
  readonly #hash: Hash | undefined
  #byteLength = 0
  #skipLeft = 0
  #skipped: Hash | undefined
  #answer: FileAnswer

  constructor(answer: FileAnswer, version: FileVersion) {
    this.#answer = answer
    this.#hash = version.etag === undefined ? createHash('sha256') : undefined
  }

  get byteLength(): number {
    return this.#byteLength
  }

  startOver(answer: FileAnswer): void {
    this.#answer = answer
    this.#skipLeft = this.#byteLength
    this.#skipped = this.#hash === undefined ? undefined : createHash('sha256')
  }

  /** What of a chunk is new; empty if nothing is. Throws ERR_API_DOWNLOAD if what was handed out reads differently now. */
  take(chunk: Uint8Array): Uint8Array {
    let fresh = chunk
    if (this.#skipLeft > 0) {
      const old = chunk.subarray(0, this.#skipLeft)
      this.#skipped?.update(old)
      this.#skipLeft -= old.length
      if (this.#skipLeft === 0) this.#compare()
      fresh = chunk.subarray(old.length)
    }
    this.#hash?.update(fresh)
    this.#byteLength += fresh.length
    return fresh
  }

  /** Throws if the file ended before the place that was reached earlier. */
  finish(): void {
    if (this.#skipLeft > 0) throw changed(this.#answer, 'it is shorter now')
  }

  #compare(): void {
    if (this.#skipped === undefined || this.#hash === undefined) return
    if (!this.#skipped.digest().equals(this.#hash.copy().digest())) {
      throw changed(this.#answer, `its first ${this.#byteLength} bytes differ`)
    }
  }
}
