/** Options of the commands that talk to the API. */

import { type Command, Option } from 'commander'
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

/** Adds the options for the API's address and the credentials. */
export function addApiOptions(command: Command): Command {
  for (const [setting, [flags, description]] of Object.entries(DESCRIPTIONS)) {
    const variable = SETTING_VARIABLES[setting as keyof ApiOptions]
    // Not commander's own `env`: help would print the values, and `clientOptions` decides precedence.
    command.addOption(new Option(flags, `${description} (${variable})`))
  }
  return command
}

/** Separates the API's options from the rest, so that secrets go only where they are needed. */
export function splitApiOptions<T extends ApiOptions>(
  options: T,
): { api: ApiOptions; rest: Omit<T, keyof ApiOptions> } {
  const { region, baseUrl, community, clientId, clientSecret, apiKey, token, ...rest } = options
  const given = Object.entries({ region, baseUrl, community, clientId, clientSecret, apiKey, token })
  return { api: Object.fromEntries(given.filter(([, value]) => value !== undefined)), rest }
}
