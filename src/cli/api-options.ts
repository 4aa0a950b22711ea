/** Options of the commands that talk to the API. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import { type ApiOptions, SETTING_VARIABLES } from './api-settings.ts'

const DESCRIPTIONS: Readonly<Record<keyof ApiOptions, readonly [flags: string, description: string]>> = {
  region: ['--region <name>', 'region of the community, such as na1'],
  baseUrl: ['--base-url <url>', 'address of the API, instead of a region'],
  community: ['--community <key>', "the community's key in API addresses, often panel_…"],
  clientId: ['--client-id <id>', 'client id'],
  clientSecret: ['--client-secret <secret>', 'client secret; better in the environment'],
  apiKey: ['--api-key <key>', 'x-api-key, where it is needed; better in the environment'],
  token: ['--token <token>', 'bearer token, instead of client id and secret; better in the environment'],
}

/** Adds the options that tell where the API is and who calls. */
export function addApiOptions(command: Command): Command {
  for (const [setting, [flags, description]] of Object.entries(DESCRIPTIONS)) {
    const variable = SETTING_VARIABLES[setting as keyof ApiOptions]
    // Not commander's own `env`: help would print the values, and which of two settings wins is decided elsewhere.
    command.addOption(new Option(flags, `${description} (${variable})`))
  }
  return command
}

/** Takes the API's options out of all options of a command, so that no secret goes where it is not needed. */
export function splitApiOptions<T extends ApiOptions>(
  options: T,
): { api: ApiOptions; rest: Omit<T, keyof ApiOptions> } {
  const { region, baseUrl, community, clientId, clientSecret, apiKey, token, ...rest } = options
  const given = Object.entries({ region, baseUrl, community, clientId, clientSecret, apiKey, token })
  return { api: Object.fromEntries(given.filter(([, value]) => value !== undefined)), rest }
}

const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }

/** `500MB`, `2GB`, `1000000`: bytes. */
export function byteCount(value: string): number {
  return measure(value, BYTE_UNITS, 'Expected a size such as 500MB, 2GB or 1000000.')
}

const TIME_UNITS: Readonly<Record<string, number>> = { '': 1e3, S: 1e3, M: 60e3, MIN: 60e3, H: 3600e3 }

/** `90s`, `30min`, `2h`, `90` (seconds): milliseconds. */
export function milliseconds(value: string): number {
  return measure(value, TIME_UNITS, 'Expected a time such as 90s, 30min or 2h.')
}

function measure(value: string, units: Readonly<Record<string, number>>, advice: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(value)
  const unit = units[(match?.[2] ?? '').toUpperCase()]
  const amount = Math.round(Number(match?.[1]) * (unit ?? Number.NaN))
  if (Number.isSafeInteger(amount) && amount > 0) return amount
  throw new InvalidArgumentError(advice)
}
