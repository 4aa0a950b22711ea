/** Formats figures for the CLI, so that progress, summary and tables agree. */

/** Formats 1234567 as `1,234,567`. Whole numbers only; not `Intl`, which takes 12 ms to load. */
export function count(value: number): string {
  const digits = String(value)
  const groups: string[] = []
  for (let end = digits.length; end > 0; end -= 3) groups.unshift(digits.slice(Math.max(0, end - 3), end))
  return groups.join(',')
}

/** Formats a count with its noun: `1 record`, `2,000 records`. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`
}

/** Formats bytes in decimal units: `512 B`, `1.5 kB`, `391 MB`. */
export function byteSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value >= 99.5 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`
}

/** Formats milliseconds as a duration: `0.42 s`, `12.3 s`, `3 min 05 s`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 10) return `${seconds.toFixed(2)} s`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`
}

/** Formats bytes per time: `812 MB/s`. */
export function byteRate(bytes: number, milliseconds: number): string {
  return `${byteSize(milliseconds > 0 ? (bytes / milliseconds) * 1000 : 0)}/s`
}
