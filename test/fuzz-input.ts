/** The inputs of the fuzzing: a random export and damaged copies of it for each seed, and what must hold for them. */

import fc from 'fast-check'
import { Random } from '../fixtures/random.ts'
import { damagedBytes } from './byte-damage.ts'
import { exportArbitrary, exportBytes, wayArbitrary } from './export-arbitrary.ts'
import { isRefusedByModel } from './model.ts'
import { disagreement, type Way } from './three-readings.ts'

export interface FuzzInput {
  seed: number
  bytes: Uint8Array
  fields: string[] | undefined
  way: Way
}

/** Damaged copies per export. */
const DAMAGES = 12

export function* fuzzInputs(seed: number): Generator<FuzzInput> {
  const shape = { faults: seed % 4 === 0, mostRecords: seed % 16 === 1 ? 60 : 8 }
  const samples = fc.sample(fc.tuple(exportArbitrary(shape), wayArbitrary), { seed, numRuns: 4 })
  for (const [generated, way] of samples) {
    const { fields } = generated
    const bytes = exportBytes(generated)
    yield { seed, bytes, fields, way }
    const random = new Random(seed)
    for (let i = 0; i < DAMAGES; i++) yield { seed, bytes: damagedBytes(bytes, random), fields, way }
  }
}

/** @returns How the readers disagree; undefined when they do not. */
export async function resultOf(input: FuzzInput): Promise<{ failure: string | undefined; isRefused: boolean }> {
  const options = { fields: input.fields }
  return {
    failure: await disagreement(input.bytes, options, input.way),
    isRefused: isRefusedByModel(input.bytes, options),
  }
}
