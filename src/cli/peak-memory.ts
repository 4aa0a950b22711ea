/** The most memory that this process had at once. */

import { readFileSync } from 'node:fs'

/**
 * In bytes. Linux's own count for a process, `maxRSS`, begins with the memory of whoever started it; `VmHWM` does not.
 */
export function peakMemoryBytes(): number {
  return highWaterBytes() ?? process.resourceUsage().maxRSS * 1024
}

function highWaterBytes(): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined
  }
}
