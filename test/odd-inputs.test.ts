/** What is no export is named: formats, several documents in one file, characters that nobody sees, addresses. */

import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { printable } from '../src/errors.ts'
import { readExport } from '../src/reader.ts'

const FIELD = '{"id":"f","name":"N","type":{"dataType":"string"}}'
const RECORD = '{"ownerId":"a","lastUpdateDate":"2026-01-01T00:00:00Z","fields":[{"id":"f","values":["x"]}]}'
const EXPORT = `{"definition":{"fields":[${FIELD}],"fieldGroups":[]},"records":[${RECORD}]}`

async function refusal(source: string | Uint8Array): Promise<{ code?: string; message: string; byteOffset?: number }> {
  try {
    const reader = await readExport(source)
    for await (const _ of reader);
  } catch (error) {
    return error as Error & { code: string }
  }
  throw new Error('expected a refusal')
}

function tar(name: string, content: string): Buffer {
  const header = Buffer.alloc(512)
  header.write(name)
  header.write('ustar', 257)
  return Buffer.concat([header, Buffer.from(content), Buffer.alloc(1024)])
}

test.each([
  ['the name of a question', '{"id":"f","name":{"en":"Q"},"type":{"dataType":"string"}}'],
  ['a question text', '{"id":"f","name":"Q","type":{"dataType":"string"},"meta":{"description":[{"text":"Q"}]}}'],
  [
    'the name of an option',
    '{"id":"f","name":"Q","type":{"dataType":"enum","values":[{"id":"o","name":{"en":"Yes"}}]}}',
  ],
])('texts of the definition that are none do not disappear silently: %s', async (_name, field) => {
  const reader = await readExport(Buffer.from(`{"definition":{"fields":[${field}]},"records":[]}`))
  expect(reader.warnings).toEqual([
    expect.objectContaining({
      kind: 'definition-text-left-out',
      count: 1,
      message: expect.stringContaining('1 object or array'),
    }),
  ])
  await reader.close()
})

describe('another format is named', () => {
  const bytes = (text: string) => Buffer.from(text, 'latin1')
  test.for<[string, Buffer, string]>([
    ['tar', tar('export.json', EXPORT), 'ERR_NOT_JSON'],
    ['tar', gzipSync(tar('data.json', EXPORT)), 'ERR_NOT_JSON'],
    ['zlib', bytes('x\u009c\u00ab\u00ae'), 'ERR_NOT_JSON'],
    ['lz4', bytes('\u0004"M\u0018dp'), 'ERR_NOT_JSON'],
    ['7z', bytes('7z\u00bc\u00af\u0027\u001c'), 'ERR_NOT_JSON'],
    ['SPSS', bytes('$FL2@(#) SPSS DATA FILE'), 'ERR_NOT_JSON'],
    ['Excel', bytes('\u00d0\u00cf\u0011\u00e0\u00a1\u00b1'), 'ERR_NOT_JSON'],
    ['UTF-32 (little endian)', bytes('\u00ff\u00fe\u0000\u0000{\u0000\u0000\u0000'), 'ERR_JSON_ENCODING'],
    ['UTF-32 (big endian)', bytes('\u0000\u0000\u00fe\u00ff\u0000\u0000\u0000{'), 'ERR_JSON_ENCODING'],
    ['UTF-32 (big endian)', bytes('\u0000\u0000\u0000{\u0000\u0000\u0000"'), 'ERR_JSON_ENCODING'],
    ['UTF-16 (little endian)', bytes('\u00ff\u00fe{\u0000"\u0000'), 'ERR_JSON_ENCODING'],
  ])('%s', async ([format, input, code]) => {
    const { code: found, message } = await refusal(input)
    expect(found).toBe(code)
    expect(message).toContain(format)
  })
})

test.for([
  ['JSON lines', `${RECORD}\n${RECORD}\n`],
  ['two exports, one behind the other', `${EXPORT}\n${EXPORT}`],
  ['two exports without anything between', EXPORT + EXPORT],
])('more than one document is said to be that: %s', async ([, text]) => {
  const { code, message } = await refusal(Buffer.from(text as string))
  expect(code).toBe('ERR_JSON_SYNTAX')
  expect(message).toMatch(/neither JSON lines nor several files put together/)
})

test.for([
  ['U+FEFF', `\ufeff\ufeff${EXPORT}`],
  ['U+FEFF', EXPORT.replace('"records"', '\ufeff"records"')],
  ['U+00A0', EXPORT.replace('"records":', '"records":\u00a0')],
  ['U+200B', EXPORT.replace('}]}]}', '}]\u200b}]}')],
  ['U+3000', EXPORT.replace('{', '{\u3000')],
  ['U+2028', `${EXPORT}\u2028`],
])('a character that looks like a space or like nothing is told by its number: %s', async ([name, text]) => {
  const { code, message } = await refusal(Buffer.from(text as string))
  expect(code).toBe('ERR_JSON_SYNTAX')
  expect(message).toContain(`found ${name}`)
})

test('other characters are shown', async () => {
  expect((await refusal(Buffer.from(`${EXPORT}é`))).message).toContain('found é')
})

test('names in messages show what cannot be seen, and leave alone what joins an emoji', () => {
  expect(printable('\ufefft\u00ade\u200ba\u2060')).toBe('\\ufefft\\u00ade\\u200ba\\u2060')
  expect(printable('👩‍🎓 à la carte')).toBe('👩‍🎓 à la carte')
})

test.for([
  ['https://user:pass@store.example/export.json?X-Amz-Signature=secret#x', 'https://store.example/export.json'],
  ['s3://bucket/export.json', 's3://bucket/export.json'],
  ['file:///nowhere/export.json', 'file:///nowhere/export.json'],
])('an address in the place of a path is said to be one, without its secrets: %s', async ([address, shown]) => {
  const { code, message } = await refusal(address as string)
  expect(code).toBe('ERR_SOURCE')
  expect(message).toContain(`found an address: ${shown};`)
  expect(message).not.toMatch(/pass|secret/)
})

test.for([EXPORT, ` \n${EXPORT}`, `\ufeff${EXPORT}`, `${EXPORT}${' '.repeat(5000)}`, `[${RECORD}]`])(
  'JSON in the place of a path is said to be that, and not repeated',
  async (text) => {
    const { code, message } = await refusal(text)
    expect(code).toBe('ERR_SOURCE')
    expect(message).toContain('found what looks like its JSON')
    expect(message).not.toContain('ownerId')
  },
)

test('a path of any length is a message of one line', async () => {
  const { code, message } = await refusal(`/nowhere/${'x'.repeat(100_000)}`)
  expect(code).toBe('ERR_SOURCE')
  expect(message.length).toBeLessThan(700)
})
