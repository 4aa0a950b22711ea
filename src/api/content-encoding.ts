/**
 * Handles bodies in an encoding that was not requested. Only gzip is decoded, by its magic bytes, because labels are
 * often wrong.
 */

import { ApiError, quoted } from '../errors.ts'
import type { FileAnswer } from './file-link.ts'
import { plainUrl } from './redaction.ts'

const UNDONE = new Set(['gzip', 'x-gzip', 'identity', 'aws-chunked'])

/**
 * An object, white space, a byte order mark, or an HTML page instead of JSON. A brotli stream may begin with any one of
 * these bytes, so two are tested.
 */
const TEXT_START = /^(?:\{["\s}]?|\s[\s{]?|\u00ef\u00bb?|<[!?a-z]?)$/i

/**
 * Passes on a body labelled with a foreign encoding, provided that it begins like text.
 * @throws ApiError `ERR_API_DOWNLOAD` naming the encoding otherwise.
 */
export async function* passText(
  chunks: AsyncIterable<Uint8Array>,
  answer: FileAnswer,
  encoding: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let isChecked = false
  for await (const chunk of chunks) {
    if (!isChecked && chunk.length > 0) {
      if (!TEXT_START.test(String.fromCharCode(...chunk.subarray(0, 2)))) throw foreignEncodingError(answer, encoding)
      isChecked = true
    }
    yield chunk
  }
}

export function isForeign(encoding: string): boolean {
  return !encoding.split(',').every((name) => UNDONE.has(name.trim()))
}

function foreignEncodingError({ url, status }: FileAnswer, encoding: string): ApiError {
  const place = plainUrl(url)
  const problem = `expected the file from ${place} as it is or in gzip, found the encoding ${quoted(encoding)}, which was not asked for; store it without`
  return new ApiError('ERR_API_DOWNLOAD', problem, { status, url: place })
}
