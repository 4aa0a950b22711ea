import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Random } from '../fixtures/random.ts'
import { damagedBytes } from './byte-damage.ts'
import { exportArbitrary, exportBytes, formArbitrary, wayArbitrary } from './export-arbitrary.ts'
import { isRefusedByModel } from './model.ts'
import { disagreement, type Way } from './three-readings.ts'
import { differencesWhenWritten } from './written-output.ts'

// `npm run fuzz` does the same for as long as one likes. A failure prints its seed and path.

const FOUND = new URL('../fixtures/found/', import.meta.url)

/** Ways to read what was found once; `<name>.how.json` adds the one in which it was found. */
function waysFor(name: string): Way[] {
  const plain: Way = {
    chunkBytes: 0,
    batchSize: undefined,
    windowBytes: undefined,
    useKernel: true,
    isStream: false,
  }
  const ways = [
    plain,
    { ...plain, useKernel: false },
    { ...plain, chunkBytes: 7, batchSize: 1, windowBytes: 64, isStream: true },
  ]
  const how = new URL(`${name}.how.json`, FOUND)
  return existsSync(how) ? [...ways, (JSON.parse(readFileSync(how, 'utf8')) as { way: Way }).way] : ways
}

describe('what fuzzing found stays mended', () => {
  const inputs = readdirSync(FOUND).filter((file) => !file.endsWith('.how.json'))
  test.each(inputs)('%s', async (file) => {
    const bytes = readFileSync(new URL(file, FOUND))
    for (const way of waysFor(file.replace(/\.\w+$/, ''))) {
      expect(await disagreement(bytes, {}, way), JSON.stringify(way)).toBeUndefined()
    }
  })
})

describe('the main reader, the reference reader and the model give the same', () => {
  test('table for every export, however it is written and read', async () => {
    await fc.assert(
      fc.asyncProperty(exportArbitrary(), wayArbitrary, async (generated, way) => {
        expect(await disagreement(exportBytes(generated), { fields: generated.fields }, way)).toBeUndefined()
      }),
      { numRuns: 80, interruptAfterTimeLimit: 15_000 },
    )
  })

  test('table or a refusal for exports with faulty answers', async () => {
    await fc.assert(
      fc.asyncProperty(exportArbitrary({ faults: true, mostRecords: 6 }), wayArbitrary, async (generated, way) => {
        expect(await disagreement(exportBytes(generated), { fields: generated.fields }, way)).toBeUndefined()
      }),
      { numRuns: 60, interruptAfterTimeLimit: 15_000 },
    )
  })

  test('table or a refusal for damaged bytes', async () => {
    await fc.assert(
      fc.asyncProperty(exportArbitrary({ mostRecords: 4 }), wayArbitrary, fc.nat(), async (generated, way, seed) => {
        const random = new Random(seed)
        const bytes = exportBytes(generated)
        for (let i = 0; i < 6; i++) {
          const damaged = damagedBytes(bytes, random)
          expect(await disagreement(damaged, { fields: generated.fields }, way)).toBeUndefined()
        }
      }),
      { numRuns: 40, interruptAfterTimeLimit: 15_000 },
    )
  })
})

test('a file that was written from any export verifies', async () => {
  await fc.assert(
    fc.asyncProperty(exportArbitrary(), formArbitrary, async (generated, form) => {
      const bytes = exportBytes(generated)
      const options = { fields: generated.fields }
      if (isRefusedByModel(bytes, options)) return
      expect(await differencesWhenWritten(bytes, options, form)).toEqual([])
    }),
    { numRuns: 50, interruptAfterTimeLimit: 15_000 },
  )
})
