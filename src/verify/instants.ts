/** Parses date and time texts with a regular expression and JavaScript's calendar. */

/** Anchored, and no part can match what its neighbour matches, so matching is linear in the text's length. */
const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(?:[Zz]|([+-])(\d{2})(?::?(\d{2}))?)?)?$/

/** Returns microseconds since 1970-01-01T00:00:00Z (no zone means UTC); undefined for a date that does not exist. */
export function instantMicros(text: string): bigint | undefined {
  const match = INSTANT.exec(text)
  if (match === null) return undefined
  const part = (group: number) => Number(match[group] ?? 0)
  const [year, month, day] = [part(1), part(2), part(3)]
  const [hour, minute, second, offsetHour, offsetMinute] = [part(4), part(5), part(6), part(9), part(10)]
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const isReal = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (year === 0 || !isReal) return undefined
  const offset = (offsetHour * 60 + offsetMinute) * (match[8] === '-' ? -1 : 1)
  const seconds = date.getTime() / 1000 + ((hour * 60 + minute - offset) * 60 + second)
  const yearInUtc = new Date(seconds * 1000).getUTCFullYear()
  if (yearInUtc < 1 || yearInUtc > 9999) return undefined
  const fraction = (match[7] ?? '').slice(0, 6).padEnd(6, '0')
  return BigInt(seconds) * 1_000_000n + BigInt(fraction)
}
