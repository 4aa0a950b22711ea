/**
 * Verifies output files with a bit flipped, and prints what came of each: a process of its own, so that a crash of
 * parquet-wasm ends it alone.
 * Arguments: the export, the output, how many bits.
 */

import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { Random } from '../fixtures/random.ts'
import { isExportError } from '../src/errors.ts'
import { verifyOutput } from '../src/verify/compare.ts'

async function outcomeOf(source: string, output: string): Promise<string> {
  try {
    const { differenceCount } = await verifyOutput({ source: () => createReadStream(source), output })
    return differenceCount === 0 ? 'same' : 'different'
  } catch (error) {
    return isExportError(error) ? error.code : String(error)
  }
}

async function main(): Promise<void> {
  const [source = '', output = '', bits = ''] = process.argv.slice(2)
  const intact = readFileSync(output)
  const random = new Random(7)
  const outcomes: string[] = []
  for (let i = 0; i < Number(bits); i++) {
    const damaged = Buffer.from(intact)
    const at = random.below(damaged.length)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << random.below(8))
    writeFileSync(output, damaged)
    outcomes.push(await outcomeOf(source, output))
  }
  console.log(JSON.stringify(outcomes))
}

void main()
