/** The parts of undici that are loaded by themselves: the whole of it takes four times as long. */

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici'
  /** undici's `request` before a URL is taken apart and the default dispatcher is put in. */
  export default function request(
    this: Dispatcher,
    options: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData>
}

declare module 'undici/lib/core/connect.js' {
  import type { buildConnector } from 'undici'
  export default function connector(
    options: buildConnector.BuildOptions & { onread?: import('node:net').OnReadOpts },
  ): buildConnector.connector
}

declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici'
}
