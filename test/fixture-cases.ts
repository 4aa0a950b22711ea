/** The pairs of files in `fixtures/valid` and `fixtures/invalid`, found by listing. */

import { readdirSync, readFileSync } from 'node:fs'

export interface FixtureCase {
  name: string
  bytes: Buffer
  /** What stands in the file beside it. */
  expected: unknown
}

export const SAMPLE = new URL('../fixtures/sample-export.json', import.meta.url)

export function validCases(): FixtureCase[] {
  return casesOf('valid', '.expected.json')
}

export function invalidCases(): FixtureCase[] {
  return casesOf('invalid', '.error.json')
}

function casesOf(folder: string, ending: string): FixtureCase[] {
  const url = new URL(`../fixtures/${folder}/`, import.meta.url)
  return readdirSync(url)
    .filter((file) => !file.endsWith(ending))
    .map((file) => {
      const name = file.replace(/\.\w+$/, '')
      const expected: unknown = JSON.parse(readFileSync(new URL(`${name}${ending}`, url), 'utf8'))
      return { name, bytes: readFileSync(new URL(file, url)), expected }
    })
}
