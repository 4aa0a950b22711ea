import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Random } from '../fixtures/random.ts'
import { damagedBytes } from './byte-damage.ts'
import { exportArbitrary, exportBytes, wayArbitrary } from './export-arbitrary.ts'
import { disagreement } from './three-readings.ts'

// `npm run fuzz` does the same for as long as one likes. A failure prints its seed and path.

describe('the main reader, the reference reader and the model give the same', () => {
  test('table for every export, however it is written and read', async () => {
    await fc.assert(
      fc.asyncProperty(exportArbitrary(), wayArbitrary, async (generated, way) => {
        expect(await disagreement(exportBytes(generated), { fields: generated.fields }, way)).toBeUndefined()
      }),
      { numRuns: 120, interruptAfterTimeLimit: 15_000 },
    )
  })

  test('table or a refusal for exports with faulty answers', async () => {
    await fc.assert(
      fc.asyncProperty(exportArbitrary({ faults: true, mostRecords: 6 }), wayArbitrary, async (generated, way) => {
        expect(await disagreement(exportBytes(generated), { fields: generated.fields }, way)).toBeUndefined()
      }),
      { numRuns: 120, interruptAfterTimeLimit: 15_000 },
    )
  })

  test('table or a refusal for damaged bytes', async () => {
    await fc.assert(
      fc.asyncProperty(exportArbitrary({ mostRecords: 4 }), wayArbitrary, fc.nat(), async (generated, way, seed) => {
        const random = new Random(seed)
        const bytes = exportBytes(generated)
        for (let i = 0; i < 6; i++) {
          const damaged = damagedBytes(bytes, random)
          expect(
            await disagreement(damaged, { fields: generated.fields }, way),
            damaged.toString('latin1'),
          ).toBeUndefined()
        }
      }),
      { numRuns: 80, interruptAfterTimeLimit: 15_000 },
    )
  })
})
