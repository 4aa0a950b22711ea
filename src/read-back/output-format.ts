/** What kind of output a file is, by its bytes: its name says nothing. */

import { open } from 'node:fs/promises'

export type OutputFormat = 'parquet' | 'arrow' | 'arrows'

/** Bytes that an output file begins with; an Arrow stream begins with a continuation marker. */
const MAGIC: readonly (readonly [string, OutputFormat])[] = [
  ['PAR1', 'parquet'],
  ['ARROW1', 'arrow'],
  ['\xff\xff\xff\xff', 'arrows'],
]

/** What kind of output a file is, by its first bytes; undefined for anything else, an export for one. */
export async function outputFormatOf(path: string): Promise<OutputFormat | undefined> {
  const { start } = await endsOf(path).catch(() => ({ start: '' }))
  return formatOf(start)
}

/** The format of a file that begins with these characters. */
export function formatOf(start: string): OutputFormat | undefined {
  return MAGIC.find(([magic]) => start.startsWith(magic))?.[1]
}

/** Eight bytes of the start and of the end, a character each. */
export async function endsOf(path: string): Promise<{ start: string; end: string }> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const [start, end] = [Buffer.alloc(8), Buffer.alloc(8)]
    await file.read(start, 0, 8, 0)
    await file.read(end, 0, 8, Math.max(0, size - 8))
    return { start: start.toString('latin1'), end: end.toString('latin1') }
  } finally {
    await file.close()
  }
}
