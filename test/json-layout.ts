/** One document, many ways to write it: order of members, white space, escapes, unknown members, BOM, gzip, chunks. */

import { gzipSync } from 'node:zlib'
import { Random } from '../fixtures/random.ts'

/** A JSON value to be written. `source` is written as it stands; texts are escaped in some way; objects are shuffled. */
export type Doc = { text: string } | { source: string } | Doc[] | { members: [string, Doc][] }

export interface Layout {
  seed: number
  style: 'compact' | 'spaced' | 'indented' | 'tabs' | 'crlf' | 'wild'
  /** How often (0 to 1) a member is out of order, a character escaped, or a member unknown to us put in. */
  oddity: number
  bom: boolean
  gzip: boolean
}

const STYLES = {
  compact: ['', '', '', ''],
  spaced: [', ', ': ', '', ''],
  indented: [',', ': ', '\n', '  '],
  tabs: [',', ': ', '\n', '\t'],
  crlf: [',', ':', '\r\n', ' '],
  wild: [',', ':', '', ''],
} as const

export function writtenJson(document: Doc, layout: Layout): Buffer {
  const text = new LayoutWriter(layout).value(document, 0)
  const bytes = Buffer.from(`${layout.bom ? '\ufeff' : ''}${text}`)
  return layout.gzip ? gzipSync(bytes) : bytes
}

class LayoutWriter {
  readonly #random: Random
  readonly #layout: Layout

  constructor(layout: Layout) {
    this.#layout = layout
    this.#random = new Random(layout.seed)
  }

  value(doc: Doc, depth: number): string {
    if (Array.isArray(doc))
      return this.#container(
        '[',
        ']',
        doc.map((item) => this.value(item, depth + 1)),
        depth,
      )
    if ('source' in doc) return doc.source
    if ('text' in doc) return this.#string(doc.text)
    const [, colon] = STYLES[this.#layout.style]
    const members = this.#arranged(doc.members).map(
      ([key, value]) =>
        `${this.#string(key)}${this.#gap()}${colon || ':'}${this.#gap()}${this.value(value, depth + 1)}`,
    )
    return this.#container('{', '}', members, depth)
  }

  #container(open: string, close: string, parts: string[], depth: number): string {
    const [comma, , newline, indent] = STYLES[this.#layout.style]
    if (parts.length === 0) return `${open}${this.#gap()}${close}`
    const inner = newline + indent.repeat(depth + 1)
    const separator = () => `${this.#gap()}${comma || ','}${inner}${this.#gap()}`
    const body = parts.map((part, i) => (i === 0 ? part : separator() + part)).join('')
    return `${open}${inner}${this.#gap()}${body}${this.#gap()}${newline}${newline === '' ? '' : indent.repeat(depth)}${close}`
  }

  #gap(): string {
    if (this.#layout.style !== 'wild' && !this.#random.chance(this.#layout.oddity / 10)) return ''
    return Array.from({ length: this.#random.below(4) }, () => this.#random.pick([' ', '\t', '\n', '\r'])).join('')
  }

  #arranged(members: readonly [string, Doc][]): [string, Doc][] {
    const arranged = [...members]
    if (this.#random.chance(this.#layout.oddity)) {
      for (let i = arranged.length - 1; i > 0; i--) {
        const k = this.#random.below(i + 1)
        const [a, b] = [arranged[i], arranged[k]]
        if (a === undefined || b === undefined) continue
        arranged[i] = b
        arranged[k] = a
      }
    }
    while (this.#random.chance(this.#layout.oddity / 2)) {
      arranged.splice(this.#random.below(arranged.length + 1), 0, this.#unknownMember())
    }
    return arranged
  }

  #unknownMember(): [string, Doc] {
    const key = this.#random.pick([
      'x',
      'Id',
      'value',
      '__proto__',
      'constructor',
      'owner',
      'fields2',
      'idé',
      '',
      'record',
    ])
    return [key, this.#random.pick(UNKNOWN_VALUES)]
  }

  #string(text: string): string {
    const plain = JSON.stringify(text)
    if (!this.#random.chance(this.#layout.oddity)) return plain
    const unicodeEscape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
    const units = text.split('').map((unit) => {
      if (this.#random.chance(0.3))
        return this.#random.chance(0.5) ? unicodeEscape(unit) : unicodeEscape(unit).toUpperCase().replace('U', 'u')
      if (unit === '/' && this.#random.chance(0.5)) return '\\/'
      return null
    })
    return `"${pieces(text, units)}"`
  }
}

/** The text with some UTF-16 units replaced; half of a pair beside an escaped half must be escaped as well. */
function pieces(text: string, escapes: readonly (string | null)[]): string {
  let written = ''
  for (let i = 0; i < text.length; i++) {
    const pair = text.codePointAt(i) ?? 0
    const next = escapes[i + 1] ?? null
    if (pair > 0xffff && escapes[i] === null && next === null) {
      written += text.slice(i, ++i + 1)
    } else {
      written += escapes[i] ?? JSON.stringify(text[i]).slice(1, -1)
    }
  }
  return written
}

const UNKNOWN_VALUES: Doc[] = [
  { source: 'null' },
  { source: '-1.5e-07' },
  { source: 'true' },
  { text: ']}"\\ {"ownerId":' },
  { text: '😀 naïve' },
  [],
  { members: [] },
  [{ source: '[[],{}]' }, { text: 'x' }],
  { source: '{"id":"a","values":["b"],"fields":[{"id":null}],"records":[{"ownerId":1}]}' },
  { source: '{"a":{"b":[1,2,{"c":"\\ud83d"}]}}' },
]

/** The bytes in chunks of changing sizes around the given one; 0 gives one chunk. */
export function* chunked(bytes: Uint8Array, chunkBytes: number): Generator<Uint8Array> {
  if (chunkBytes === 0) yield bytes
  else for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes)
}
