/**
 * Every regular expression of the program, on long texts that it may almost match. One that takes more than linear time
 * needs minutes for them, and is ended after seconds.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { parseAst } from 'vitest/node'

interface Expression {
  readonly file: string
  readonly pattern: string
  readonly flags: string
}

/** Finds the literals of regular expressions in a syntax tree. */
function* literalsOf(node: unknown): Generator<{ pattern: string; flags: string }> {
  if (typeof node !== 'object' || node === null) return
  const { type, regex } = node as { type?: unknown; regex?: { pattern: string; flags: string } }
  if (type === 'Literal' && regex !== undefined && regex !== null) yield regex
  for (const child of Object.values(node)) yield* literalsOf(child)
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const texts = new Map(files.map((file) => [file, readFileSync(`src/${file}`, 'utf8')]))
const expressions = [...texts].flatMap(([file, text]) => {
  if (file.includes('assembly')) return []
  return [...literalsOf(parseAst(text, { lang: 'ts' }))].map((literal): Expression => ({ file, ...literal }))
})

const LENGTH = 100_000

/** Characters that the expression names or that stand for its classes, and some that no expression names. */
function charactersOf(pattern: string): string[] {
  const classes = [' ', '\n', 'a', 'Z', '0', '\u0001', '\ud800', 'ß', '"', '\\', '-', '.', ':', '/']
  return [...new Set([...classes, ...pattern.replace(/\\[a-zA-Z]/g, '')])]
}

/** Texts of one character, of two in turn, and of the pattern's own words, that end in what does not match. */
function* hostileTexts(pattern: string): Generator<string> {
  const characters = charactersOf(pattern)
  const words = pattern.match(/[a-z]{3,}(?:\??:\\\/\\\/)?/g) ?? []
  const units = [...characters, ...words.map((word) => word.replaceAll(/[\\?]/g, ''))]
  for (const a of units) {
    for (const b of ['', ...characters]) yield (a + b).repeat(LENGTH / (a + b).length)
  }
}

const LONGEST_MS = 10_000

/** Whether the expression is done with all texts within some seconds. */
function endsInTime(pattern: string, flags: string): boolean {
  const expression = new RegExp(pattern, flags.includes('g') ? flags : `${flags}g`)
  const texts = hostileTexts(pattern)
  const started = performance.now()
  for (const text of texts) {
    const left = Math.ceil(LONGEST_MS - (performance.now() - started))
    if (left <= 0) return false
    try {
      runInContext('void text.replace(expression, "")', createContext({ expression, text: `${text}\u0001` }), {
        timeout: left,
      })
    } catch {
      return false
    }
  }
  return true
}

describe('regular expressions', () => {
  test('are found, and none is made of other texts', () => {
    expect(expressions.length).toBeGreaterThan(40)
    expect(new Set(expressions.map(({ file }) => file)).size).toBeGreaterThan(20)
    expect([...texts].filter(([, text]) => /\bRegExp\(/.test(text)).map(([file]) => file)).toEqual([])
  })

  test.each(expressions)('$file: /$pattern/$flags is linear', ({ pattern, flags }) => {
    expect(endsInTime(pattern, flags)).toBe(true)
  })

  test('of another kind are found out', () => {
    expect(endsInTime('(https?:\\/\\/[^\\s?#]+)[?#]', 'g')).toBe(false)
  })
})
