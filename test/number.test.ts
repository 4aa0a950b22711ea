import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NEED_MORE } from '../src/json/cursor.ts'
import { readNumber, readNumericText } from '../src/json/number.ts'
import { cursorOver } from './cursor-over.ts'

const digits = (most: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: most })

/** Every form that RFC 8259 knows. */
const jsonNumber = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: fc.oneof(
      fc.constant('0'),
      digits(25).filter((text) => !text.startsWith('0')),
    ),
    fraction: fc.oneof(
      fc.constant(''),
      digits(25).map((text) => `.${text}`),
    ),
    exponent: fc.oneof(
      fc.constant(''),
      fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), digits(3)).map((parts) => parts.join('')),
    ),
  })
  .map(({ sign, whole, fraction, exponent }) => sign + whole + fraction + exponent)

const anyDouble = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value))

describe('readNumber', () => {
  test('equals Number() for every JSON number, to the last bit', () => {
    fc.assert(
      fc.property(fc.oneof(jsonNumber, anyDouble), fc.constantFrom('', ',', ']', ' '), (text, behind) => {
        const cursor = cursorOver(text + behind)
        expect(readNumber(cursor), text).toBe(Number(text))
        expect(cursor.pos).toBe(text.length)
      }),
      { numRuns: 5000 },
    )
  })

  test.for([
    ['-0', -0],
    ['0.1', 0.1],
    ['9007199254740993', 9007199254740992],
    ['999999999999999', 999999999999999],
    ['0.000000000000001', 1e-15],
    ['123456789.012345', 123456789.012345],
    ['2.2250738585072011e-308', 2.225073858507201e-308],
    ['5e-324', 5e-324],
    ['2e-324', 0],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['1e309', Number.POSITIVE_INFINITY],
    ['-1e400', Number.NEGATIVE_INFINITY],
  ] as const)('%s', ([text, value]) => {
    expect(readNumber(cursorOver(text))).toBe(value)
  })

  test('waits for the rest of a number at the end of the window', () => {
    for (const text of ['1', '12.5', '-0', '1e5']) {
      expect(() => readNumber(cursorOver(text, false))).toThrow(expect.toSatisfy((error) => error === NEED_MORE))
    }
  })
})

describe('readNumericText', () => {
  test('reads a text that is a JSON number', () => {
    fc.assert(
      fc.property(jsonNumber, (text) => {
        const cursor = cursorOver(`"${text}",`)
        expect(readNumericText(cursor), text).toBe(Number(text))
        expect(cursor.pos).toBe(text.length + 2)
      }),
    )
  })

  test('takes escapes for what they say', () => {
    expect(readNumericText(cursorOver('"\\u0031\\u002e5"'))).toBe(1.5)
  })

  test.for(['', ' 1', '1 ', '+1', '01', '1.', '.5', '0x10', '1_000', '1,5', 'NaN', 'Infinity', '١', '1e', '--1'])(
    'is NaN for %j, the cursor behind it',
    (text) => {
      const cursor = cursorOver(JSON.stringify(text))
      expect(readNumericText(cursor)).toBe(Number.NaN)
      expect(cursor.pos).toBe(cursor.end)
    },
  )
})
