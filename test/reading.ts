/**
 * Reads an export in every way that must not matter (chunks, windows, batches, fast path, gzip, kind of source) and
 * asserts that all of them give the same table, or the same error.
 */

import { gzipSync } from 'node:zlib'
import type { RecordBatch } from 'apache-arrow'
import { expect } from 'vitest'
import type { ExportError } from '../src/errors.ts'
import { isExportError } from '../src/errors.ts'
import type { ExportSource } from '../src/input/source.ts'
import { type ExportReader, openReader, type ReaderInternals, type ReadOptions } from '../src/reader.ts'
import type { Warning } from '../src/warnings.ts'
import { expectSame } from './expect-same.ts'
import { type PlainTable, plainTable } from './plain-table.ts'

export interface Reading extends PlainTable {
  /** In the order in which they were first seen. */
  warnings: readonly Warning[]
  questions: { name: string; answered: number; skipped: number; notAsked: number }[]
}

/** What is the same about two errors that are the same to a user. */
export type ErrorFacts = Pick<
  ExportError,
  'code' | 'message' | 'record' | 'ownerId' | 'fieldId' | 'fieldName' | 'byteOffset'
>

/** One way to read; sizes in bytes, 0 and undefined for all at once and the default. */
interface Way {
  chunkBytes: number
  windowBytes: number | undefined
  batchSize: number | undefined
  useKernel: boolean
  isGzip: boolean
  isStream: boolean
}

const CHUNK_BYTES = [1, 2, 3, 7, 64, 65_536, 0]
const FEW_CHUNK_BYTES = [2, 64, 0]
/** For large inputs: a prime, so that chunks end everywhere, and what files are read by. */
const LARGE_CHUNK_BYTES = [61, 65_536]
type Windows = readonly (number | undefined)[]

/** A window is filled whatever the chunks are, so the shortest is what decoding in small steps takes. */
const WINDOW_BYTES: Windows = [1, 64, 1024, undefined]
const BATCH_SIZES = [1, 3, undefined]

/** Inputs from here on are read in fewer ways. */
const SMALL_BYTES = 40_000

/** Every chunk size, and every window with and without the fast path; the other settings take turns. */
function* waysToRead(byteLength: number, windows: Windows = WINDOW_BYTES): Generator<Way> {
  const isSmall = byteLength < SMALL_BYTES
  // Inputs of other lengths start at other combinations, so that all fixtures together see all of them.
  let turn = byteLength
  for (const useKernel of [true, false]) {
    const chunkSizes = useKernel ? CHUNK_BYTES : FEW_CHUNK_BYTES
    for (const chunkBytes of isSmall ? chunkSizes : LARGE_CHUNK_BYTES) {
      const windowBytes = windows[turn % windows.length]
      const batchSize = BATCH_SIZES[Math.floor(turn / 3) % 3]
      yield { chunkBytes, windowBytes, batchSize, useKernel, isGzip: turn % 4 === 0, isStream: true }
      turn++
    }
    for (const windowBytes of windows) {
      yield {
        chunkBytes: 0,
        windowBytes,
        batchSize: BATCH_SIZES[turn++ % 3],
        useKernel,
        isGzip: false,
        isStream: false,
      }
    }
  }
}

/** The bytes in chunks that are overwritten when the next one is asked for; 0 gives one chunk. */
async function* fleetingChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunksOf(bytes, chunkBytes)) {
    const fleeting = Uint8Array.from(chunk)
    yield fleeting
    fleeting.fill(0x3f)
  }
}

/** The bytes in chunks; 0 gives one chunk. */
export async function* chunksOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const step = chunkBytes === 0 ? Math.max(bytes.length, 1) : chunkBytes
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
}

function sourceOf(bytes: Uint8Array, way: Way): ExportSource {
  if (!way.isStream) return bytes
  const input = way.isGzip ? gzipSync(bytes) : bytes
  // zlib reads a chunk in a thread of its own, while the stream already gives the next.
  return input[0] === 0x1f ? chunksOf(input, way.chunkBytes) : fleetingChunks(input, way.chunkBytes)
}

/** Reads all batches, none of which may exceed the batch size. */
export async function collect(reader: ExportReader, batchSize = Number.POSITIVE_INFINITY): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = []
  for await (const batch of reader) {
    expect(batch.numRows).toBeGreaterThan(0)
    expect(batch.numRows).toBeLessThanOrEqual(batchSize)
    batches.push(batch)
  }
  return batches
}

/** Reads in one way. */
export async function readOnce(
  source: ExportSource,
  options: ReadOptions = {},
  internals: ReaderInternals = {},
): Promise<Reading> {
  const reader = await openReader(source, options, internals)
  const batches = await collect(reader, options.batchSize)
  const { questions, warnings, records } = reader.summary
  const table = plainTable(reader.schema, batches)
  expect(records).toBe(table.rows.length)
  if (batches.length === 0) {
    for (const { name, type, labels } of reader.columns) {
      if (type === 'dictionary' || type === 'list') table.dictionaries.set(name, labels)
    }
  }
  return {
    ...table,
    warnings,
    questions: questions.map(({ column, answered, skipped, notAsked }) => ({
      name: column.name,
      answered,
      skipped,
      notAsked,
    })),
  }
}

async function outcomeOf(bytes: Uint8Array, options: ReadOptions, way: Way): Promise<Reading | ErrorFacts> {
  const { batchSize, windowBytes, useKernel } = way
  try {
    return await readOnce(
      sourceOf(bytes, way),
      { ...options, batchSize: batchSize ?? options.batchSize },
      { useKernel, ...(windowBytes === undefined ? {} : { windowBytes }) },
    )
  } catch (error) {
    return factsOf(error)
  }
}

/** @throws whatever is not one of this package's errors. */
export function factsOf(error: unknown): ErrorFacts {
  if (!isExportError(error)) throw error
  const { code, message, record, ownerId, fieldId, fieldName, byteOffset } = error
  return { code, message, record, ownerId, fieldId, fieldName, byteOffset }
}

async function readEveryWay(bytes: Uint8Array, options: ReadOptions, windows?: Windows): Promise<Reading | ErrorFacts> {
  let first: Reading | ErrorFacts | undefined
  for (const way of waysToRead(bytes.length, windows)) {
    const outcome = await outcomeOf(bytes, options, way)
    first ??= outcome
    expectSame(outcome, first, JSON.stringify(way))
  }
  if (first === undefined) throw new Error('unreachable: no way to read')
  return first
}

/** Reads the export in every way; all must give the table that is returned. */
export async function readAll(bytes: Uint8Array, options: ReadOptions = {}): Promise<Reading> {
  const outcome = await readEveryWay(bytes, options)
  if ('code' in outcome) throw new Error(`expected a table, found ${outcome.code}: ${outcome.message}`)
  return outcome
}

/** Reads the input in every way; all must give the error that is returned. */
export async function refusalOf(
  bytes: Uint8Array,
  options: ReadOptions = {},
  { windowBytes }: { windowBytes?: Windows } = {},
): Promise<ErrorFacts> {
  const outcome = await readEveryWay(bytes, options, windowBytes)
  if ('code' in outcome) return outcome
  throw new Error(`expected an error, found a table of ${outcome.rows.length} rows`)
}
