/** An export through the whole path: read, written to a file, and the file verified against the export. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readExport } from '../src/reader.ts'
import type { ShapeOptions } from '../src/shape/options.ts'
import { writeIpc } from '../src/sinks/ipc.ts'
import { writeParquet } from '../src/sinks/parquet.ts'
import { verifyOutput } from '../src/verify/compare.ts'
import type { Difference } from '../src/verify/difference-log.ts'

export interface WrittenForm {
  format: 'parquet' | 'arrow' | 'arrows'
  batchSize: number | undefined
  rowGroupSize: number | undefined
  shape: ShapeOptions
  compression: 'snappy' | 'zstd' | 'gzip' | 'lz4' | 'none'
}

/** What the verification finds; the file is gone afterwards. */
export async function differencesWhenWritten(
  bytes: Uint8Array,
  selection: ShapeOptions,
  { format, batchSize, rowGroupSize, compression, shape }: WrittenForm,
): Promise<readonly Difference[]> {
  const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-written-'))
  try {
    const options = { ...selection, ...shape }
    const output = join(folder, `output.${format}`)
    const reader = await readExport(bytes, { ...options, batchSize })
    if (format === 'parquet') await writeParquet(reader, output, { rowGroupSize, compression })
    else await writeIpc(reader, output)
    const source = async function* () {
      yield bytes
    }
    return (await verifyOutput({ source, output, options })).differences
  } finally {
    rmSync(folder, { recursive: true })
  }
}
