/** The API client of a command: made from its settings, behind the proxy that the environment names, closed at its end. */

import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import type { ExportClient } from '../api/client.ts'
import { holdEnd } from '../api/held-end.ts'
import { type ApiOptions, clientOptions } from './api-settings.ts'
import { printWarning } from './warning.ts'

/** Lower case wins, as undici has it. */
const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY']

/**
 * Runs `use` with a client and closes the client's connections.
 * @throws OptionError when settings are missing; nothing is loaded then.
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

/** NO_PROXY is looked at for each request. */
async function proxyDispatcher(): Promise<Dispatcher | undefined> {
  if (!PROXY_VARIABLES.some((name) => (process.env[name] ?? '') !== '')) return undefined
  const { EnvHttpProxyAgent } = await import('undici')
  // The agent makes its connections itself, and this is how it tells of them.
  subscribe('undici:client:connected', (message) => holdEnd((message as { socket: Socket }).socket))
  return new EnvHttpProxyAgent()
}
