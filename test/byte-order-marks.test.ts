/** U+FEFF in front of a text is a character of it, whoever reads it; in front of a column's name it is left out. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readCodebook } from '../src/codebook/codebook.ts'
import { convertExport } from '../src/convert/convert.ts'
import { readExport } from '../src/reader.ts'
import type { ShapeOptions } from '../src/shape/options.ts'
import { writeStar } from '../src/star/star.ts'
import { verifyOutput } from '../src/verify/compare.ts'
import { verifyStar } from '../src/verify/star.ts'

const MARK = '\ufeff'
const TEXTS = [`${MARK}tea`, 'tea', MARK, 'x', `${MARK}${MARK}tea`, `te${MARK}a`]
const NAMES = [`${MARK}drink`, 'drink', `${MARK}`, 'texts', `${MARK}skipped`]

const options = TEXTS.map((name, i) => ({ id: `${i % 2 === 0 ? MARK : ''}option-${i}`, name }))
const TYPES = ['enum', 'set', 'enum', 'string', 'identifier']
const fields = NAMES.map((name, i) => ({ id: `field-${i}`, name, type: { dataType: TYPES[i], values: options } }))
const records = TEXTS.map((text, i) => ({
  ownerId: `${text}-${i}`,
  lastUpdateDate: '2026-01-01T00:00:00Z',
  fields: fields.map(({ id, type }, question) => {
    const value = type.dataType === 'enum' || type.dataType === 'set' ? options[i]!.id : text
    return { id, values: question === i ? null : [value] }
  }),
}))
const EXPORT = JSON.stringify({ definition: { fields, fieldGroups: [] }, records })

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-marks-'))
afterAll(() => rmSync(folder, { recursive: true }))
const input = join(folder, 'export.json')
writeFileSync(input, EXPORT)

/** What the export says: each option once, but for the record that skipped the question. */
const COUNTS = fields.slice(0, 3).map(({ id }, question) => ({
  id,
  answered: 5,
  skipped: 1,
  options: options.map((option, i) => [option.id, option.name, i === question ? 0 : 1]),
}))

async function counted(source: string) {
  const { questions } = await readCodebook(source)
  return questions.slice(0, 3).map(({ id, answered, skipped, options: counts }) => ({
    id,
    answered,
    skipped,
    options: counts.map((option) => [option.id, option.label, option.count]),
  }))
}

test('columns are called without it, and stay different', async () => {
  const reader = await readExport(input)
  expect(reader.schema.names.slice(2, -1)).toEqual(['drink', 'drink_2', 'field-2', 'texts', 'skipped_2'])
  expect(reader.columns[2]?.field?.name).toBe(`${MARK}drink`)
  await reader.close()
})

describe('labels with it are other labels than those without', () => {
  test('in the codebook of the export', async () => {
    expect(await counted(input)).toEqual(COUNTS)
  })

  const shapes: ShapeOptions[] = [{}, { answerStates: 'columns' }, { values: 'both' }, { layout: 'long' }]
  const formats = ['parquet', 'arrow', 'arrows'] as const
  test.for(formats.flatMap((format) => shapes.map((shape) => [format, shape] as const)))(
    'in a .%s shaped by %j, and in the codebook of it',
    async ([format, shape]) => {
      const output = join(folder, `table.${format}`)
      await convertExport(input, output, shape)
      const { differences } = await verifyOutput({ source: input, output, options: shape })
      expect(differences).toEqual([])
      if (shape.layout !== 'long') expect(await counted(output)).toEqual(COUNTS)
    },
  )

  test('in the star layout', async () => {
    const output = join(folder, 'star')
    await writeStar(input, output)
    const { differences } = await verifyStar({ source: input, output })
    expect(differences).toEqual([])
    expect(await counted(output)).toEqual(COUNTS)
  })
})
