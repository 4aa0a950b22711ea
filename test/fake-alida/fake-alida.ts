/** Plays the API and, on another origin, the file store, on 127.0.0.1; keeps a log of every request it got. */

import http, { type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  ACTIVITIES,
  API_KEY,
  activitiesPage,
  BATCH_ID,
  bodyOf,
  CLIENT_ID,
  CLIENT_SECRET,
  CREATE,
  errorBody,
  FILE_ID,
  madeActivities,
  RESPONSES,
  sendJson,
  statusBody,
} from './api.ts'
import { type Fault, NONE, playFault, type Route } from './fault.ts'
import { refuse, type StoredFile, secretHeaders, sendFile } from './store.ts'

export interface LoggedRequest {
  readonly side: 'api' | 'store'
  readonly route: Route
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How the API hands over the file. */
export type LinkForm = 'redirect' | 'redirect-locations' | 'location' | 'locations' | 'json' | 'direct'

/** Both as PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

const DOCUMENT = Buffer.from('{"id":"x","definition":{"fields":[]},"records":[]}')

export class FakeAlida {
  readonly log: LoggedRequest[] = []
  readonly faults: Record<Route, Fault[]> = { token: [], create: [], status: [], file: [], activities: [], store: [] }
  readonly file: StoredFile = {
    bytes: DOCUMENT,
    contentEncoding: undefined,
    etag: '"version-1"',
    framing: 'length',
    ranges: true,
  }
  /** Words or whole bodies of the next looks at the status; then it has succeeded. */
  statuses: (string | object)[] = []
  linkForm: LinkForm = 'redirect'
  activities = madeActivities(5)
  tokenLifeSeconds: number | string | undefined = 3600
  /** Requests a link answers before it has expired. */
  linkUses = Number.POSITIVE_INFINITY
  /** Called before each answer, to change things in the middle. */
  onRequest: (request: LoggedRequest) => void = () => {}
  /** Tokens the API takes. */
  readonly validTokens = new Set<string>(['given-token-0001'])
  readonly #links = new Map<string, number>()
  readonly #api: Server
  readonly #store: Server
  #tokens = 0
  #signatures = 0

  private constructor(tls: Certificate | undefined) {
    const serverOf = (side: 'api' | 'store') => {
      const answer = (request: IncomingMessage, response: ServerResponse) => this.#serve(side, request, response)
      return tls === undefined ? http.createServer(answer) : https.createServer(tls, answer)
    }
    this.#api = serverOf('api')
    this.#store = serverOf('store')
  }

  /** @param tls Both servers speak https with it. */
  static async start(apiPort = 0, tls?: Certificate): Promise<FakeAlida> {
    const fake = new FakeAlida(tls)
    await listen(fake.#api, apiPort)
    await listen(fake.#store, 0)
    return fake
  }

  get apiOrigin(): string {
    return originOf(this.#api)
  }

  get storeOrigin(): string {
    return originOf(this.#store)
  }

  get fileUrl(): string {
    return `${this.apiOrigin}${RESPONSES}/files/${FILE_ID}`
  }

  requests(route: Route): LoggedRequest[] {
    return this.log.filter((request) => request.route === route)
  }

  /** Calls `change` before the store answers its `count`th request. */
  beforeStoreRequest(count: number, change: () => void): void {
    this.onRequest = ({ route }) => {
      if (route === 'store' && this.requests('store').length === count) change()
    }
  }

  /** Open connections to both servers. */
  async connections(): Promise<number> {
    const count = (server: Server) =>
      new Promise<number>((resolve, reject) =>
        server.getConnections((error, open) => (error === null ? resolve(open) : reject(error))),
      )
    return (await count(this.#api)) + (await count(this.#store))
  }

  async close(): Promise<void> {
    for (const server of [this.#api, this.#store]) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  async #serve(side: 'api' | 'store', request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', side === 'api' ? this.apiOrigin : this.storeOrigin)
    const route = side === 'store' ? 'store' : routeOf(url)
    const body = await bodyOf(request)
    const logged = {
      side,
      route,
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body,
    }
    this.log.push(logged)
    this.onRequest(logged)
    const fault = this.faults[route].shift() ?? NONE
    if (playFault(fault, request, response)) return
    if (route === 'store') await this.#answerStore(url, request, response, fault)
    else if (route === 'token') this.#answerToken(request, response)
    else if (!this.validTokens.has((request.headers.authorization ?? '').replace('Bearer ', ''))) {
      sendJson(response, 401, errorBody(401, 'The access token is not valid.'))
    } else await this.#answerApi(route, url, request, response, fault)
  }

  async #answerApi(
    route: Route,
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault,
  ): Promise<void> {
    if (route === 'activities') return sendJson(response, 200, activitiesPage(this.activities, url))
    if (route === 'create' && request.method === 'POST') return sendJson(response, 202, { id: BATCH_ID })
    if (route === 'status') return sendJson(response, 200, this.#nextStatus())
    if (url.pathname !== `${RESPONSES}/files/${FILE_ID}`) return sendJson(response, 404, errorBody(404, 'Not found.'))
    if (this.linkForm === 'direct') return sendFile(this.file, request, response, fault)
    this.#sendLink(response)
  }

  #nextStatus(): object {
    const next = this.statuses.shift() ?? 'succeeded'
    if (typeof next === 'object') return next
    return statusBody(next, next.toLowerCase() === 'succeeded' ? this.fileUrl : null)
  }

  #sendLink(response: ServerResponse): void {
    const link = this.makeLink()
    switch (this.linkForm) {
      case 'redirect':
        response.writeHead(302, { location: link }).end()
        return
      case 'redirect-locations':
        response.writeHead(307, { locations: link }).end()
        return
      case 'location':
        response.writeHead(200, { location: link }).end()
        return
      case 'locations':
        response.writeHead(200, { locations: link }).end('The file is there.')
        return
      default:
        sendJson(response, 200, { url: link })
    }
  }

  makeLink(): string {
    const signature = `signature-${++this.#signatures}-secret`
    this.#links.set(signature, this.linkUses)
    const query = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=30&X-Amz-Signature=${signature}`
    return `${this.storeOrigin}/bucket/export.json?${query}`
  }

  async #answerStore(url: URL, request: IncomingMessage, response: ServerResponse, fault: Fault): Promise<void> {
    if (secretHeaders(request).length > 0) return refuse(response, 400, 'InvalidArgument')
    const signature = url.searchParams.get('X-Amz-Signature') ?? ''
    const usesLeft = this.#links.get(signature) ?? 0
    if (usesLeft <= 0) return refuse(response, 403, 'AccessDenied')
    this.#links.set(signature, usesLeft - 1)
    await sendFile(this.file, request, response, fault)
  }

  #answerToken(request: IncomingMessage, response: ServerResponse): void {
    const expected = `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}`
    const key = request.headers['x-api-key']
    if (request.headers.authorization !== expected || (key !== undefined && key !== API_KEY)) {
      sendJson(response, 401, { error: 'invalid_client', error_description: 'Client authentication failed' })
      return
    }
    const token = `issued-token-${String(++this.#tokens).padStart(4, '0')}`
    this.validTokens.add(token)
    sendJson(response, 200, { access_token: token, token_type: 'Bearer', expires_in: this.tokenLifeSeconds })
  }
}

function routeOf(url: URL): Route {
  if (url.pathname === '/oauth2/token') return 'token'
  if (url.pathname === ACTIVITIES) return 'activities'
  if (url.pathname === CREATE) return 'create'
  return url.pathname.startsWith(`${RESPONSES}/batch/`) ? 'status' : 'file'
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

function originOf(server: Server): string {
  const scheme = server instanceof https.Server ? 'https' : 'http'
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
}
