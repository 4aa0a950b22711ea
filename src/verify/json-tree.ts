/** A lossless tree of a JSON value: keeps number texts, repeated keys, and their order. */

import { type InputLimits, limitError, limitOf } from '../limits.ts'
import type { Token } from './token-stream.ts'

export class JsonNumber {
  /** As written: `1.50` stays `1.50`. */
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export class JsonString {
  readonly value: string
  /** The literal with its quotes and escapes, if the tokens have it. */
  readonly source: string | undefined

  constructor(value: string, source: string | undefined) {
    this.value = value
    this.source = source
  }
}

export class JsonObject {
  readonly members: { key: JsonString; value: JsonNode }[] = []
}

export type JsonNode = null | boolean | JsonNumber | JsonString | JsonNode[] | JsonObject

/** Levels added to the limit: the main reader counts from zero in each record and answer. */
const UNCOUNTED_LEVELS = 88

/** Builds one value from its tokens. */
export class TreeBuilder {
  readonly #open: (JsonNode[] | JsonObject)[] = []
  readonly #keys: JsonString[] = []

  /** Takes the next token; returns the value when it is complete. */
  push(token: Token): JsonNode | undefined {
    switch (token.name) {
      case 'startObject':
        this.#open.push(new JsonObject())
        return undefined
      case 'startArray':
        this.#open.push([])
        return undefined
      case 'endObject':
      case 'endArray':
        return this.#add(this.#open.pop() as JsonNode)
      case 'keyValue':
        this.#keys.push(new JsonString(String(token.value), token.source))
        return undefined
      case 'stringValue':
        return this.#add(new JsonString(String(token.value), token.source))
      case 'numberValue':
        return this.#add(new JsonNumber(String(token.value)))
      default:
        return this.#add(literalOf(token))
    }
  }

  #add(value: JsonNode): JsonNode | undefined {
    const parent = this.#open.at(-1)
    if (parent === undefined) return value
    if (Array.isArray(parent)) parent.push(value)
    else (parent as JsonObject).members.push({ key: this.#keys.pop() as JsonString, value })
    return undefined
  }
}

function literalOf(token: Token): JsonNode {
  if (token.name === 'nullValue') return null
  if (token.name === 'trueValue' || token.name === 'falseValue') return token.name === 'trueValue'
  throw new Error(`unreachable: token ${token.name}`)
}

/** Counts the nesting of a token stream, and refuses more levels than any export has. */
export class Nesting {
  depth = 0
  /** Number of arrays and objects so far. */
  containers = 0
  readonly #maxDepth: number

  constructor(limits: InputLimits) {
    this.#maxDepth = limitOf(limits, 'maxNesting') + UNCOUNTED_LEVELS
  }

  follow(token: Token): void {
    if (token.name === 'startObject' || token.name === 'startArray') {
      this.containers++
      if (++this.depth > this.#maxDepth) {
        throw limitError('maxNesting', `at most ${this.#maxDepth} levels of nesting`, 'more')
      }
    } else if (token.name === 'endObject' || token.name === 'endArray') {
      this.depth--
    }
  }
}

/** Returns the value as `JSON.parse` would: the last of repeated keys, numbers as float64. */
export function plainValue(node: JsonNode): unknown {
  if (node instanceof JsonString) return node.value
  if (node instanceof JsonNumber) return Number(node.text)
  if (Array.isArray(node)) return node.map(plainValue)
  // fromEntries defines own members, so that `__proto__` is an ordinary one.
  if (node instanceof JsonObject) {
    return Object.fromEntries(node.members.map(({ key, value }) => [key.value, plainValue(value)]))
  }
  return node
}

/** Returns the value as JSON without white space; numbers and strings as they were written. */
export function compactText(node: JsonNode): string {
  if (node instanceof JsonString) return node.source ?? JSON.stringify(node.value)
  if (node instanceof JsonNumber) return node.text
  if (Array.isArray(node)) return `[${node.map(compactText).join(',')}]`
  if (node instanceof JsonObject) {
    return `{${node.members.map(({ key, value }) => `${compactText(key)}:${compactText(value)}`).join(',')}}`
  }
  return String(node)
}

/** Describes the value briefly, for a message. */
export function nodeKind(node: JsonNode | undefined): string {
  if (node === undefined) return 'nothing'
  if (node instanceof JsonObject) return 'an object'
  if (Array.isArray(node)) return 'an array'
  return node instanceof JsonString ? JSON.stringify(node.value) : compactText(node)
}
