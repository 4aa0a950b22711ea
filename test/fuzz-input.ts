/** The inputs of the fuzzing: a random export and damaged copies of it for each seed, and what must hold for them. */

import fc from 'fast-check'
import { Random } from '../fixtures/random.ts'
import { damagedBytes } from './byte-damage.ts'
import { exportArbitrary, exportBytes, formArbitrary, wayArbitrary } from './export-arbitrary.ts'
import { isRefusedByModel } from './model.ts'
import { disagreement, type Way } from './three-readings.ts'
import { differencesWhenWritten, type WrittenForm } from './written-output.ts'

export interface FuzzInput {
  seed: number
  bytes: Uint8Array
  fields: string[] | undefined
  way: Way
  /** Of undamaged exports: how it is written to a file as well. */
  form?: WrittenForm
}

/** Damaged copies per export. */
const DAMAGES = 12

export function* fuzzInputs(seed: number): Generator<FuzzInput> {
  const shape = { faults: seed % 4 === 0, mostRecords: seed % 16 === 1 ? 60 : 8 }
  const samples = fc.sample(fc.tuple(exportArbitrary(shape), wayArbitrary, formArbitrary), { seed, numRuns: 4 })
  for (const [generated, way, form] of samples) {
    const { fields } = generated
    const bytes = exportBytes(generated)
    yield { seed, bytes, fields, way, form }
    const random = new Random(seed)
    for (let i = 0; i < DAMAGES; i++) yield { seed, bytes: damagedBytes(bytes, random), fields, way }
  }
}

/** @returns How the readers disagree; undefined when they do not. */
export async function resultOf(input: FuzzInput): Promise<{ failure: string | undefined; isRefused: boolean }> {
  const { bytes, way, form } = input
  const options = { fields: input.fields }
  const isRefused = isRefusedByModel(bytes, options)
  let failure = await disagreement(bytes, options, way)
  if (form !== undefined && !isRefused && !failure?.includes('refused'))
    failure ??= await failureWhenWritten(input, form)
  return { failure, isRefused }
}

async function failureWhenWritten({ bytes, fields }: FuzzInput, form: WrittenForm): Promise<string | undefined> {
  try {
    const [first] = await differencesWhenWritten(bytes, { fields }, form)
    return first === undefined ? undefined : `written as ${form.format}: ${first.kind}\n  ${JSON.stringify(first)}`
  } catch (error) {
    return `written as ${form.format}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  }
}
