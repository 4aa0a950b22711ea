/** Converts bytes to tokens of stream-json, strictly: valid UTF-8, one JSON value, nothing after it. */

import { getManyValues, none } from 'stream-chain'
import { jsonParser } from 'stream-json/core/parser.js'
import { type ExportErrorOptions, JsonSyntaxError, LimitError } from '../errors.ts'
import { StringLiterals } from './string-literals.ts'

/** A token of stream-json; `source` is the literal of a string or key, if requested. */
export interface Token {
  readonly name: string
  readonly value?: string | boolean | null
  source?: string
}

/** The tokens that a piece of the document completes. */
interface TokenPiece {
  readonly tokens: readonly Token[]
  readonly byteLength: number
}

/** Size of the pieces given to the parser: the fastest size, and all tokens of a piece must fit in memory. */
const PIECE_BYTES = 64 * 1024

/**
 * Yields a document's tokens, grouped by the pieces of input that complete them.
 *
 * @param withSources Adds the literal, with its escapes, to strings and keys.
 * @throws JsonSyntaxError without a byte offset, because stream-json has none.
 */
export async function* tokenStream(
  chunks: AsyncIterable<Uint8Array>,
  withSources: boolean,
): AsyncGenerator<TokenPiece> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const parser = new TokenParser(withSources)
  let isFirst = true
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
      const piece = chunk.subarray(start, start + PIECE_BYTES)
      if (isFirst) refuseUtf16(piece)
      isFirst = false
      const text = decoded(decoder, piece)
      yield { tokens: text === '' ? [] : parser.push(text), byteLength: piece.length }
    }
  }
  try {
    decoder.decode()
  } catch (cause) {
    throw truncatedError({ cause })
  }
  yield { tokens: parser.end(), byteLength: 0 }
}

class TokenParser {
  readonly #parse = jsonParser({ packValues: true, streamValues: false })
  readonly #literals: StringLiterals | undefined
  #hasContent = false

  constructor(withSources: boolean) {
    this.#literals = withSources ? new StringLiterals() : undefined
  }

  push(text: string): Token[] {
    const isStart = !this.#hasContent
    if (isStart) this.#hasContent = /[^ \t\r\n]/.test(text)
    this.#literals?.push(text)
    try {
      return this.#collected(this.#parse(text))
    } catch (cause) {
      if (isStart && /^[ \t\r\n]*[^ \t\r\n{["\-0-9tfn]/.test(text)) {
        throw new JsonSyntaxError('ERR_NOT_JSON', 'expected an export (a JSON object), found something else', { cause })
      }
      if (cause instanceof RangeError) throw tooLongError(cause)
      throw new JsonSyntaxError('ERR_JSON_SYNTAX', `not valid JSON: ${messageOf(cause)}`, { cause })
    }
  }

  end(): Token[] {
    if (!this.#hasContent) throw new JsonSyntaxError('ERR_NOT_JSON', 'expected an export, found an empty document')
    try {
      return this.#collected(this.#parse(none as never))
    } catch (cause) {
      throw truncatedError({ cause })
    }
  }

  #collected(result: unknown): Token[] {
    if (result === none) return []
    const tokens = getManyValues(result as never) as Token[]
    if (this.#literals === undefined) return tokens
    for (const token of tokens) {
      if (token.name === 'stringValue' || token.name === 'keyValue') token.source = this.#literals.take()
    }
    return tokens
  }
}

function decoded(decoder: TextDecoder, piece: Uint8Array): string {
  try {
    return decoder.decode(piece, { stream: true })
  } catch (cause) {
    throw new JsonSyntaxError('ERR_JSON_ENCODING', 'expected UTF-8, found bytes that are not', { cause })
  }
}

function refuseUtf16(piece: Uint8Array): void {
  const [first = 32, second = 32] = piece
  const isMark = (first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)
  if (isMark || first === 0 || second === 0) {
    throw new JsonSyntaxError('ERR_JSON_ENCODING', 'expected UTF-8, found UTF-16 or UTF-32')
  }
}

/** Returns the error for a string that exceeds JavaScript's limit of half a gigabyte while stream-json collects it. */
function tooLongError(cause: RangeError): LimitError {
  return new LimitError('ERR_LIMIT', 'the second reader takes texts of at most 512 MiB, found a longer one', { cause })
}

function truncatedError(options: ExportErrorOptions): JsonSyntaxError {
  return new JsonSyntaxError('ERR_JSON_TRUNCATED', 'unexpected end of the document', options)
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
