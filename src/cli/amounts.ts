/** Parses numbers, sizes and times of the command line. */

import { InvalidArgumentError } from 'commander'

export function wholeNumber(value: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new InvalidArgumentError('Expected a whole number above 0.')
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  ...{ '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 },
  ...{ KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 },
}

/** Parses a size in bytes: `500MB`, `64MiB`, `2GB`, `1000000`. */
export function byteCount(value: string): number {
  return measure(value, BYTE_UNITS, 'Expected a size such as 500MB, 64MiB or 1000000.')
}

const TIME_UNITS: Readonly<Record<string, number>> = { '': 1e3, S: 1e3, M: 60e3, MIN: 60e3, H: 3600e3 }

/** Parses a time into milliseconds: `90s`, `30min`, `2h`, `90` (seconds). */
export function milliseconds(value: string): number {
  return measure(value, TIME_UNITS, 'Expected a time such as 90s, 30min or 2h.')
}

function measure(value: string, units: Readonly<Record<string, number>>, advice: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(value.trim())
  const unit = units[(match?.[2] ?? '').toUpperCase()]
  const amount = Math.round(Number(match?.[1]) * (unit ?? Number.NaN))
  if (Number.isSafeInteger(amount) && amount > 0) return amount
  throw new InvalidArgumentError(advice)
}
