/** Detects files and folders that are mount points, as after `docker run -v out.parquet:/out.parquet`. */

import { readFileSync, realpathSync } from 'node:fs'
import { OutputError } from '../errors.ts'

/**
 * Refuses to replace a mount point: renaming to it fails, but only when the output is complete.
 * @param path An existing path.
 * @throws OutputError `ERR_OUTPUT` if it is a mount point. Only Linux lists them; elsewhere nothing is checked.
 */
export function requireReplaceable(path: string, advice: string): void {
  if (!mountPoints().includes(realpathSync(path))) return
  throw new OutputError('ERR_OUTPUT', `cannot write ${path}: it is mounted by itself and cannot be replaced; ${advice}`)
}

function mountPoints(): string[] {
  try {
    const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
    return lines.map((line) => decodePath(line.split(' ')[4] ?? ''))
  } catch {
    return []
  }
}

/** Decodes spaces, tabs, line feeds and backslashes, which are written as `\` and three octal digits. */
function decodePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
