/** The parts of undici that are loaded individually: loading all of it takes four times as long. */

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici'
  /** undici's `request` without the parsing of a URL and the default dispatcher. */
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
