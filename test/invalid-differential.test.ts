/** The reference reader must leave out the same values of any export, and a file must be what it says it must be. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RejectedValue } from '../src/decode/rejects.ts'
import { isExportError } from '../src/errors.ts'
import { openReader } from '../src/reader.ts'
import type { ReferenceReject } from '../src/verify/record-reader.ts'
import { openReference } from '../src/verify/reference-reader.ts'
import { exportArbitrary, exportBytes, formArbitrary, wayArbitrary } from './export-arbitrary.ts'
import { chunked } from './json-layout.ts'
import { differencesWhenWritten } from './written-output.ts'

type Facts = Pick<RejectedValue, 'record' | 'ownerId' | 'fieldId' | 'fieldName' | 'code'>

const factsOf = ({ record, ownerId, fieldId, fieldName, code }: RejectedValue | ReferenceReject): Facts => {
  return { record, ownerId, fieldId, fieldName, code }
}

/** What was rejected; undefined where the export is refused all the same. */
async function orRefused<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!isExportError(error)) throw error
    return undefined
  }
}

const OPTIONS = { onInvalid: 'null', keepUnknown: true } as const

test('both readers reject the same values of any export, and keep the same of what is unknown', async () => {
  let rejected = 0
  await fc.assert(
    fc.asyncProperty(exportArbitrary({ faults: true }), wayArbitrary, async (generated, way) => {
      const bytes = exportBytes(generated)
      const options = { ...OPTIONS, fields: generated.fields, batchSize: way.batchSize }
      const main = await orRefused(async () => {
        const rejects: Facts[] = []
        const source = way.isStream ? asStream(bytes, way.chunkBytes) : bytes
        const onReject = (value: RejectedValue) => void rejects.push(factsOf(value))
        const { useKernel, windowBytes } = way
        const reader = await openReader(source, { ...options, onReject }, { useKernel, windowBytes })
        const extra: unknown[] = []
        const column = reader.columns.findIndex(({ source }) => source === 'extra')
        for await (const batch of reader) extra.push(...(batch.getChildAt(column) ?? []))
        return { rejects, extra }
      })
      const reference = await orRefused(async () => {
        const reader = await openReference(() => asStream(bytes, 0), options)
        const column = reader.columns.findIndex(({ source }) => source === 'extra')
        const rejects: Facts[] = []
        const extra: unknown[] = []
        for await (const row of reader.rows()) {
          rejects.push(...row.rejects.map(factsOf))
          extra.push(row.cells[column])
        }
        return { rejects, extra }
      })
      rejected += main?.rejects.length ?? 0
      expect(main).toEqual(reference)
    }),
    { numRuns: 60, interruptAfterTimeLimit: 10_000 },
  )
  expect(rejected).toBeGreaterThan(0)
})

test('a file that was written from any such export verifies', async () => {
  await fc.assert(
    fc.asyncProperty(exportArbitrary({ faults: true, mostRecords: 8 }), formArbitrary, async (generated, form) => {
      const { layout, sensitive } = form.shape
      const keepUnknown = layout !== 'long' && (sensitive ?? 'keep') === 'keep'
      const options = { fields: generated.fields, onInvalid: 'null', keepUnknown } as const
      const differences = await orRefused(() => differencesWhenWritten(exportBytes(generated), options, form))
      expect(differences ?? []).toEqual([])
    }),
    { numRuns: 40, interruptAfterTimeLimit: 10_000 },
  )
})

async function* asStream(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  yield* chunked(bytes, chunkBytes)
}
