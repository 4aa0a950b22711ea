/** Checks that two answers are about the same file, so that no document is assembled from two versions. */

import { createHash, type Hash } from 'node:crypto'
import { ApiError } from '../errors.ts'
import type { FileAnswer } from './file-link.ts'
import { plainUrl } from './redaction.ts'
import { byteCount, header } from './response.ts'

export interface FileVersion {
  /** Strong ETags only: a weak one (`W/`) does not guarantee equal bytes. */
  readonly etag: string | undefined
  /** Length of the body as sent, compressed or not. */
  readonly totalBytes: number | undefined
  readonly encoding: string | undefined
  /** Whether HTTP marks the end of the body, by Content-Length or by chunks. */
  readonly framed: boolean
}

/** Reads the file's version from the headers of a whole (200) answer. */
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

/** Parses `bytes 100-199/200`; parts that are `*` or missing are left out. */
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

export function changedError(answer: FileAnswer, difference: string): ApiError {
  const problem = `the file changed while it was downloaded (${difference}); start the download again`
  return new ApiError('ERR_API_DOWNLOAD', problem, { url: plainUrl(answer.url) })
}

/** Throws if a new whole answer is not the file that was begun. */
export function checkSameVersion(begun: FileVersion, answer: FileAnswer): void {
  const now = versionOf(answer)
  if (begun.etag !== undefined && now.etag !== begun.etag) {
    throw changedError(answer, `ETag ${begun.etag}, now ${now.etag ?? 'none'}`)
  }
  const comparable = begun.encoding === now.encoding && begun.totalBytes !== undefined && now.totalBytes !== undefined
  if (comparable && begun.totalBytes !== now.totalBytes) {
    throw changedError(answer, `${begun.totalBytes} bytes, now ${now.totalBytes}`)
  }
}

/**
 * Tracks how much of the document was returned. When the file is read from its start again, the bytes already returned
 * are skipped, and compared by SHA-256 unless a strong ETag proves them equal.
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

  /** Returns the new part of a chunk, which may be empty. Throws ERR_API_DOWNLOAD if the skipped bytes have changed. */
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

  /** Throws if the file ended before the position reached earlier. */
  finish(): void {
    if (this.#skipLeft > 0) throw changedError(this.#answer, 'it is shorter now')
  }

  #compare(): void {
    if (this.#skipped === undefined || this.#hash === undefined) return
    if (!this.#skipped.digest().equals(this.#hash.copy().digest())) {
      throw changedError(this.#answer, `its first ${this.#byteLength} bytes differ`)
    }
  }
}
