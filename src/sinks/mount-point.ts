/** Files and folders that are mounted by themselves, as `docker run -v out.parquet:/out.parquet` does. */

import { readFileSync, realpathSync } from 'node:fs'
import { OutputError } from '../errors.ts'

/**
 * Nothing can be renamed to such a place, which would be known only when the output is complete.
 * @param path What is there now.
 * @throws OutputError `ERR_OUTPUT` where the system tells that it is one; Linux does.
 */
export function requireReplaceable(path: string, advice: string): void {
  if (!mountPoints().includes(realpathSync(path))) return
  throw new OutputError('ERR_OUTPUT', `cannot write ${path}: it is mounted by itself and cannot be replaced; ${advice}`)
}

function mountPoints(): string[] {
  try {
    const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
    return lines.map((line) => unescaped(line.split(' ')[4] ?? ''))
  } catch {
    return []
  }
}

/** Spaces, tabs, line ends and backslashes stand there as `\` and three octal digits. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
