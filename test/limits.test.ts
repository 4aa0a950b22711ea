import { describe, expect, test } from 'vitest'
import { readAll, refusalOf } from './reading.ts'
import { surveyJson } from './survey.ts'

const DEFINITION = '{"fields":[{"id":"f","name":"F","type":{"dataType":"string"}}]}'

function exportWith(text: string, description = ''): Buffer {
  const definition = DEFINITION.replace('"name"', `"meta":{"description":"${description}"},"name"`)
  return Buffer.from(
    `{"definition":${definition},"records":[{"ownerId":"1"},{"ownerId":"2","fields":[{"id":"f","values":["${text}"]}]}]}`,
  )
}

describe('a record that is too long is refused', () => {
  test('with its number, its place and the option that allows it', async () => {
    const bytes = exportWith('x'.repeat(20_000))
    const error = await refusalOf(bytes, { maxRecordBytes: 4000 })
    expect(error).toMatchObject({
      code: 'ERR_LIMIT',
      record: 2,
      byteOffset: bytes.indexOf('{"ownerId":"2"'),
      message: expect.stringMatching(/a record of at most 4000 bytes, found a longer one; raise maxRecordBytes/),
    })
  })

  test('by a byte, among records of all lengths', async () => {
    const bytes = surveyJson(60)
    const records = (JSON.parse(bytes.toString()) as { records: object[] }).records.map((record) =>
      JSON.stringify(record),
    )
    const lengths = records.map((record) => Buffer.byteLength(record))
    const longest = Math.max(...lengths)
    expect((await readAll(bytes, { maxRecordBytes: longest })).rows).toHaveLength(60)
    const error = await refusalOf(bytes, { maxRecordBytes: longest - 1 })
    expect(error).toMatchObject({ code: 'ERR_LIMIT', record: 1 + lengths.indexOf(longest) })
  })

  test('and read when the limit is higher', async () => {
    const text = 'x'.repeat(20_000)
    const table = await readAll(exportWith(text), { maxRecordBytes: 25_000 })
    expect(table.rows[1]?.[2]).toBe(text)
  })
})

test('a definition that is too long is refused', async () => {
  const bytes = exportWith('x', 'y'.repeat(20_000))
  const error = await refusalOf(bytes, { maxDefinitionBytes: 4000 })
  expect(error).toMatchObject({
    code: 'ERR_LIMIT',
    message: expect.stringMatching(/a member of the document of at most 4000 bytes.*raise maxDefinitionBytes/),
  })
})

test('nesting that is too deep is refused wherever it stands', async () => {
  const deep = '['.repeat(600) + ']'.repeat(600)
  for (const bytes of [
    Buffer.from(`{"x":${deep},"definition":${DEFINITION},"records":[]}`),
    Buffer.from(`{"definition":${DEFINITION},"records":[{"x":${deep}}]}`),
    Buffer.from(`{"definition":${DEFINITION},"records":[],"x":${deep}}`),
    Buffer.from(`{"definition":${DEFINITION},"records":[{"fields":[{"id":"gone","values":${deep}}]}]}`),
  ]) {
    expect(await refusalOf(bytes)).toMatchObject({ code: 'ERR_LIMIT', message: expect.stringContaining('512') })
  }
})
