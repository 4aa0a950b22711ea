import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NEED_MORE } from '../src/json/cursor.ts'
import { readText, TextBuffer } from '../src/json/text.ts'
import { cursorOver } from './cursor-over.ts'

function textOf(json: string): { text: string; replaced: number } {
  const buffer = new TextBuffer()
  const cursor = cursorOver(json)
  const replaced = readText(cursor, buffer)
  expect(cursor.pos).toBe(cursor.end)
  return { text: Buffer.from(buffer.bytes.subarray(0, buffer.end)).toString(), replaced }
}

/** A JSON text of UTF-16 units, each as it is where that is possible, as an escape otherwise or at random. */
const jsonText = fc
  .array(
    fc.tuple(
      fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 0xd800, max: 0xdfff }),
        fc.constantFrom(0x22, 0x5c, 0x2f, 8, 9, 10, 12, 13),
      ),
      fc.boolean(),
    ),
    { maxLength: 80 },
  )
  .map((units) => {
    const escaped = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`
    const isPlain = (unit: number) => unit >= 0x20 && unit !== 0x22 && unit !== 0x5c && (unit & 0xf800) !== 0xd800
    return `"${units.map(([unit, asEscape]) => (asEscape || !isPlain(unit) ? escaped(unit) : String.fromCharCode(unit))).join('')}"`
  })

describe('readText', () => {
  test('gives the UTF-8 of what JSON.parse gives, and counts each half of a pair', () => {
    fc.assert(
      fc.property(jsonText, (json) => {
        const parsed = JSON.parse(json) as string
        const { text, replaced } = textOf(json)
        expect(text).toBe(parsed.toWellFormed())
        expect(replaced).toBe([...parsed].filter((character) => !character.isWellFormed()).length)
      }),
      { numRuns: 3000 },
    )
  })

  test('gives any text that JSON.stringify wrote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        expect(textOf(JSON.stringify(text))).toEqual({ text, replaced: 0 })
      }),
    )
  })

  test.for([
    ['"\\ud83d\\ude00"', '😀', 0],
    ['"\\uD83D\\uDE00"', '😀', 0],
    ['"\\ud83d"', '\ufffd', 1],
    ['"\\ude00"', '\ufffd', 1],
    ['"\\ude00\\ud83d"', '\ufffd\ufffd', 2],
    ['"\\ud83d\\ud83d\\ude00"', '\ufffd😀', 1],
    ['"\\ud83dx\\ude00"', '\ufffdx\ufffd', 2],
    ['"\\ud83d\\n"', '\ufffd\n', 1],
    ['"\\ufffd"', '\ufffd', 0],
    ['"\\u0000"', '\u0000', 0],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t', 0],
  ] as const)('%s', ([json, text, replaced]) => {
    expect(textOf(json)).toEqual({ text, replaced })
  })

  test('keeps long texts whole', () => {
    const text = `${'plain '.repeat(5000)}é${'x'.repeat(70_000)}"`
    expect(textOf(JSON.stringify(text)).text).toBe(text)
  })

  test('appends behind what is there', () => {
    const buffer = new TextBuffer()
    for (const word of ['one', 'zwei €', '3']) readText(cursorOver(JSON.stringify(word)), buffer)
    expect(Buffer.from(buffer.bytes.subarray(0, buffer.end)).toString()).toBe('onezwei €3')
  })

  test('asks for more wherever the window cuts a text', () => {
    const bytes = new TextEncoder().encode('"a\\ud83d\\ude00é😀\\n\\u00e9 and some more"')
    for (let length = 1; length < bytes.length; length++) {
      const read = () => readText(cursorOver(bytes.subarray(0, length), false), new TextBuffer())
      expect(read).toThrow(expect.toSatisfy((error) => error === NEED_MORE))
    }
  })
})
