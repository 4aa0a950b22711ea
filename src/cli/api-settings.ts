/**
 * Determines the API's address and the credentials from options and environment variables, and which take precedence.
 */

import type { ExportClientOptions } from '../api/client.ts'
import { OptionError } from '../errors.ts'
import { flagOf } from './option-flags.ts'

/** Options as given on the command line. */
export interface ApiOptions {
  region?: string
  baseUrl?: string
  community?: string
  clientId?: string
  clientSecret?: string
  apiKey?: string
  token?: string
}

type Setting = keyof ApiOptions

export const SETTING_VARIABLES: Readonly<Record<Setting, string>> = {
  region: 'ALIDA_REGION',
  baseUrl: 'ALIDA_BASE_URL',
  community: 'ALIDA_COMMUNITY',
  clientId: 'ALIDA_CLIENT_ID',
  clientSecret: 'ALIDA_CLIENT_SECRET',
  apiKey: 'ALIDA_API_KEY',
  token: 'ALIDA_TOKEN',
}

/** Settings whose value must stay secret. */
export const SECRET_SETTINGS = ['token', 'clientSecret', 'apiKey'] as const satisfies readonly Setting[]

/**
 * Merges options and variables; an option takes precedence over a variable.
 *
 * @param note Called with a message when one of two settings in the environment is ignored.
 * @throws OptionError `ERR_OPTION` naming missing settings, by variable and option, or contradictory ones.
 */
export function clientOptions(
  options: ApiOptions,
  environment: NodeJS.ProcessEnv,
  note: (message: string) => void,
): ExportClientOptions {
  const settings = withVariables(options, environment, note)
  const missing = missingSettings(settings)
  if (missing.length > 0) throw new OptionError('ERR_OPTION', `missing: ${missing.join('; ')}`)
  return { ...settings, community: settings.community ?? '' }
}

function withVariables(options: ApiOptions, environment: NodeJS.ProcessEnv, note: (message: string) => void) {
  const settings: ApiOptions = {}
  for (const setting of Object.keys(SETTING_VARIABLES) as Setting[]) {
    const variable = SETTING_VARIABLES[setting]
    const value = options[setting] ?? environment[variable]
    if (options[setting] === undefined && isQuoted(value)) {
      note(
        `${variable} is in quotation marks, which become part of the value: leave them out (docker --env-file keeps them)`,
      )
    }
    if (value !== undefined && value.trim() !== '') settings[setting] = value
  }
  leaveOneOf(settings, options, ['baseUrl'], ['region'], note)
  leaveOneOf(settings, options, ['token'], ['clientId', 'clientSecret'], note)
  return settings
}

function isQuoted(value: string | undefined): boolean {
  return value !== undefined && /^(["']).*\1$/s.test(value.trim())
}

/**
 * If two alternatives are set, keeps the one given as an option, else the first. Throws OptionError if both are given
 * as options.
 */
function leaveOneOf(
  settings: ApiOptions,
  options: ApiOptions,
  first: readonly Setting[],
  second: readonly Setting[],
  note: (message: string) => void,
): void {
  const isSet = (setting: Setting) => settings[setting] !== undefined
  if (!first.some(isSet) || !second.some(isSet)) return
  const isOption = (setting: Setting) => options[setting] !== undefined
  if (first.some(isOption) && second.some(isOption)) {
    throw new OptionError('ERR_OPTION', `expected ${flags(first)} or ${flags(second)}, found both`)
  }
  const isSecondAsked = second.some(isOption)
  const [kept, left] = isSecondAsked ? [second, first] : [first, second]
  if (!first.some(isOption) && !isSecondAsked) {
    note(`${variables(kept)} is used, ${variables(left.filter(isSet))} ${left.length === 1 ? 'is' : 'are'} not`)
  }
  for (const setting of left) delete settings[setting]
}

function missingSettings(settings: ApiOptions): string[] {
  const missing: string[] = []
  const name = (setting: Setting) => `${SETTING_VARIABLES[setting]} or ${flagOf(setting)}`
  if (settings.region === undefined && settings.baseUrl === undefined) missing.push(`the region (${name('region')})`)
  if (settings.community === undefined) missing.push(`the community key (${name('community')})`)
  if (settings.token === undefined) {
    const { clientId, clientSecret } = settings
    if (clientId === undefined && clientSecret === undefined) {
      missing.push(
        `credentials (${variables(['clientId', 'clientSecret'])}, or ${SETTING_VARIABLES.token}; also as ${flags(['clientId', 'clientSecret', 'token'])})`,
      )
    } else if (clientId === undefined) missing.push(`the client id (${name('clientId')})`)
    else if (clientSecret === undefined) missing.push(`the client secret (${name('clientSecret')})`)
  }
  return missing
}

function variables(settings: readonly Setting[]): string {
  return settings.map((setting) => SETTING_VARIABLES[setting]).join(' and ')
}

function flags(settings: readonly Setting[]): string {
  return settings.map(flagOf).join(', ')
}
