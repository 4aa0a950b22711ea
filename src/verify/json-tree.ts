/** A JSON value as a tree that loses nothing: number texts, repeated keys, and their order are kept. */

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
  /** The literal with its quotes and escapes, where the tokens have it. */
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

/** Levels beside those that the main reader counts, which begins anew in records and answers. */
const UNCOUNTED_LEVELS = 88

/** Builds one value from its tokens. */
export class TreeBuilder {
  readonly #open: (JsonNode[] | JsonObject)[] = []
  readonly #keys: JsonString[] = []

  /** Takes the next token; returns the value when this was its last. */
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

/** Counts how deep a stream of tokens is, and refuses what is deeper than any export. */
export class Nesting {
  depth = 0
  /** Arrays and objects so far. */
  containers = 0
  readonly #deepest: number

  constructor(limits: InputLimits) {
    this.#deepest = limitOf(limits, 'maxNesting') + UNCOUNTED_LEVELS
  }

  follow(token: Token): void {
    if (token.name === 'startObject' || token.name === 'startArray') {
      this.containers++
      if (++this.depth > this.#deepest) {
        throw limitError('maxNesting', `at most ${this.#deepest} levels of nesting`, 'more')
      }
    } else if (token.name === 'endObject' || token.name === 'endArray') {
      this.depth--
    }
  }
}

/** The value as `JSON.parse` would give it: the last of repeated keys, numbers as float64. */
export function plainValue(node: JsonNode): unknown {
  if (node instanceof JsonString) return node.value
  if (node instanceof JsonNumber) return Number(node.text)
  if (Array.isArray(node)) return node.map(plainValue)
  // fromEntries defines own members, so that `__proto__` is one like any other.
  if (node instanceof JsonObject) {
    return Object.fromEntries(node.members.map(({ key, value }) => [key.value, plainValue(value)]))
  }
  return node
}

/** The value as JSON without white space; numbers and strings stay as they were written. */
export function compactText(node: JsonNode): string {
  if (node instanceof JsonString) return node.source ?? JSON.stringify(node.value)
  if (node instanceof JsonNumber) return node.text
  if (Array.isArray(node)) return `[${node.map(compactText).join(',')}]`
  if (node instanceof JsonObject) {
    return `{${node.members.map(({ key, value }) => `${compactText(key)}:${compactText(value)}`).join(',')}}`
  }
  return String(node)
}

/** The value in words short enough for a message. */
export function nodeKind(node: JsonNode | undefined): string {
  if (node === undefined) return 'nothing'
  if (node instanceof JsonObject) return 'an object'
  if (Array.isArray(node)) return 'an array'
  return node instanceof JsonString ? JSON.stringify(node.value) : compactText(node)
}
