/** What the running process has used so far. */
export { peakMemoryBytes as peakRssBytes } from '../src/cli/peak-memory.ts'

/** User and system time since an earlier reading, or since the start of the process. */
export function cpuSeconds(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1e6
}
