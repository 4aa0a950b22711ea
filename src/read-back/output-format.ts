/** Recognises the format of an output file by its bytes, because its name does not determine it. */

import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'

export type OutputFormat = 'parquet' | 'arrow' | 'arrows'

/** First bytes of each format; an Arrow stream begins with a continuation marker. */
const MAGIC: readonly (readonly [string, OutputFormat])[] = [
  ['PAR1', 'parquet'],
  ['ARROW1', 'arrow'],
  ['\xff\xff\xff\xff', 'arrows'],
]

/** Returns the format of an output file by its first bytes; undefined for anything else, such as an export. */
export async function outputFormatOf(path: string): Promise<OutputFormat | undefined> {
  const { start } = await endsOf(path).catch(() => ({ start: '' }))
  return formatOf(start)
}

/** Whether an output is a folder, as of the star layout; undefined if the path cannot be examined: opening it then throws the reason. */
export function isFolder(path: string): boolean | undefined {
  try {
    return statSync(path).isDirectory()
  } catch {
    return undefined
  }
}

/** Returns the format of a file that begins with these characters. */
export function formatOf(start: string): OutputFormat | undefined {
  return MAGIC.find(([magic]) => start.startsWith(magic))?.[1]
}

/** Reads the first and the last eight bytes, as one character per byte. */
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
