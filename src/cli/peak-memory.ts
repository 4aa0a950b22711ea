/** Measures the peak memory of this process. */

import { readFileSync } from 'node:fs'

/**
 * Returns the peak memory in bytes. On Linux from `VmHWM`, because `maxRSS` begins with the memory of the parent
 * process.
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
