/** What the running process has used so far. */
import { readFileSync } from 'node:fs'

/** Highest resident set size. `VmHWM` is this program's own; `maxRSS` may be inherited from the parent. */
export function peakRssBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    if (kilobytes !== undefined) return Number(kilobytes) * 1024
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024
}

/** User and system time since an earlier reading, or since the start of the process. */
export function cpuSeconds(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1e6
}
