/** The export that is measured with. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateExport, type Tally } from './generate.ts'
import { BENCH, CACHE } from './paths.ts'
import { progress } from './progress.ts'
import type { Shape } from './shapes.ts'

const GENERATOR_SOURCES = [
  'generate.ts',
  'shapes.ts',
  'questions.ts',
  'layout.ts',
  'checksum.ts',
  '../fixtures/random.ts',
]

/** Generated once for each version of the generator, and kept. */
export async function inputOf(shape: Shape, records: number): Promise<{ file: string; tally: Tally }> {
  const hash = createHash('sha256')
  for (const source of GENERATOR_SOURCES) hash.update(readFileSync(join(BENCH, source)))
  const file = join(CACHE, `${shape.name}-${records}-${hash.digest('hex').slice(0, 8)}.json`)
  if (existsSync(file)) return { file, tally: JSON.parse(readFileSync(`${file}.tally.json`, 'utf8')) as Tally }
  progress(`writing ${file} …`)
  return { file, tally: await generateExport(shape, records, file) }
}
