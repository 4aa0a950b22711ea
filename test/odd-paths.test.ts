/** Paths that cannot be read or written, and options that name nothing: said in words, with a code, before anything is done. */

import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { convertExport } from '../src/convert/convert.ts'
import { runCli } from './cli.ts'
import { FakeAlida } from './fake-alida/fake-alida.ts'
import { SAMPLE } from './fixture-cases.ts'

const SAMPLE_PATH = fileURLToPath(SAMPLE)
const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-paths-'))
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  symlinkSync(at('circle-2'), at('circle-1'))
  symlinkSync(at('circle-1'), at('circle-2'))
  await convertExport(SAMPLE_PATH, at('table.parquet'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const INPUTS: [string, string, RegExp][] = [
  ['no file', at('nowhere.json'), /no such file: .*nowhere\.json/],
  ['a directory', folder, /found a directory/],
  ['links in a circle', at('circle-1'), /its links lead round in a circle/],
  ['a file as a folder', `${SAMPLE_PATH}/`, /a part of the path is no folder/],
]

const COMMANDS: [string, (input: string) => string[]][] = [
  ['convert', (input) => ['convert', input, '-o', at('out.parquet'), '--json']],
  ['inspect', (input) => ['inspect', input, '--json']],
  ['verify', (input) => ['verify', input, at('table.parquet'), '--json']],
]

describe.each(COMMANDS)('%s', (_command, args) => {
  test.each(INPUTS)('says what is wrong with its input: %s', async (_name, input, message) => {
    const { code, stderr } = await runCli(args(input))
    expect(code).toBe(1)
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } }
    expect(error.code).toBe('ERR_SOURCE')
    expect(error.message).toMatch(message)
  })
})

test.each(INPUTS.filter(([name]) => name !== 'a directory'))('codebook, too: %s', async (_name, input, message) => {
  const { code, stderr } = await runCli(['codebook', input, '-o', at('codebook.csv')])
  expect(code).toBe(1)
  expect(stderr).toMatch(message)
})

test.each([
  ['no such file', at('nowhere.parquet')],
  ['its links lead round in a circle', at('circle-1')],
  ['expected a Parquet or Arrow file, found something else', SAMPLE_PATH],
])('verify says what is wrong with the output: %s', async (message, output) => {
  const { code, stderr } = await runCli(['verify', SAMPLE_PATH, output])
  expect(code).toBe(1)
  expect(stderr).toContain(message)
})

test('an output that is named like a folder is no file', async () => {
  const { code, stderr } = await runCli(['convert', SAMPLE_PATH, '-o', `${at('new')}/`, '--format', 'parquet'])
  expect(code).toBe(1)
  expect(stderr).toContain('expected a file to write, found the name of a folder')
  expect(existsSync(at('new'))).toBe(false)
})

test.each([
  ['--fields', ''],
  ['--fields', ' , '],
  ['--exclude', ''],
])('%s %j, as of a variable that is not set, is an error', async (option, value) => {
  const output = at('none.parquet')
  const { code, stderr } = await runCli(['convert', SAMPLE_PATH, '-o', output, option, value])
  expect(code).toBe(2)
  expect(stderr).toContain(`${option}: expected names or ids of questions, found none`)
  expect(existsSync(output)).toBe(false)
})

test.each([
  ['a star folder in Arrow', ['--layout', 'star', '--format', 'arrow', '-o', at('star')]],
  ['a star folder called like a file', ['--layout', 'star', '-o', at('star.parquet')]],
  ['no questions', ['--fields', '', '-o', at('fetched.parquet')]],
  ['a hash without a key', ['--hash-owner', '-o', at('fetched.parquet')]],
  ['shapes that contradict each other', ['--layout', 'long', '--sets', 'columns', '-o', at('fetched.parquet')]],
])('fetch asks the API for nothing when it cannot be written: %s', async (_name, args) => {
  const fake = await FakeAlida.start()
  const api = ['--base-url', fake.apiOrigin, '--community', 'c', '--activity', 'a']
  const env = { ALIDA_TOKEN: 'given-token-0001', ALIDA_HASH_KEY: undefined }
  const { code } = await runCli(['fetch', ...api, ...args], { env })
  expect({ code, requests: fake.log.length }).toEqual({ code: 2, requests: 0 })
  await fake.close()
})
