/** Creates and closes the API client of a command, from its settings, with the proxy of the environment. */

import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import type { ExportClient } from '../api/client.ts'
import { holdEnd } from '../api/held-end.ts'
import { OptionError } from '../errors.ts'
import { type ApiOptions, clientOptions } from './api-settings.ts'
import { printWarning } from './warning.ts'

/**
 * Variables per scheme. As in undici, lower case takes precedence, and a variable that is set but empty means no proxy.
 */
const PROXY_VARIABLES = {
  httpsProxy: ['https_proxy', 'HTTPS_PROXY'],
  httpProxy: ['http_proxy', 'HTTP_PROXY'],
} as const

const PROXY_SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'socks:', 'socks5:'])

/**
 * Runs `use` with a client, then closes the client's connections.
 * @throws OptionError when settings are missing, before anything is loaded.
 */
export async function withApiClient<T>(
  options: ApiOptions,
  isQuiet: boolean,
  use: (client: ExportClient) => Promise<T>,
): Promise<T> {
  const note = isQuiet ? () => undefined : printWarning
  const settings = clientOptions(options, process.env, note)
  const { ExportClient } = await import('../api/client.ts')
  const dispatcher = await proxyDispatcher()
  try {
    const client = new ExportClient({ ...settings, dispatcher, onWarning: note })
    try {
      return await use(client)
    } finally {
      await client.close()
    }
  } finally {
    await dispatcher?.destroy()
  }
}

/**
 * Returns a dispatcher for the proxies of the environment; undefined without any. It checks NO_PROXY for each request.
 */
async function proxyDispatcher(): Promise<Dispatcher | undefined> {
  const proxies = { httpsProxy: proxyOf('httpsProxy'), httpProxy: proxyOf('httpProxy') }
  if (proxies.httpsProxy === '' && proxies.httpProxy === '') return undefined
  const { EnvHttpProxyAgent } = await import('undici')
  // The agent creates its connections itself; this channel is how it announces them.
  subscribe('undici:client:connected', (message) => holdEnd((message as { socket: Socket }).socket))
  return new EnvHttpProxyAgent(proxies)
}

/**
 * Returns the proxy of one scheme, empty if there is none. Like curl, accepts an address without `http://`.
 * @throws OptionError that does not show the address, because it may contain a password.
 */
function proxyOf(scheme: keyof typeof PROXY_VARIABLES): string {
  const name = PROXY_VARIABLES[scheme].find((variable) => process.env[variable] !== undefined) ?? ''
  const address = process.env[name]?.trim() ?? ''
  if (address === '') return ''
  const url = address.includes('://') ? address : `http://${address}`
  if (isProxyAddress(url)) return url
  throw new OptionError('ERR_OPTION', `expected the address of a proxy in ${name}, found something else`)
}

/** Whether undici can use an address: it decodes user and password, so a `%` in them must be written as `%25`. */
function isProxyAddress(address: string): boolean {
  try {
    const { protocol, username, password } = new URL(address)
    decodeURIComponent(username + password)
    return PROXY_SCHEMES.has(protocol)
  } catch {
    return false
  }
}
