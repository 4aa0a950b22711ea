/** `toEqual` for large values: it is asked only for the difference, when there is one. */

import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'

export function expectSame(found: unknown, expected: unknown, message?: string): void {
  if (isDeepStrictEqual(found, expected)) expect(found).toBeDefined()
  else expect(found, message).toEqual(expected)
}
