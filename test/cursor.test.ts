import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isExportError } from '../src/errors.ts'
import { readCompactJson } from '../src/json/compact.ts'
import { NEED_MORE } from '../src/json/cursor.ts'
import { TextBuffer } from '../src/json/text.ts'
import { DEFAULT_LIMITS } from '../src/limits.ts'
import { cursorOver } from './cursor-over.ts'

/** Whether the cursor takes the whole text as one JSON value. */
function accepts(text: string): boolean {
  const cursor = cursorOver(text)
  try {
    cursor.skipWhitespace()
    cursor.skipValue()
    cursor.skipWhitespace()
    return cursor.pos === cursor.end
  } catch (error) {
    if (isExportError(error, 'ERR_JSON_SYNTAX', 'ERR_JSON_TRUNCATED')) return false
    throw error
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Small pieces that JSON is made of, and some that it is not. */
const PIECES = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '""',
    '\\',
    '\\u00e9',
    '\\u00g0',
    '\\n',
    '\\x',
    '\u0001',
    '\u007f',
    'é',
    '😀',
  ],
  ...['true', 'false', 'null', 'tru', 'nul', 'NaN', 'Infinity', '0', '1', '-', '+', '.', 'e', 'E', '01', '1e5', '-0.5'],
  ...[' ', '\t', '\n', '\r', '\f', '\u00a0', '\ufeff', '\u2028', '//', '/*', "'a'"],
]

describe('the grammar is that of JSON.parse', () => {
  test('on JSON in any layout', () => {
    const indent = fc.constantFrom('', ' ', '\t', '    ')
    fc.assert(
      fc.property(fc.json(), indent, (json, by) => {
        expect(accepts(JSON.stringify(JSON.parse(json), null, by))).toBe(true)
      }),
    )
  })

  test('on texts put together from pieces of JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 9 }), (pieces) => {
        const text = pieces.join('')
        expect(accepts(text), text).toBe(parses(text))
      }),
      { numRuns: 5000 },
    )
  })

  test('on JSON with one character put in, taken out or replaced', () => {
    const change = fc.record({ at: fc.nat(), out: fc.nat(1), piece: fc.constantFrom('', ...PIECES) })
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), change, (json, { at, out, piece }) => {
        const characters = [...json]
        characters.splice(at % (characters.length + 1), out, piece)
        const text = characters.join('')
        expect(accepts(text), text).toBe(parses(text))
      }),
      { numRuns: 5000 },
    )
  })

  test.for([
    '',
    ' ',
    '-',
    '1.',
    '1.e5',
    '.5',
    '1e',
    '1e+',
    '-01',
    '00',
    '2.',
    '[1,]',
    '{"a":1,}',
    '{"a"}',
    '{a:1}',
    '{,}',
  ])('refuses %j', (text) => {
    expect(accepts(text)).toBe(false)
    expect(parses(text)).toBe(false)
  })
})

describe('UTF-8', () => {
  test('is checked as a strict decoder checks it', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const byte = fc.oneof(
      fc.integer({ min: 0x80, max: 0xff }),
      fc.constantFrom(0x41, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0xed),
    )
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 5 }), (inner) => {
        let isValid = true
        try {
          strict.decode(Uint8Array.from(inner))
        } catch {
          isValid = false
        }
        const cursor = cursorOver(Uint8Array.of(0x22, ...inner, 0x22))
        const skip = () => cursor.skipString()
        if (isValid) skip()
        else expect(skip).toThrow(/expected UTF-8/)
        expect(cursor.pos).toBe(isValid ? inner.length + 2 : 0)
      }),
      { numRuns: 3000 },
    )
  })

  test('is invalid at the byte that begins the sequence', () => {
    const cursor = cursorOver(Uint8Array.of(0x22, 0x41, 0xe2, 0x28, 0x22))
    expect(() => cursor.skipString()).toThrow(expect.objectContaining({ code: 'ERR_JSON_ENCODING', byteOffset: 2 }))
  })
})

describe('the end of the window', () => {
  test('asks for more wherever a value is cut, and says so when there is no more', () => {
    const text = '{"k\\u00e9y":["é😀\\n",-1.5e-7,true,false,null,{}]}'
    const bytes = new TextEncoder().encode(text)
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      expect(() => cursorOver(cut, false).skipValue()).toThrow(expect.toSatisfy((error) => error === NEED_MORE))
      const atTheEnd = expect.objectContaining({ code: 'ERR_JSON_TRUNCATED', byteOffset: length })
      expect(() => cursorOver(cut).skipValue()).toThrow(atTheEnd)
    }
  })

  test('leaves open whether a number goes on', () => {
    expect(() => cursorOver('12', false).skipValue()).toThrow(expect.toSatisfy((error) => error === NEED_MORE))
    const cursor = cursorOver('12')
    cursor.skipValue()
    expect(cursor.pos).toBe(2)
  })
})

describe('nesting', () => {
  test.for([
    [DEFAULT_LIMITS.maxNesting, true],
    [DEFAULT_LIMITS.maxNesting + 1, false],
  ] as const)('of %i is taken: %s', ([depth, isTaken]) => {
    const cursor = cursorOver('['.repeat(depth) + ']'.repeat(depth))
    const skip = () => cursor.skipValue()
    if (isTaken) skip()
    else expect(skip).toThrow(expect.objectContaining({ code: 'ERR_LIMIT' }))
    expect(cursor.pos === cursor.end).toBe(isTaken)
  })

  test('of 200,000 is refused without a stack overflow', () => {
    const skip = () => cursorOver('[{"a":'.repeat(100_000)).skipValue()
    expect(skip).toThrow(expect.objectContaining({ code: 'ERR_LIMIT' }))
  })
})

test('readString gives what JSON.parse gives', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(cursorOver(JSON.stringify(text)).readString()).toBe(text)
    }),
  )
})

test('compact JSON is the same value without white space, and as it stood otherwise', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(' ', '\t', '\n', '\r\n  '), (json, space) => {
      const compact = JSON.stringify(JSON.parse(json))
      const spaced = JSON.stringify(JSON.parse(json), null, space)
      const buffer = new TextBuffer()
      const cursor = cursorOver(spaced)
      readCompactJson(cursor, buffer)
      expect(new TextDecoder().decode(buffer.bytes.subarray(0, buffer.end))).toBe(compact)
      expect(cursor.pos).toBe(cursor.end)
    }),
  )
  const buffer = new TextBuffer()
  readCompactJson(cursorOver('{ "a\\u0041 b" : [ 1.50 , 1E+2, "x  \\" y" ] }'), buffer)
  expect(Buffer.from(buffer.bytes.subarray(0, buffer.end)).toString()).toBe('{"a\\u0041 b":[1.50,1E+2,"x  \\" y"]}')
})
