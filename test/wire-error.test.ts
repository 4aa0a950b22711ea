/** An error of another thread is the same error: its class, code, place, and options that can be named in other words. */

import { expect, test } from 'vitest'
import { LimitError, ValueError } from '../src/errors.ts'
import { errorFromWire, wireError } from '../src/parallel/wire-error.ts'
import { option, worded } from '../src/wording.ts'

const sent = (error: Error) => errorFromWire(structuredClone(wireError(error))!)

test('its place is kept, and stands in the message once', () => {
  const place = { record: 3, ownerId: 'a', member: 'lastUpdateDate', byteOffset: 12 }
  const error = new ValueError('ERR_VALUE', 'expected a time', place)
  const got = sent(error)
  expect(got).toBeInstanceOf(ValueError)
  expect(got.message).toBe('expected a time (record 3, owner a, member "lastUpdateDate", byte 12)')
  expect(got.problem).toBe('expected a time')
  expect(got.toJSON()).toEqual(error.toJSON())
  expect(got.toJSON()).toMatchObject(place)
})

test('its options can be named as the command line does', () => {
  const error = new LimitError('ERR_LIMIT', worded`raise ${option('maxColumns')}, or ${option('onInvalid', 'null')}`)
  const got = sent(error)
  expect(got.message).toBe("raise maxColumns, or onInvalid: 'null'")
  expect(got.messageIn(({ option, value = '' }) => `<${option} ${value}>`)).toBe(
    'raise <maxColumns >, or <onInvalid null>',
  )
})
